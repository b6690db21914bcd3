"""The engine that mends: findings, edits, new bytes, proof.

Files are mended in rounds until nothing that may be mended is left: edits that would touch the same text wait for the
next round, where the check decides anew on what then stands there. Findings of one group land in the same round or not
at all. Nothing here writes to disk.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from checks.datafile import DataFile
from checks.inspect import inspect
from checks.kinds import opened
from checks.project import Project
from checks.rule import Finding, Fix, Rule
from checks.source import Source, Span, Unreadable
from codemods.fixes import fix_for
from codemods.imports import needless_imports
from codemods.moved import Moved
from codemods.named import Lines, kept_findings
from codemods.order import ordered_imports, ordered_names
from codemods.spared import Spared
from codemods.splice import Edit, Refused, as_made, splice

_MAX_ROUNDS = 20
# So many mends are tried one by one for the one without which the others are sound.
_MOST_TRIED = 50
Wanted = Callable[[Finding], bool]
RulesFor = Callable[[Path], Mapping[str, Rule]]


@dataclass(slots=True)
class Mended:
    """What became of one file: its new bytes, if any, and its findings, of which ``applied`` are mended.

    ``left`` has the others as they stand in the new bytes. ``refusals`` say which fixes were withheld as they could
    not be made or proved, ``waiting`` that a fix needs other files to change with it, ``note`` what changes beside
    findings, ``error`` that the file could not be read. ``left_alone`` counts the findings that are known, and those on
    unchanged lines; they are not among the others.
    """

    path: Path
    before: bytes
    after: bytes
    findings: list[Finding] = field(default_factory=list[Finding])
    applied: set[int] = field(default_factory=set[int])
    left: dict[int, Finding] = field(default_factory=dict[int, Finding])
    refusals: list[str] = field(default_factory=list[str])
    waiting: str | None = None
    note: str = ""
    error: str | None = None
    left_alone: tuple[int, int] = (0, 0)

    @property
    def changed(self) -> bool:
        """Whether the new bytes differ."""
        return self.before != self.after


_Key: TypeAlias = tuple[str, str, str, int, int]


class _Why(NamedTuple):
    """Why a unit is held back; ``waits``: only for a mend that this run is not to make."""

    reason: str
    waits: bool = False


# By key of the unit.
_Held: TypeAlias = Mapping[_Key, _Why]


class _Origins:
    """Where findings stood before the rounds moved them."""

    def __init__(self, old: Project, new: Project):
        self._old, self._new = old, new
        self._moved: dict[Path, Moved] = {}

    def of(self, finding: Finding) -> tuple[int, int]:
        """Return line and column in the old text; less than zero what was not there."""
        path, at = Path(finding.path), (finding.span.line, finding.span.column)
        if self._old is self._new:
            return at
        if path not in self._moved:
            self._moved[path] = Moved(self._old.source(path).text, self._new.source(path).text)
        return self._moved[path].before(*at) or (-at[0], -at[1])

    def back(self, finding: Finding) -> Finding:
        """Return a finding of the new text, on the text of old that its place was."""
        span, (line, column) = finding.span, self.of(finding)
        if line < 0 or span.line != span.end_line:
            return finding
        return finding._replace(span=Span(line, column, line, column + span.end_column - span.column))


class _Unit(NamedTuple):
    """Findings that are mended together."""

    findings: tuple[Finding, ...]
    origins: _Origins

    @property
    def key(self) -> _Key:
        """What tells a unit from others across rounds: what its first finding says, and of which place."""
        first = self.findings[0]
        return (first.rule, first.path, first.message, *self.origins.of(first))


class _ProofFailed(Exception):
    """New bytes that must not be written; carries why, and the units whose edits made them."""

    def __init__(self, reason: str, units: Iterable[_Unit], *, waits: bool = False):
        super().__init__(reason)
        self.why = _Why(reason, waits)
        self.units = list(units)


def wanted_fixes(*, unsafe: bool, selected: Iterable[str]) -> Wanted:
    """Return the test for findings to mend: safe ones, and unsafe ones if asked for or named in ``--select``."""
    named = set(selected)

    def wanted(finding: Finding) -> bool:
        return finding.fix is Fix.SAFE or (finding.fix is Fix.UNSAFE and (unsafe or finding.rule in named))

    return wanted


def mend(
    paths: Sequence[Path],
    project: Project,
    rules: RulesFor,
    wanted: Wanted,
    *,
    lines: Lines | None = None,
    spared: Mapping[Path, Sequence[Finding]] | None = None,
) -> list[Mended]:
    """Mend files together and return what became of each; of ``lines``, if given, only what they name.

    The findings ``spared`` are left as if not found.

    The bytes returned are proved: they parse for ``ast`` and LibCST, hold nothing the target release does not have but
    what they held before, no fixable finding is left in them, and running again would change nothing. What fails a
    proof is left out, with the reason in ``refusals``.
    """
    held: dict[_Key, _Why] = {}
    while True:
        try:
            return _attempt(paths, project, rules, wanted, held, spared or {}, lines)
        except _ProofFailed as failure:
            if not failure.units:
                raise

            def succeeds(paths: Sequence[Path], without: _Held, alone: _Key | None = None) -> bool:
                try:
                    _attempt(paths, project, rules, wanted, without, spared or {}, None if alone else lines, alone)
                except _ProofFailed:
                    return False
                return True

            for key in _guilty(failure.units, paths, held, succeeds):
                held[key] = failure.why


def _guilty(units: Sequence[_Unit], paths: Sequence[Path], held: _Held, succeeds: Callable[..., bool]) -> list[_Key]:
    """Return the keys of the units to blame: that fail by themselves, else the one without which the others do not."""
    keys = {unit.key: sorted({Path(finding.path) for finding in unit.findings}) for unit in units}
    alone = [key for key, own in keys.items() if not succeeds(own, {}, key)]
    if alone:
        return alone
    few = [*keys][:_MOST_TRIED]
    return next(([key] for key in few if succeeds(paths, {**held, key: _Why("")})), [*keys])


def _attempt(
    paths: Sequence[Path],
    project: Project,
    rules: RulesFor,
    wanted: Wanted,
    held: _Held,
    spared: Mapping[Path, Sequence[Finding]],
    lines: Lines | None = None,
    alone: _Key | None = None,
) -> list[Mended]:
    """Work out the mends that are not held; ``alone``: that one only.

    Raises:
        _ProofFailed: the result is not to be written.
    """
    files = {path: _opened(path, project, rules) for path in paths}
    live = [path for path, file in files.items() if file.error is None]
    left_alone = {path: Spared(spared[path], project.source(path)) for path in live if spared.get(path)}
    for path, places in left_alone.items():
        files[path].findings = places.others(files[path].findings, project.source(path))
    # From here on the files are what was read now, whatever happens to them on disk.
    pinned = current = project.changed({path: files[path].before for path in live})
    contents: dict[Path, bytes] = {}
    done: list[_Unit] = []
    for number in range(_MAX_ROUNDS):
        # What cannot be edited as it stands is asked again in the next round: another mend may have cleared the way.
        refused: dict[_Key, _Why] = {}
        found = {path: list(files[path].findings) for path in live}
        if number:
            found = {path: _reinspected(path, current, rules, done) for path in live}
            found |= {path: places.others(found[path], current.source(path)) for path, places in left_alone.items()}
        if lines is not None:
            found = kept_findings(found, _moved(lines, pinned, current) if number else lines)
            for path in live if number == 0 else ():
                files[path].findings[:] = found[path]
        origins = _Origins(pinned, current)
        everything = _units(found, wanted, origins)
        units = [one for one in everything if not held or one.key not in held]
        units = [one for one in units if alone is None or one.key == alone]
        placed, drafts = _placed(units, current, refused)
        _note_applied(placed, files, first=number == 0)
        if not placed:
            _prove(contents, pinned, current, done, lambda one: one.rule in rules(Path(one.path)) and wanted(one))
            return _settled(files, contents, found, everything, {**held, **refused}, wanted, origins)
        done += placed
        written = _written(drafts, current, placed, left_alone)
        contents |= {path: after.data for path, after in written.items()}
        parsed = [*written.values(), *(current.source(path) for path in contents.keys() - written.keys())]
        current = pinned.changed(contents)
        for source in parsed:
            current.take_over(source)
    raise _ProofFailed("the fix does not settle: each round leaves something to mend", done)


def _moved(lines: Lines, old: Project, new: Project) -> Lines:
    """Return the lines that are named now that files have changed."""
    return {path: Moved(old.source(path).text, new.source(path).text).lines(named) for path, named in lines.items()}


def _opened(path: Path, project: Project, rules: RulesFor) -> Mended:
    inspection = inspect(path, project, rules(path), thorough=True)
    data = b"" if inspection.error else project.source(path).data
    return Mended(path, data, data, list(inspection.findings), error=inspection.error)


def _reinspected(path: Path, project: Project, rules: RulesFor, done: Sequence[_Unit]) -> list[Finding]:
    inspection = inspect(path, project, rules(path), thorough=True)
    if inspection.error is not None:
        raise _ProofFailed(f"the result would not be sound: {inspection.error}", _touching(path, done))
    return list(inspection.findings)


def _touching(path: Path, units: Iterable[_Unit]) -> Iterator[_Unit]:
    for unit in units:
        if any(finding.path == str(path) for finding in unit.findings):
            yield unit


def _units(found: Mapping[Path, Sequence[Finding]], wanted: Wanted, origins: _Origins) -> list[_Unit]:
    """Return what may be mended now; a group of which a member is missing or not wanted is left out."""
    single: list[tuple[Finding, ...]] = []
    groups: dict[tuple[str, str], list[Finding]] = {}
    for findings in found.values():
        for finding in findings:
            if finding.facts is None:
                continue
            if finding.group:
                groups.setdefault((finding.rule, finding.group), []).append(finding)
            elif wanted(finding):
                single.append((finding,))
    whole = [
        tuple(members)
        for members in groups.values()
        if len(members) == members[0].group_size and all(wanted(member) for member in members)
    ]
    return [_Unit(one, origins) for one in sorted([*single, *whole], key=lambda findings: findings[0].place)]


def _placed(
    units: Sequence[_Unit], project: Project, refused: dict[_Key, _Why]
) -> tuple[list[_Unit], dict[Path, list[Edit]]]:
    """Return the units whose edits go together in this round, and those edits by file; note why others have none."""
    placed: list[_Unit] = []
    edits: dict[Path, list[Edit]] = {}
    for unit in units:
        try:
            asked = _edits_of(unit, project)
        except Refused as refusal:
            refused[unit.key] = _Why(str(refusal))
            continue
        except Exception as error:
            what = str(error).partition("\n")[0]
            refused[unit.key] = _Why(f"the fix failed: {type(error).__name__}: {what}")
            continue
        clash = any(
            edit.conflicts(other)
            for path, asked_here in asked.items()
            for edit in asked_here
            for other in edits.get(path, ())
        )
        if not clash:
            placed.append(unit)
            for path, asked_here in asked.items():
                edits.setdefault(path, []).extend(asked_here)
    return placed, edits


def _edits_of(unit: _Unit, project: Project) -> dict[Path, list[Edit]]:
    # Only here does a run need LibCST, which takes longer to load than most runs take.
    from codemods.edit import Draft

    drafts: dict[Path, Draft] = {}
    for finding in unit.findings:
        path = Path(finding.path)
        fix = fix_for(finding.rule)
        if fix is None:
            raise Refused(f"rule {finding.rule} has no mend")
        fix(finding.facts, drafts.setdefault(path, Draft(project.source(path))))
    return {path: draft.finished() for path, draft in drafts.items()}


def _note_applied(placed: Sequence[_Unit], files: Mapping[Path, Mended], *, first: bool) -> None:
    """Mark the findings of the first look that are mended now; one that only came up later joins the list."""
    for unit in placed:
        for finding in unit.findings:
            file = files[Path(finding.path)]
            same = (
                index
                for index, known in enumerate(file.findings)
                if index not in file.applied and (known == finding if first else _alike(known, finding))
            )
            index = next(same, None)
            if index is None and (index := _known_for_a_human(finding, file)) is not None:
                file.findings[index] = finding._replace(span=file.findings[index].span)
            if index is None:
                file.findings.append(finding)
                index = len(file.findings) - 1
            file.applied.add(index)


def _known_for_a_human(finding: Finding, file: Mended) -> int | None:
    """Return which finding was for a human at first look, and can be mended now that another mend cleared the way."""
    for index, known in enumerate(file.findings):
        if index not in file.applied and known.facts is None and known.rule == finding.rule:
            if known.message.partition(";")[0] == finding.message.partition(";")[0]:
                return index
    return None


def _alike(left: Finding, right: Finding) -> bool:
    """Tell whether two findings are the same but for their place, which moves as other edits are made."""
    return (left.rule, left.fix, type(left.facts)) == (right.rule, right.fix, type(right.facts))


def _edited(source: Source, edits: list[Edit], project: Project, spared: Spared | None) -> Source:
    """Return a file once edits are made, which findings that are spared follow.

    Raises:
        Refused: an edit cannot be made without risk.
        Unreadable: the result does not parse.
    """
    if not edits:
        return source
    data = splice(source, edits)
    if spared is not None:
        spared.carry(as_made(source, edits))
    return opened(source.path, data, module=source.module, project=project.changed({source.path: data}))


def _written(
    edits: Mapping[Path, list[Edit]], project: Project, placed: Sequence[_Unit], alone: Mapping[Path, Spared]
) -> dict[Path, Source]:
    """Return the edited files as they are then, imports that the edits made needless dropped, new ones in order."""
    written: dict[Path, Source] = {}
    for path, asked in edits.items():
        before, spared = project.source(path), alone.get(path)
        try:
            after = _edited(before, asked, project, spared)
            for tidied in (needless_imports, ordered_imports, ordered_names):
                tidying = list(tidied(before, after))
                # What is moved is lost sight of.
                if spared is None or tidied is needless_imports or not spared.stands_in(tidying):
                    after = _edited(after, tidying, project, spared)
            written[path] = after
        except (Refused, Unreadable) as error:
            raise _ProofFailed(str(error), _touching(path, placed)) from None
    return written


def _prove(contents: Mapping[Path, bytes], old: Project, new: Project, done: Sequence[_Unit], applied: Wanted) -> None:
    """Have LibCST read every result, and look up in the timeline what it takes from Pipecat.

    What is no Python is read as what it is. ``applied`` tells which findings this run is to mend.
    That ``ast`` reads it and that the checks are silent, the last round has shown.
    """
    import libcst

    from codemods.verify import misread, unresolved

    for path, data in contents.items():
        before, after = old.source(path), new.source(path)
        if isinstance(before, DataFile) and isinstance(after, DataFile):
            if reason := misread(before, after):
                raise _ProofFailed(reason, _touching(path, done))
            continue
        try:
            libcst.parse_module(after.text)  # not the bytes: Python knows more encodings than LibCST
        except Exception as error:
            reason = re.sub(r"\s+", " ", str(error))
            raise _ProofFailed(f"LibCST cannot read the result: {reason}", _touching(path, done)) from None
        try:
            compile(data, str(path), "exec", flags=_flags(before), dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise _ProofFailed(f"the result does not compile: {error}", _touching(path, done)) from None
        for message, finding in unresolved(before, after):
            units = _touching(path, done)
            if finding is not None and finding.facts is not None and not applied(finding):
                raise _ProofFailed(f"waits for {finding.rule}, which is left out: {message}", units, waits=True)
            raise _ProofFailed(f"the result would not fit {new.target}: {message}", units)


def _flags(source: Source) -> int:
    """Return how a file is compiled: a notebook's cells may wait outside functions, and only where they do already."""
    try:
        compile(source.data, str(source.path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return 0


def _known_as(finding: Finding, known: Sequence[int], file: Mended, origins: _Origins) -> int | None:
    """Return which finding of the first look one of the last is: that of its place, else one that says the same."""
    alike = [index for index in known if _alike(file.findings[index], finding)]
    origin = origins.of(finding) if len(alike) > 1 else None
    here = [one for one in alike if (file.findings[one].span.line, file.findings[one].span.column) == origin]
    same = [one for one in here or alike if file.findings[one].message == finding.message]
    return next(iter(same or here or alike), None)


def _settled(
    files: Mapping[Path, Mended],
    contents: Mapping[Path, bytes],
    left: Mapping[Path, Sequence[Finding]],
    units: Sequence[_Unit],
    held: _Held,
    wanted: Wanted,
    origins: _Origins,
) -> list[Mended]:
    reasons = {id(finding): held.get(unit.key) for unit in units for finding in unit.findings} if held else {}
    for path, file in files.items():
        file.after = contents.get(path, file.before)
        known = [index for index in range(len(file.findings)) if index not in file.applied]
        # What says the same goes first, or a finding that a mend brought would take the place of another.
        said = {file.findings[index].message for index in known}
        for finding in sorted(left.get(path, ()), key=lambda finding: finding.message not in said):
            index = _known_as(finding, known, file, origins)
            if index is None:
                file.findings.append(origins.back(finding))
                index = len(file.findings) - 1
            else:
                known.remove(index)
            file.left[index] = finding
        file.applied |= set(known)  # what is no longer found went with another mend
        for finding in left.get(path, ()):
            if finding.facts is None or not wanted(finding):
                continue
            why = reasons.get(id(finding))
            if why is not None and not why.waits:
                file.refusals.append(f"line {finding.span.line}: {finding.rule}: {why.reason}")
            elif why is not None:
                file.waiting = f"line {finding.span.line}: {finding.rule} {why.reason}"
            else:
                file.waiting = "must change together with places outside this run, or ones that it leaves alone"
    return list(files.values())
