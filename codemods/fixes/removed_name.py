"""Takes names from where they are now, and uses what took their place."""

from __future__ import annotations

from checks.pipecat.moves import DottedUse, MovedImport
from codemods.edit import Draft


def fix(facts: MovedImport | DottedUse | tuple[()], draft: Draft) -> None:
    """Move the import, of which the first finding stands for all, or change the one use."""
    match facts:
        case MovedImport():
            draft.move_import(facts)
        case DottedUse(whole, module, text):
            draft.replace(whole, draft.import_name(module, text) if module else text)
        case _:
            pass
