"""Which rules a file holds the needles of: the literals one of which must occur in it for a rule to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from checks.rule import Rule

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

# Up to so many needles, and in the first files, looking for one after the other is quicker than to prepare for all.
_FEW_NEEDLES = 12
_FEW_FILES = 20


class Needles:
    """Looks for the needles of some rules; with ahocorasick_rs, if that is installed, for all of them at once."""

    def __init__(self, rules: Sequence[Rule]):
        self._rules = rules
        self._searches = 0

    def held(self, data: bytes) -> list[Rule]:
        """Return the rules a needle of which occurs in some bytes, and those that have none, in order."""
        self._searches += 1
        automaton = self._automaton if self._searches > _FEW_FILES else None
        if automaton is None:
            return [rule for rule in self._rules if not rule.needles or any(one in data for one in rule.needles)]
        found = {self._all[index] for index, _, _ in automaton.find_matches_as_indexes(data, overlapping=True)}
        return [rule for rule in self._rules if not rule.needles or not found.isdisjoint(rule.needles)]

    @cached_property
    def _all(self) -> list[bytes]:
        return sorted({needle for rule in self._rules for needle in rule.needles})

    @cached_property
    def _automaton(self) -> BytesAhoCorasick | None:
        if len(self._all) <= _FEW_NEEDLES:
            return None
        try:
            from ahocorasick_rs import BytesAhoCorasick
        except ImportError:
            return None
        return BytesAhoCorasick(self._all)
