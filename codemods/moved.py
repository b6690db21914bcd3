"""Where a place of a text stands once the text has been edited."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from difflib import Match, SequenceMatcher
from functools import cached_property
from typing import NamedTuple

from checks.source import NEWLINE

# Lines edited together that have more characters are taken to be new, rather than compared one by one.
_LONG = 20_000


class _Stretch(NamedTuple):
    """Lines from ``start`` to ``end`` of the old text, counted from 0, and what became of them in the new one."""

    start: int
    end: int
    new_start: int
    new_end: int
    is_same: bool


class Moved:
    """An old and a new text, and which lines and characters of the one are which of the other."""

    def __init__(self, old: str, new: str):
        self._old, self._new = _lines(old), _lines(new)
        self._blocks: dict[_Stretch, list[Match]] = {}

    @cached_property
    def _stretches(self) -> list[_Stretch]:
        old, new = self._old, self._new
        limit = min(len(old), len(new))
        head = next((i for i in range(limit) if old[i] != new[i]), limit)
        limit -= head
        tail = next((i for i in range(limit) if old[-1 - i] != new[-1 - i]), limit)
        inner = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
        return [
            _Stretch(0, head, 0, head, True),
            *(
                _Stretch(start + head, end + head, new_start + head, new_end + head, tag == "equal")
                for tag, start, end, new_start, new_end in inner.get_opcodes()
            ),
            _Stretch(len(old) - tail, len(old), len(new) - tail, len(new), True),
        ]

    def lines(self, numbers: Iterable[int]) -> set[int]:
        """Return what became of some lines of the old text, from 1; of one that was edited, all that took its place."""
        found: set[int] = set()
        for number in numbers:
            for one in self._stretches:
                if one.start < number <= one.end:
                    whole = range(one.new_start + 1, one.new_end + 1)
                    found |= {number + one.new_start - one.start} if one.is_same else set(whole)
        return found

    def edited(self, number: int) -> tuple[int, int] | None:
        """Return the lines of the old text, the end exclusive, whose place a line of the new one took with others.

        None for a line that stayed as it was. Lines count from 1.
        """
        for one in self._stretches:
            if one.new_start < number <= one.new_end and not one.is_same:
                return one.start + 1, one.end + 1
        return None

    def before(self, line: int, column: int) -> tuple[int, int] | None:
        """Return where a character of the new text stood in the old one, None if it was not there; all from 1."""
        for one in self._stretches:
            if not one.new_start < line <= one.new_end:
                continue
            if one.is_same:
                return line - one.new_start + one.start, column
            return self._within(one, line, column)
        return None

    def _within(self, one: _Stretch, line: int, column: int) -> tuple[int, int] | None:
        old, new = self._old[one.start : one.end], self._new[one.new_start : one.new_end]
        at = sum(len(text) for text in new[: line - 1 - one.new_start]) + column - 1
        if one not in self._blocks:
            self._blocks[one] = _matching("".join(old), "".join(new))
        for block in self._blocks[one]:
            if block.b <= at < block.b + block.size:
                offset = at - block.b + block.a
                starts = [sum(len(text) for text in old[:index]) for index in range(len(old))]
                index = bisect_right(starts, offset) - 1
                return one.start + index + 1, offset - starts[index] + 1
        return None


def _matching(old: str, new: str) -> list[Match]:
    is_long = max(len(old), len(new)) > _LONG
    return [] if is_long else SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()


def _lines(text: str) -> list[str]:
    ends = [match.end() for match in NEWLINE.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
