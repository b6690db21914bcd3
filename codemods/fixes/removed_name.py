"""Imports names from where they are now."""

from __future__ import annotations

from checks.pipecat.moves import MovedImport
from codemods.edit import Draft


def fix(facts: MovedImport | tuple[()], draft: Draft) -> None:
    """Move the import; the first finding of a statement stands for all of them."""
    if isinstance(facts, MovedImport):
        draft.move_import(facts)
