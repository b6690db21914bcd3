"""The extras of pipecat-ai, release by release (extras.tsv), and what took the place of some (extra_renames.tsv).

extras.tsv is written by ``scripts/build_timeline.py`` from the metadata of the wheels. A row of extra_renames.tsv is an
old extra and the one whose services are the same, or pipecat-ai where every installation has what it was for:
local-smart-turn-v3 is read by modules that do without ``transformers`` from 1.3.0 on and need the rest of it only.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from checks.pipecat import tables
from checks.pipecat.releases import RELEASES, Release, parse

CORE = "pipecat-ai"


class Run(NamedTuple):
    """Releases, the last exclusive and None for one to come, in which an extra asks for the same distributions."""

    since: Release
    until: Release | None
    requires: frozenset[str]


@cache
def known() -> dict[str, tuple[Run, ...]]:
    """Return the runs of each extra, under ``CORE`` those of what every installation gets."""
    found: dict[str, list[Run]] = {}
    for extra, since, until, requires in tables.rows("extras.tsv"):
        run = Run(parse(since), parse(until) if until else None, frozenset(requires.split()))
        found.setdefault(extra, []).append(run)
    return {extra: tuple(runs) for extra, runs in found.items()}


@cache
def renames() -> dict[str, str]:
    """Return what took an extra's place, by old name."""
    return dict(tables.rows("extra_renames.tsv"))


def canonical(extra: str) -> str:
    """Return an extra's name as names are compared."""
    return re.sub(r"[-_.]+", "-", extra).lower()


def requires(extra: str, release: Release) -> frozenset[str] | None:
    """Return the distributions an extra asks for in a release, None where that has no such extra."""
    for run in known().get(extra, ()):
        if run.since <= release and (run.until is None or release < run.until):
            return run.requires
    return None


def last_requires(extra: str, target: Release) -> frozenset[str] | None:
    """Return the distributions an extra asked for when it was last there before the target, None if it never was."""
    past = [run.requires for run in known().get(extra, ()) if run.since <= target]
    return past[-1] if past else None


def is_needless(extra: str, target: Release, oldest: Release) -> bool:
    """Tell whether an extra that the target does not have can go: no installation loses anything by that.

    The target installs nothing for it, and has what it was for; the oldest release has it all without it.
    """
    core, asked = requires(CORE, target), last_requires(extra, target)
    before, then = requires(CORE, oldest), requires(extra, oldest)
    if core is None or before is None or asked is None:
        return False
    return (renames().get(extra) == CORE or asked <= core) and (then is None or then <= before)


def new_name(extra: str, target: Release, oldest: Release) -> str | None:
    """Return the extra that took another's place, if the target and the oldest release have it.

    It asks for all that the old one asked for, wherever that is there still.
    """
    new = renames().get(extra)
    if new is None or new == CORE:
        return None
    for release in (target, oldest):
        asked, old = requires(new, release), requires(extra, release) or last_requires(extra, release)
        if asked is None or not (old or frozenset()) <= asked:
            return None
    return new


def gone_since(extra: str, target: Release) -> Release | None:
    """Return the release from which on the target's line has an extra no more, None if it never had it."""
    ends = [run.until for run in known().get(extra, ()) if run.until is not None and run.until <= target]
    return ends[-1] if ends else None


def comes_with(extra: str, target: Release) -> Release | None:
    """Return the first release after the target that has an extra, if any has."""
    starts = [run.since for run in known().get(extra, ()) if run.since > target]
    return starts[0] if starts else None


def first_known() -> Release:
    """Return the first release of which extras are known."""
    return RELEASES[0]
