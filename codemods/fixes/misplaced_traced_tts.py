"""Moves ``@traced_tts`` outside the other decorators."""

from __future__ import annotations

from checks.rules.misplaced_traced_tts import Facts
from codemods.edit import Draft


def fix(facts: Facts, draft: Draft) -> None:
    """Put the tracer's text first and each other decorator's one place further in."""
    texts = [draft.text(span) for span in facts.decorators]
    for span, text in zip(facts.decorators, [texts[-1], *texts[:-1]], strict=True):
        draft.replace(span, text)
