"""What an upgrade will hit: the findings at its end, by the release from which on they hold.

The project's requirement moves with the upgrade, so each release is taken as the only one the project must work with.

A file is looked at for both ends of the upgrade, and between two releases only where its findings at the two differ:
where they are the same, message and all, they are taken to hold at all releases between. Messages tell a name that is
not there yet from one that is gone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from checks.cli import died, entry_of, unread_entries
from checks.errors import UsageError
from checks.inspect import Inspection
from checks.pipecat.releases import NEWEST, RELEASES, Release
from checks.pipecat.workspaces import pinned_around, shared, speaking
from checks.pool import default_jobs, spread
from checks.progress import progress
from checks.project import Project
from checks.registry import impact_of
from checks.report import Entry
from checks.rule import Finding, Fix, Impact
from checks.session import Request, Session, Workspace, begin, members, release_of
from checks.source import Span

# What makes two findings in one file, at different releases, the same.
Identity: TypeAlias = tuple[str, Span]
# The findings of a file at one release, with their messages.
Held: TypeAlias = dict[Identity, str]


@dataclass(slots=True)
class Upgrade:
    """What lies between two releases.

    ``begun`` has each finding at the ``end`` under the release from which on it holds: under ``start`` what holds there
    already. ``failed`` are the files that could not be read, ``files`` counts all, ``baselined`` the findings known and
    left out.
    """

    start: Release
    end: Release
    files: int = 0
    begun: dict[Release, list[Finding]] = field(default_factory=dict[Release, list[Finding]])
    failed: list[Entry] = field(default_factory=list[Entry])
    baselined: int = 0

    @property
    def findings(self) -> list[Finding]:
        """Every finding, in order of release."""
        return [finding for findings in self.begun.values() for finding in findings]

    def summary(self) -> dict[str, int]:
        """Return the counts of findings by who mends them, and by what becomes of the code left as it is."""
        fixes = Counter(finding.fix for finding in self.findings)
        impacts = Counter(map(impact_of, self.findings))
        return {
            "safe": fixes[Fix.SAFE],
            "unsafe": fixes[Fix.UNSAFE],
            "human": fixes[Fix.NONE],
            "breaking": impacts[Impact.BREAKS],
            "silent": impacts[Impact.SILENT],
            "deprecated": impacts[Impact.DEPRECATED],
            "defect": impacts[Impact.DEFECT],
            "baselined": self.baselined,
        }

    def exit_code(self) -> int:
        """Return 2 if some file could not be read, 1 if there is anything to do, else 0."""
        return 2 if self.failed else 1 if self.begun else 0


class Outlook(NamedTuple):
    """What is found in one file at the end of an upgrade, and from which release on, finding by finding."""

    inspection: Inspection
    begun: tuple[Release, ...] = ()


def plan(request: Request, start: str | None = None, *, jobs: int | None = None, stdin: bytes | None = None) -> Upgrade:
    """Return what the upgrade from a release to the request's target will hit.

    Args:
        request: What to look at; without a target the newest release is the end.
        start: The release to begin at; None: the one the project is pinned to.
        jobs: How many processes to use; None: as the work is worth.
        stdin: What stands in for the contents of the path ``-``.

    Raises:
        UsageError: an unknown rule, release or setting, no release to begin at, or one that is later than the end.
    """
    first = release_of(start) if start is not None else None
    end = release_of(request.target) if request.target is not None else NEWEST
    session = begin(request._replace(target=str(end)), stdin)
    if first is None:
        first = _pin(session) if session.workspaces else end
    if first > end:
        told = f"--from {first}" if start is not None else f"the release the project is pinned to, {first},"
        raise UsageError(f"{told} is later than --to {end}")
    upgrade = Upgrade(first, end, failed=unread_entries(session))
    begun: dict[Release, list[Finding]] = defaultdict(list)
    for outlook in _outlooks(session, RELEASES[RELEASES.index(first) : RELEASES.index(end) + 1], jobs):
        upgrade.files += 1
        if outlook.inspection.error is not None:
            upgrade.failed.append(entry_of(outlook.inspection))
        known = session.sorted_out(outlook.inspection).baselined
        upgrade.baselined += len(known)
        for finding, release in zip(outlook.inspection.findings, outlook.begun, strict=True):
            if not any(finding is one for one in known):
                begun[release].append(finding)
    upgrade.begun = {release: begun[release] for release in sorted(begun)}
    return upgrade


def _pin(session: Session) -> Release:
    """Return the release that the projects of a session are pinned to."""
    found = [_pin_of(workspace.project, workspace.files) for workspace in session.workspaces]
    pins = sorted({pin for pin in found if pin is not None})
    if not pins:
        raise UsageError("no release to begin at: nothing pins pipecat-ai here; give it with --from")
    if len(pins) > 1:
        told = " and ".join(map(str, pins))
        raise UsageError(f"the projects are pinned to {told}; give the release to begin at with --from")
    return pins[0]


def _pin_of(project: Project, files: Sequence[Path]) -> Release | None:
    found = pinned_around(project.root)
    if found is None:
        project.members = members(project, files, everywhere=True)
        found = shared(speaking(project, files), project.root)
    return found


def begins(releases: Sequence[Release], held_at: Callable[[Release], Held]) -> dict[Identity, Release]:
    """Return, for each finding at the last of some releases, the first from which on it holds up to there."""
    last = len(releases) - 1
    held = {last: held_at(releases[last])}

    def look(index: int) -> None:
        held[index] = {key: message for key, message in held_at(releases[index]).items() if key in held[last]}

    if not held[last]:
        return {}
    look(0)
    todo = [(0, last)]
    while todo:
        low, high = todo.pop()
        if held[low] == held[high]:
            held.update(dict.fromkeys(range(low + 1, high), held[high]))
        elif high - low > 1:
            middle = (low + high) // 2
            look(middle)
            todo += [(low, middle), (middle, high)]
    found: dict[Identity, Release] = {}
    lasting = set(held[last])
    for index in range(last, -1, -1):
        lasting &= held[index].keys()
        found.update(dict.fromkeys(lasting, releases[index]))
    return found


# -- looking, here or in worker processes

_workspaces: list[Workspace] = []
_releases: list[Release] = []
_aimed: dict[tuple[int, Release], Workspace] = {}


def _outlooks(session: Session, releases: Sequence[Release], jobs: int | None) -> Iterable[Outlook]:
    items = [(index, path) for index, workspace in enumerate(session.workspaces) for path in workspace.files]
    results = spread(
        _outlook,
        items,
        jobs or default_jobs(len(items)),
        died=lambda item: Outlook(died(item)),
        setup=_use,
        arguments=(session.workspaces, releases),
    )
    return progress(results, len(items), "Reading")


def _use(workspaces: Sequence[Workspace], releases: Sequence[Release]) -> None:
    _workspaces[:] = workspaces
    _releases[:] = releases
    _aimed.clear()


def _outlook(item: tuple[int, Path]) -> Outlook:
    index, path = item
    seen: dict[Release, Inspection] = {}

    def held_at(release: Release) -> Held:
        seen[release] = _at(release, index).inspect(path)
        return {_identity(finding): finding.message for finding in seen[release].findings}

    first = begins(_releases, held_at)
    for inspection in seen.values():
        if inspection.error is not None:
            return Outlook(Inspection(path, error=inspection.error))
    end = seen[_releases[-1]]
    return Outlook(end, tuple(first[_identity(finding)] for finding in end.findings))


def _at(release: Release, index: int) -> Workspace:
    """Return a workspace aimed at a release, the same one for all its files."""
    if (index, release) not in _aimed:
        _aimed[index, release] = _workspaces[index].aimed_at(release)
    return _aimed[index, release]


def _identity(finding: Finding) -> Identity:
    return finding.rule, finding.span
