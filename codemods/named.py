"""The lines that a pyright report names, of a run elsewhere: what ``apply`` is to keep to."""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from checks.errors import UsageError
from checks.inspect import Inspection
from checks.report import printable, shown_path
from checks.rule import Finding
from checks.session import Session, Workspace

if TYPE_CHECKING:
    from checks.pyright import Diagnostic

# The lines named in each file, from 1.
Lines: TypeAlias = Mapping[Path, set[int]]


def named_lines(report: str, session: Session) -> Lines:
    """Return the lines that a report names in the files of a session.

    The report may come from another machine: a path of its stands for the file with which it has the most folders in
    common, counted from the end. One that may stand for several is added to what the session could not take.

    Raises:
        UsageError: the report cannot be read, is not pyright's, or is of none of the files.
    """
    from checks.pyright import lines_of, read

    name = "the report on standard input" if report == "-" else report
    found = read(_bytes_of(report), name)
    by_file = _by_file(found, session)
    if found and not by_file and not session.unreadable:
        first = found[0].path
        raise UsageError(f"{name} is of none of the files given: it names {printable(str(first))}")
    lines: dict[Path, set[int]] = {}
    for workspace in session.workspaces:
        for path in workspace.files:
            source = workspace.project.readable(path) if path in by_file else None
            if source is not None:
                lines[path] = {line for one in by_file[path] for line in lines_of(one, source)}
    return lines


def _bytes_of(report: str) -> bytes:
    if report == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(report).read_bytes()
    except OSError as error:
        raise UsageError(f"{report} cannot be read: {error.strerror or error}") from None


def _by_file(found: Iterable[Diagnostic], session: Session) -> dict[Path, list[Diagnostic]]:
    by_path: dict[Path, list[Diagnostic]] = defaultdict(list)
    for one in found:
        by_path[one.path].append(one)
    places = [(workspace, path) for workspace in session.workspaces for path in workspace.files]
    meant: dict[Path, list[tuple[int, Path]]] = defaultdict(list)
    for named in by_path:
        length, candidates = _meant_by(named, places)
        if len(candidates) > 1:
            which = " or ".join(printable(shown_path(path)) for path in candidates[:3])
            session.unreadable.append((named, f"the report names it, which may be {which} here"))
        elif candidates:
            meant[candidates[0]].append((length, named))
    chosen: dict[Path, list[Diagnostic]] = {}
    for path, several in meant.items():
        most = max(length for length, _ in several)
        best = [named for length, named in several if length == most]
        if len(best) > 1:
            also = " and ".join(printable(str(named)) for named in best[:3])
            session.unreadable.append((path, f"the report names {also}, either of which it may be"))
        else:
            chosen[path] = by_path[best[0]]
    return chosen


def _meant_by(named: Path, places: Sequence[tuple[Workspace, Path]]) -> tuple[int, list[Path]]:
    """Return which files a path of a report may stand for, and how much of it they have in common with it."""
    parts = [part for part in re.split(r"[\\/]", str(named)) if part]
    real = os.path.realpath(named)
    common: dict[Path, int] = {}
    for _, path in places:
        if path == named or os.path.realpath(path) == real:
            return len(parts) + 1, [path]
        if parts and path.name == parts[-1]:
            common[path] = _in_common(parts, path.parts)
    longest = max(common.values(), default=0)
    nearest = [path for path, length in common.items() if length == longest]
    if len(nearest) > 1:
        # Of those equally near, one the project's own folders add nothing to is meant.
        whole = [path for one, path in places if path in nearest and _depth(path, one.project.root) == longest]
        nearest = whole if len(whole) == 1 else nearest
    return longest, nearest


def _depth(path: Path, root: Path) -> int:
    return len(path.relative_to(root).parts) if path.is_relative_to(root) else 0


def _in_common(left: Sequence[str], right: Sequence[str]) -> int:
    pairs = zip(reversed(left), reversed(right), strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(left), len(right)))


# -- keeping to them


def only_named(inspections: Iterable[tuple[Workspace, Inspection]], lines: Lines) -> list[tuple[Workspace, Inspection]]:
    """Return inspections with the findings at or touching the lines, and those that are mended together with one."""
    inspections = list(inspections)
    kept = kept_findings({inspection.path: inspection.findings for _, inspection in inspections}, lines)
    return [(workspace, one._replace(findings=kept[one.path])) for workspace, one in inspections]


def kept_findings(found: Mapping[Path, Sequence[Finding]], lines: Lines) -> dict[Path, list[Finding]]:
    """Return by file the findings at or touching the lines, and those that are mended together with one."""
    groups = {
        (finding.rule, finding.group)
        for path, findings in found.items()
        for finding in findings
        if finding.group and _touches(finding, lines.get(path, set()))
    }
    return {
        path: [
            finding
            for finding in findings
            if _touches(finding, lines.get(path, set())) or (finding.rule, finding.group) in groups
        ]
        for path, findings in found.items()
    }


def _touches(finding: Finding, lines: set[int]) -> bool:
    return not lines.isdisjoint(range(finding.span.line, finding.span.end_line + 1))
