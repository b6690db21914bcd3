"""Findings that a run leaves alone, kept in sight while edits move the text around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from checks.rule import Finding
from checks.source import Source, Span
from codemods.splice import Edit, carried


class _Place(NamedTuple):
    """Where a finding of a rule stands; ``is_intact``: no edit has touched that text."""

    rule: str
    start: int
    end: int
    is_intact: bool = True

    def holds(self, rule: str, start: int, end: int) -> bool:
        if rule != self.rule:
            return False
        if self.is_intact:
            return (start, end) == (self.start, self.end)
        return start < self.end and self.start < end

    def carried(self, made: Sequence[Edit]) -> _Place:
        start, end = carried(self.start, self.end, made)
        touched = any(edit.start < self.end and self.start < edit.end for edit in made)
        return _Place(self.rule, start, end, self.is_intact and not touched)


class Spared:
    """The places in one file whose findings are not to be mended."""

    def __init__(self, findings: Iterable[Finding], source: Source):
        self._messages = {(finding.rule, finding.span, finding.message) for finding in findings}
        self._places = [_Place(rule, *_offsets(span, source)) for rule, span, _ in self._messages]
        self._moved = False

    def others(self, findings: Iterable[Finding], source: Source) -> list[Finding]:
        """Return the findings that are not among these; ``source``: the file as it stands now."""
        return [finding for finding in findings if not self._has(finding, source)]

    def _has(self, finding: Finding, source: Source) -> bool:
        if not self._moved:
            # Of two findings of a rule at one place, one may be known and the other new.
            return (finding.rule, finding.span, finding.message) in self._messages
        return any(place.holds(finding.rule, *_offsets(finding.span, source)) for place in self._places)

    def stands_in(self, edits: Iterable[Edit]) -> bool:
        """Tell whether any of the places is in text that edits replace."""
        return any(edit.start < one.end and one.start < edit.end for edit in edits for one in self._places)

    def carry(self, made: Sequence[Edit]) -> None:
        """Follow the places through edits that were made."""
        self._moved = True
        self._places = [place.carried(made) for place in self._places]


def _offsets(span: Span, source: Source) -> tuple[int, int]:
    return source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
