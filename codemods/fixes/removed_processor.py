"""Takes a processor out of the pipeline, and has the aggregators do its work."""

from __future__ import annotations

from checks.pipecat.stages import Leaving
from codemods import rewrite
from codemods.edit import Draft


def fix(facts: Leaving | tuple[()], draft: Draft) -> None:
    """Take out the statements and put in the new texts and lines; the first finding has all that is to be done."""
    if not isinstance(facts, Leaving):
        return
    for span in facts.removed:
        draft.remove_statement(span)
    for span, lines in facts.inserted:
        draft.insert_lines(span, lines)
    for span, lines in facts.behind:
        draft.insert_behind(span, lines)
    rewrite.fix(facts.rewrite, draft)
