"""Puts the decorator for speech in the place of another service's."""

from __future__ import annotations

from checks.rules.wrong_trace_decorator import Facts
from codemods.edit import Draft


def fix(facts: Facts, draft: Draft) -> None:
    """Exchange the name, and import the new one."""
    local = facts.name if facts.module is None else draft.import_name(facts.module, facts.name)
    draft.replace(facts.decorator, local)
