"""Gives a file the one context and its aggregators."""

from __future__ import annotations

from checks.pipecat.context_moves import ContextMove
from checks.pipecat.needless import NeedlessName
from codemods import rewrite
from codemods.edit import Draft


def fix(facts: ContextMove | NeedlessName | tuple[()], draft: Draft) -> None:
    """Move the imports and put in the new texts; of findings mended together the first has all that is to be done."""
    if isinstance(facts, ContextMove):
        for moved in facts.imports:
            draft.move_import(moved)
        rewrite.fix(facts.rewrite, draft)
    elif isinstance(facts, NeedlessName):
        draft.give_up(facts)
