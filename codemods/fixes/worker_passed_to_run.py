"""Adds workers to their runner before it runs."""

from __future__ import annotations

from checks.rules.worker_passed_to_run import Steps
from codemods.edit import Draft


def fix(facts: Steps, draft: Draft) -> None:
    """Put the statements in the place of the one."""
    draft.replace_statement(facts.statement, facts.lines)
