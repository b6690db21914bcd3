"""Calls the base class's constructor first."""

from __future__ import annotations

from checks.rules.observer_without_base_init import Facts
from codemods.edit import Draft

_CALL = ("super().__init__()",)


def fix(facts: Facts, draft: Draft) -> None:
    """Put the call behind the docstring, else in front of the first statement."""
    if facts.is_docstring:
        draft.insert_behind(facts.first, _CALL)
    else:
        draft.insert_lines(facts.first, _CALL)
