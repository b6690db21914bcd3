"""Deletes an override that is never called."""

from __future__ import annotations

from checks.rules.dead_audio_done_override import Facts
from codemods.edit import Draft


def fix(facts: Facts, draft: Draft) -> None:
    """Take the method out of its class."""
    draft.remove_statement(facts.method)
