"""A suppression comment that suppresses nothing.

What it finds:
    ``# codemods: ignore[rule]`` or ``# codemods: ignore-file[rule]`` where that rule finds nothing, names no existing
    rule, or names no rule at all. Rules that did not run in this call are given the benefit of the doubt.

Why it matters:
    A comment that outlives its reason hides the next regression at that place.

Example:
    ::

        name = getattr(code, "co_name", "task")  # codemods: ignore[unguarded-cr-code]

    becomes::

        name = getattr(code, "co_name", "task")

Fix safety:
    Safe: only the comment, or the rule's name within it, is removed.

References:
    The comment forms are described in the README under "Suppressing a finding".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from checks.registry import all_rules
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span
from checks.suppression import Suppression, suppressions

RULE = Rule(__name__, needles=("codemods:",), about=None, fix=Fix.SAFE, impact=Impact.DEFECT)


class Facts(NamedTuple):
    """``comment`` is what is to be replaced by ``text``; an empty text takes the whole comment."""

    comment: Span
    text: str


@RULE.at_end
def unused(source: Source, findings: list[Finding], ran: frozenset[str]) -> Iterator[Finding]:
    """Find the names in suppression comments that speak for no finding."""
    for comment in suppressions(source):
        if not comment.rules:
            message = "the suppression names no rule: write ignore[rule-name]"
            yield RULE.finding(source, comment.span, message)
            continue
        needless = [name for name in comment.rules if _is_needless(name, comment, findings, ran)]
        if needless:
            kept = [name for name in comment.rules if name not in needless]
            yield _needless(source, comment, needless, kept)


def _is_needless(name: str, comment: Suppression, findings: list[Finding], ran: frozenset[str]) -> bool:
    if name not in all_rules():
        return True
    if name not in ran or name == RULE.name:
        return False
    return not any(finding.rule == name and comment.covers(finding) for finding in findings)


def _needless(source: Source, comment: Suppression, needless: list[str], kept: list[str]) -> Finding:
    known = all_rules()
    strangers = [name for name in needless if name not in known]
    names = ", ".join(needless)
    message = (
        f"the suppression names {names}, which is no rule"
        if strangers
        else f"the suppression of {names} suppresses nothing"
    )
    scope = "ignore-file" if comment.whole_file else "ignore"
    text = f"# codemods: {scope}[{', '.join(kept)}]" if kept else ""
    return RULE.finding(source, comment.span, message, facts=Facts(comment.span, text))
