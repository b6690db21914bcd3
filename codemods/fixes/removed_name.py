"""Takes names from where they are now, and uses what took their place, or has something else called."""

from __future__ import annotations

from checks.arguments import Rewrite
from checks.pipecat.context_moves import ContextMove
from checks.pipecat.moves import DottedUse, MovedImport
from checks.pipecat.needless import NeedlessName
from codemods import rewrite
from codemods.edit import Draft
from codemods.fixes import service_made_context


def fix(facts: MovedImport | DottedUse | Rewrite | ContextMove | NeedlessName | tuple[()], draft: Draft) -> None:
    """Move the import, of which the first finding stands for all, or give it up, or change a use, or put in the calls.

    An import that nothing needs any more goes by itself.
    """
    match facts:
        case MovedImport():
            draft.move_import(facts)
        case DottedUse(whole, module, text):
            draft.replace(whole, draft.import_name(module, text) if module else text)
        case Rewrite():
            rewrite.fix(facts, draft)
        case NeedlessName():
            draft.give_up(facts)
        case ContextMove():
            service_made_context.fix(facts, draft)
        case _:
            pass
