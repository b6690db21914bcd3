"""Puts the tracing decorator on ``run_tts``."""

from __future__ import annotations

from checks.rules.untraced_run_tts import Facts
from codemods.edit import Draft


def fix(facts: Facts, draft: Draft) -> None:
    """Add the decorator on a line of its own, and its import."""
    local = draft.import_name(facts.module, facts.name)
    draft.insert_before(facts.before, f"@{local}")
