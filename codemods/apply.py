"""A whole run of ``apply``: inspect, mend what belongs together, write, and keep the ledger."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from checks.cli import entry_of, inspect_all, unread_entries
from checks.inspect import Inspection
from checks.pool import default_jobs, spread
from checks.progress import progress
from checks.report import Entry, Ledger, Status, printable, shown_path
from checks.rule import Finding
from checks.session import Request, Session, Workspace, begin
from codemods.journal import Change, Journal, NotWritten, is_done_under_another_name
from codemods.mend import Mended, mend, wanted_fixes
from codemods.named import Lines, named_lines, only_named
from codemods.pins import Raised, raise_pins

_NO_NEWLINE = b"\n\\ No newline at end of file\n"


@dataclass(slots=True)
class Plan:
    """What a run has worked out: files to change in sets that land together, and the entries of all others."""

    session: Session
    sets: list[list[Mended]] = field(default_factory=list[list[Mended]])
    entries: list[Entry] = field(default_factory=list[Entry])
    selected: frozenset[str] = frozenset()
    unsafe: bool = False


class _Task(NamedTuple):
    """Files of one workspace to mend together, with the findings in them to leave alone."""

    workspace: int
    inspections: tuple[Inspection, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return tuple(inspection.path for inspection in self.inspections)


def mended(
    request: Request,
    *,
    unsafe: bool,
    jobs: int | None,
    stdin: bytes | None = None,
    raise_pin: bool = False,
    report: str | None = None,
) -> Plan:
    """Work out what a run would change, without writing anything.

    ``raise_pin``: the requirements move to the target too, and the code has only that to work with. ``report``: a
    report of pyright's, of which the lines that it names are mended and no others.

    Raises:
        UsageError: an unknown rule, release or setting, a requirement that cannot move, or a report that is none.
    """
    session = begin(request, stdin)
    lines = named_lines(report, session) if report is not None else None
    plan = Plan(session, entries=unread_entries(session))
    raised = raise_pins(session) if raise_pin else {}
    plan.selected, plan.unsafe = frozenset(request.select), unsafe
    found: dict[int, dict[Path, Inspection]] = {}
    numbers = {id(workspace): index for index, workspace in enumerate(session.workspaces)}
    inspected = inspect_all(session, jobs)
    for workspace, inspection in inspected if lines is None else only_named(inspected, lines):
        if _has_work(inspection, plan, workspace):
            found.setdefault(numbers[id(workspace)], {})[inspection.path] = inspection
        elif inspection.path in raised:
            data = raised[inspection.path].after
            counts = (len(inspection.baselined), len(inspection.unchanged))
            plan.sets.append([Mended(inspection.path, data, data, list(inspection.findings), left_alone=counts)])
        else:
            plan.entries.append(entry_of(inspection))
    tasks = [
        _Task(number, tuple(files[path] for path in paths))
        for number, files in found.items()
        for paths in _together(files)
    ]
    results = spread(
        _mend,
        tasks,
        min(jobs or default_jobs(0 if len(tasks) < 8 else 1000), max(1, len(tasks))),
        died=_died,
        setup=_use,
        arguments=(session.workspaces, plan.selected, unsafe, lines),
    )
    plan.sets += progress(results, len(tasks), "Mending")
    if raised:
        _join(plan, raised)
    return plan


def _join(plan: Plan, raised: Mapping[Path, Raised]) -> None:
    """Have requirements land with the code that is mended for them, all files or none."""
    files = [file for files in plan.sets for file in files]
    for file in files:
        if file.path in raised and file.error is None:
            file.before, file.note = raised[file.path].before, raised[file.path].note
    together = [file for file in files if file.changed]
    plan.sets = [together, *([file] for file in files if not file.changed)]


def _has_work(inspection: Inspection, plan: Plan, workspace: Workspace) -> bool:
    wanted = wanted_fixes(unsafe=plan.unsafe or workspace.config.unsafe, selected=plan.selected)
    return any(finding.facts is not None and wanted(finding) for finding in inspection.findings)


def _together(files: Mapping[Path, Inspection]) -> Iterator[tuple[Path, ...]]:
    """Yield sets of files that findings of one group tie together; most sets are a single file."""
    parent = {path: path for path in files}

    def root(path: Path) -> Path:
        while parent[path] != path:
            path = parent[path]
        return path

    first: dict[tuple[str, str], Path] = {}
    for path, inspection in files.items():
        for finding in inspection.findings:
            if finding.group:
                key = (finding.rule, finding.group)
                parent[root(path)] = root(first.setdefault(key, path))
    sets: dict[Path, list[Path]] = {}
    for path in files:
        sets.setdefault(root(path), []).append(path)
    for members in sets.values():
        yield tuple(sorted(members))


# -- mending, here or in worker processes

_state: tuple[list[Workspace], frozenset[str], bool, Lines | None] = ([], frozenset(), False, None)


def _use(workspaces: list[Workspace], selected: frozenset[str], unsafe: bool, lines: Lines | None) -> None:
    global _state
    _state = workspaces, selected, unsafe, lines


def _mend(task: _Task) -> list[Mended]:
    workspaces, selected, unsafe, lines = _state
    workspace = workspaces[task.workspace]
    wanted = wanted_fixes(unsafe=unsafe or workspace.config.unsafe, selected=selected)
    spared = {one.path: (*one.baselined, *one.unchanged) for one in task.inspections}

    mine = {path: lines.get(path, set()) for path in task.paths} if lines is not None else None
    try:
        done = mend(task.paths, workspace.project, workspace.rules_for, wanted, lines=mine, spared=spared)
    except Exception as error:  # whatever it is, it costs these files and no others
        what = str(error).partition("\n")[0]
        return _failed(task, f"mending it failed: {type(error).__name__}: {what}")
    for file, one in zip(done, task.inspections, strict=True):
        file.left_alone = (len(one.baselined), len(one.unchanged))
    return done


def _died(task: _Task) -> list[Mended]:
    return _failed(task, "mending it ended the process; it may be nested too deeply")


def _failed(task: _Task, reason: str) -> list[Mended]:
    return [Mended(path, b"", b"", error=reason) for path in task.paths]


# -- the ledger


def _entry(file: Mended, failure: str | None = None, *, written: bool = False) -> Entry:
    if file.error is not None:
        return Entry(file.path, Status.ERROR, file.error)

    def is_mended(index: int) -> bool:
        return failure is None and index in file.applied

    findings = tuple(
        (file.left.get(index, finding) if written and failure is None else finding, is_mended(index))
        for index, finding in enumerate(file.findings)
    )
    entry = _outcome(file, findings, failure)
    return entry._replace(baselined=file.left_alone[0], unchanged=file.left_alone[1])


def _outcome(file: Mended, findings: tuple[tuple[Finding, bool], ...], failure: str | None) -> Entry:
    if failure is not None:
        return Entry(file.path, Status.REFUSED, failure, findings)
    reason = "; ".join(file.refusals)
    if file.changed:
        return Entry(file.path, Status.CHANGED, reason, findings, file.note)
    if file.refusals:
        return Entry(file.path, Status.REFUSED, reason, findings)
    return Entry(file.path, Status.SKIPPED, file.waiting or "needs a human", findings)


def _finished(plan: Plan, entries: Sequence[Entry], *, written: bool) -> Ledger:
    everything = sorted([*plan.entries, *entries], key=lambda entry: entry.path)
    return Ledger(plan.session.target, everything, written)


def ledger_of(plan: Plan, *, written: bool) -> Ledger:
    """Return the ledger of a run that touches no file."""
    entries = [_entry(file) for files in plan.sets for file in files]
    return _finished(plan, entries, written=written)


def write(plan: Plan, journal: Journal | None = None) -> Ledger:
    """Write what was worked out, each set of files whole or not at all, and return the ledger."""
    journal = journal or Journal()
    siblings = [path for workspace in plan.session.workspaces for path in workspace.files]
    failures: list[NotWritten | None] = []
    for changes in (_changes(files) for files in plan.sets):
        try:
            if changes:
                journal.write(changes, lambda: siblings)
            failures.append(None)
        except NotWritten as error:
            failures.append(error)
    entries: list[Entry] = []
    for files, failure in zip(plan.sets, failures, strict=True):
        # What failed under one name of a file may have succeeded under another.
        done = failure is None or all(map(is_done_under_another_name, _changes(files)))
        entries += [_entry(file, None if done else _told(failure, file), written=True) for file in files]
    return _finished(plan, entries, written=True)


def _changes(files: Sequence[Mended]) -> list[Change]:
    return [Change(file.path, file.before, file.after) for file in files if file.changed]


def _told(failure: NotWritten | None, file: Mended) -> str | None:
    if failure is None or not file.changed:
        return None
    if failure.path == file.path:
        return str(failure)
    return f"must change together with {printable(shown_path(failure.path))}, which {failure}"


# -- showing


def diffs(plan: Plan) -> Iterator[bytes]:
    """Yield a unified diff for each file that would change, as git writes and reads it."""
    changed = [file for files in plan.sets for file in files if file.changed]
    for file in sorted(changed, key=lambda file: file.path):
        name = os.fsencode(shown_path(file.path))
        # Only LF ends a line of a diff; any other newline is a character of its line.
        before, after = (data.split(b"\n") for data in (file.before, file.after))
        lines = difflib.diff_bytes(
            difflib.unified_diff,
            _ended(before),
            _ended(after),
            _label(b"a/" + name),
            _label(b"b/" + name),
            lineterm=b"\n",
        )
        yield b"".join(line if line.endswith(b"\n") else line + _NO_NEWLINE for line in lines)


def _ended(parts: list[bytes]) -> list[bytes]:
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _label(name: bytes) -> bytes:
    """Return a file name as git puts it in a diff: quoted if it must be, a blank in it marked by a tab behind it."""
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in name):
        return name + (b"\t" if b" " in name else b"")
    escapes = {7: b"a", 8: b"b", 9: b"t", 10: b"n", 11: b"v", 12: b"f", 13: b"r", 34: b'"', 92: b"\\"}
    quoted = b""
    for byte in name:
        if byte in escapes:
            quoted += b"\\" + escapes[byte]
        else:
            quoted += bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte
    return b'"' + quoted + b'"'


def text_for_stdin(plan: Plan, given: bytes) -> bytes:
    """Return the text given on stdin as mended, or as it was."""
    stand_ins = {path for workspace in plan.session.workspaces for path in workspace.project.stand_ins}
    mended = (file.after for files in plan.sets for file in files if file.path in stand_ins)
    return next(mended, given)
