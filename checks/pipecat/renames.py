"""What took the place of a name: the same object elsewhere (from the timeline), or another one (renames.tsv).

Each row of renames.tsv is an old dotted name, the new one, and whether code that uses the one behaves the same with the
other. The rows are facts of the wheels: what the old name was defined as when it was last there, beside the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from checks.pipecat import tables, timeline
from checks.pipecat.deprecations import of_name
from checks.pipecat.releases import Release
from checks.rule import Fix


class NewName(NamedTuple):
    """The dotted name to use in a name's place, how far it behaves the same, and why not further if that is told."""

    dotted: str
    fix: Fix
    why: str = ""

    @property
    def leaf(self) -> str:
        """The name within its module."""
        return self.dotted.rpartition(".")[2]


@cache
def rows() -> dict[str, NewName]:
    """Return the table, by old name."""
    return {old: NewName(new, Fix(tier)) for old, new, tier in tables.rows("renames.tsv")}


def successor(dotted: str, target: Release, oldest: Release) -> NewName | None:
    """Return the name to use instead of one that is gone or deprecated in the target release.

    Both the target and the oldest release that the project admits have it. It is one that is not deprecated, if any
    such name is known; of a name that is gone it may be a deprecated one.
    """
    known = [step for step in _steps(dotted, target) if timeline.exists(step.dotted, target)]
    kept = [step for step in known if timeline.exists(step.dotted, oldest)]
    lasting = [step for step in kept if of_name(step.dotted, target) is None]
    if lasting:
        return _as_passed_on(dotted, lasting[-1], target, oldest)
    return kept[-1] if kept and not timeline.exists(dotted, target) else None


def predecessors(dotted: str) -> list[str]:
    """Return the names whose place a class took: its own of before it moved, and those of the table."""
    found = [dotted]
    for name in found:  # which grows
        before = [*timeline.earlier_homes(name), *(old for old, new in rows().items() if new.dotted == name)]
        found += [old for old in before if old not in found]
    return found[1:]


def newest_name(dotted: str, target: Release) -> str | None:
    """Return what a name's place is taken by in the target release, whatever other releases the project admits."""
    found = successor(dotted, target, target)
    return found.dotted if found is not None else None


def _steps(dotted: str, target: Release) -> Iterator[NewName]:
    """Yield the names that took a name's place, one after the other."""
    seen = {dotted}
    fix = Fix.SAFE
    while True:
        same = (timeline.canonical(dotted, target), timeline.last_meaning(dotted, target))
        row = rows().get(dotted)
        after = row.dotted if row is not None else next((name for name in same if name and name not in seen), None)
        if after is None or after in seen:
            return
        if row is not None and row.fix is Fix.UNSAFE:
            fix = Fix.UNSAFE
        yield NewName(after, fix)
        seen.add(after)
        dotted = after


def _as_passed_on(dotted: str, new: NewName, target: Release, oldest: Release) -> NewName:
    """Return the new name in the package that the old one was taken from, where that passes both on."""
    package = dotted.rpartition(".")[0]
    public = f"{package}.{new.leaf}"
    if new.dotted.startswith(f"{package}.") and of_name(public, target) is None:
        if all(timeline.canonical(public, release) == new.dotted for release in (target, oldest)):
            if all(timeline.exists(public, release) for release in (target, oldest)):
                return NewName(public, new.fix)
    return new
