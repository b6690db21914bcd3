"""Imports names from the modules that take the place of deprecated ones, or has something else called."""

from __future__ import annotations

from checks.arguments import Rewrite
from checks.pipecat.moves import DottedUse, MovedImport
from codemods import rewrite
from codemods.edit import Draft
from codemods.fixes import removed_name


def fix(facts: MovedImport | DottedUse | Rewrite | tuple[()], draft: Draft) -> None:
    """Move the import, or put in the calls; an import that nothing needs any more goes by itself."""
    if isinstance(facts, Rewrite):
        rewrite.fix(facts, draft)
    else:
        removed_name.fix(facts, draft)
