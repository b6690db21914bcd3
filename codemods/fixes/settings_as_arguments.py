"""Gives a service its settings in one argument."""

from __future__ import annotations

from checks.pipecat.settings import Rewrite
from codemods.edit import Draft


def fix(facts: Rewrite | tuple[()], draft: Draft) -> None:
    """Put in what the check worked out; the first finding of a call stands for all of them."""
    for change in facts.changes if isinstance(facts, Rewrite) else ():
        draft.replace(change.span, change.text)
