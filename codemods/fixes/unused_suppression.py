"""Removes a suppression comment that suppresses nothing, or the needless names in it."""

from __future__ import annotations

from checks.rules.unused_suppression import Facts
from codemods.edit import Draft


def fix(facts: Facts, draft: Draft) -> None:
    """Put the shorter comment in place, or take the whole comment with the blanks in front of it."""
    if facts.text:
        draft.replace(facts.comment, facts.text)
    else:
        draft.remove_comment(facts.comment)
