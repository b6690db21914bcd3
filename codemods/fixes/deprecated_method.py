"""Puts in the name that took a member's place, or takes out a call that is needless now."""

from __future__ import annotations

from checks.arguments import Rewrite
from checks.pipecat.direct_functions import Needless
from codemods import rewrite
from codemods.edit import Draft


def fix(facts: Rewrite | Needless, draft: Draft) -> None:
    """Put in the new text, or remove the statement."""
    if isinstance(facts, Needless):
        draft.remove_statement(facts.statement)
    else:
        rewrite.fix(facts, draft)
