"""Comments that say a finding is meant: ``# codemods: ignore[rule]`` and ``# codemods: ignore-file[rule]``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from checks.rule import Finding
from checks.source import Source, Span

_FORM = re.compile(r"#\s*codemods:\s*(?P<scope>ignore-file|ignore)\s*(?:\[(?P<rules>[^\]#]*)\])?")


class Suppression(NamedTuple):
    """One suppression comment: where it stands, what it names, and whether it speaks for the whole file."""

    span: Span
    rules: tuple[str, ...]
    whole_file: bool

    def covers(self, finding: Finding) -> bool:
        """Tell whether it speaks for a finding: its rule, on any line the finding spans."""
        if finding.rule not in self.rules:
            return False
        return self.whole_file or finding.span.line <= self.span.line <= finding.span.end_line


def suppressions(source: Source) -> list[Suppression]:
    """Return the suppression comments of a file."""
    if b"codemods:" not in source.data:
        return []
    found: list[Suppression] = []
    for span, text in source.comments:
        for match in _FORM.finditer(text):
            names = tuple(name.strip() for name in (match["rules"] or "").split(",") if name.strip())
            start = span.column + match.start()
            at = Span(span.line, start, span.line, start + len(match[0]))
            found.append(Suppression(at, names, match["scope"] == "ignore-file"))
    return found


def unsuppressed(findings: Iterable[Finding], comments: Iterable[Suppression]) -> list[Finding]:
    """Return the findings no comment speaks for."""
    by_rule: dict[str, list[Suppression]] = {}
    for comment in comments:
        for rule in comment.rules:
            by_rule.setdefault(rule, []).append(comment)
    return [finding for finding in findings if not any(c.covers(finding) for c in by_rule.get(finding.rule, ()))]
