"""``--raise-pin``: the requirement of pipecat-ai moves to the target, in the same change as the code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from checks.datafile import Written
from checks.errors import UsageError
from checks.pipecat.releases import Release
from checks.report import shown_path
from checks.requirements import Requirement, RequirementFile, is_compiled, read_script, text_of
from checks.session import Session, Workspace
from checks.source import Unreadable
from codemods.splice import Edit, splice

_CLAUSE = re.compile(r"(\s*)(===|==|~=|!=|<=|>=|<|>|\^|~|)(\s*)(v?\d[^\s,]*?)(\.\*)?(\s*)")
_LOCKS = {
    "uv.lock": "uv lock",
    "poetry.lock": "poetry lock",
    "pdm.lock": "pdm lock",
    "Pipfile.lock": "pipenv lock",
}


class CannotRaise(Exception):
    """A requirement that cannot be moved to a release; the message says why in one line."""


class Raised(NamedTuple):
    """A file's bytes before and after its requirements moved; ``note`` says what became of them."""

    before: bytes
    after: bytes
    note: str


def raise_pins(session: Session) -> dict[Path, Raised]:
    """Move what the projects of a session require to their targets, and have the session go on from there.

    Returns the files that change. Each project's oldest release is its target from now on.

    Raises:
        UsageError: a requirement cannot be moved, or a project has none among the files of the session.
    """
    found: dict[Path, Raised] = {}
    for workspace in session.workspaces:
        here = dict(_raised_in(workspace))
        aimed = workspace.project.aimed_at(workspace.project.target)
        workspace.project = aimed.changed({path: raised.after for path, raised in here.items()})
        found |= here
    return found


def _raised_in(workspace: Workspace) -> Iterator[tuple[Path, Raised]]:
    sources: list[RequirementFile] = []
    for path in workspace.files:
        try:
            source = workspace.project.source(path)
        except (Unreadable, OSError):
            continue  # the run says so
        if isinstance(source, RequirementFile):
            sources.append(source)
    stated = [one for source in sources for one in source.requirements if one.specifier is not None]
    target = workspace.project.target
    is_scripted = _is_in_scripts(workspace.files, target)
    if not stated and not is_scripted:
        where = shown_path(workspace.project.root)
        raise UsageError(
            f"--raise-pin: no file given requires pipecat-ai by release; give the project's folder, {where}"
        )
    # One that takes any release leaves it to another to say which.
    pins = [one for one in stated if one.standard] or ([] if is_scripted else stated)
    for source in sources:
        edits: list[Edit] = []
        for one in source.requirements:
            if one in pins and one.specifier is not None:
                new = _new(one, one.specifier, source, target)
                if new != one.specifier.text:
                    edits.append(Edit(one.specifier.start, one.specifier.end, new))
        if edits:
            yield source.path, Raised(source.data, splice(source, edits), f"raised pipecat-ai to {target}")


def _is_in_scripts(files: Sequence[Path], target: Release) -> bool:
    """Tell whether a setup.py among some files requires a release; it has to be the target by then.

    Raises:
        UsageError: it is another one, and a script is not written.
    """
    found = False
    for path in files:
        # Within a package it is a module of its.
        if path.name != "setup.py" or (path.parent / "__init__.py").exists():
            continue
        for line, one in read_script(text_of(path)):
            found = found or bool(one.standard)
            if one.standard and one.admitted()[:1] != [target]:
                place = f"{shown_path(path)}:{line}: --raise-pin: {one.whole.text!r}"
                raise UsageError(f"{place} stands in a script: raise it to {target} by hand first")
    return found


def _new(one: Requirement, specifier: Written, source: RequirementFile, target: Release) -> str:
    """Return the specifier that begins with the target.

    Raises:
        UsageError: there is none.
    """
    try:
        new = raised(specifier.text, target, is_poetrys=one.is_poetrys)
        moved = one._replace(specifier=specifier._replace(text=new)).admitted()
        if moved[:1] != [target]:
            raise CannotRaise(f"cannot be raised to {target}")
        if new != specifier.text and one.has_options:
            raise CannotRaise("has options behind it, as the hashes of the old release: let your tool write it")
    except CannotRaise as error:
        place = f"{shown_path(source.path)}:{source.place(one.whole).line}"
        raise UsageError(f"{place}: --raise-pin: {one.whole.text!r} {error}") from None
    return new


def raised(text: str, target: Release, *, is_poetrys: bool = False) -> str:
    """Return a specifier moved to a release: pinned to it, or with it as the lower bound; what else it says stays.

    Raises:
        CannotRaise: a bound of it excludes the release, or it cannot be read.
    """
    if not text.strip() or (is_poetrys and text.strip() == "*"):
        return f">={target}"
    clauses = [_clause(clause, target, is_poetrys=is_poetrys) for clause in text.split(",")]
    parts = [new for new, _ in clauses]
    if not any(begins for _, begins in clauses):
        parts.insert(0, f">={target}")
    return ",".join(parts)


def _clause(clause: str, target: Release, *, is_poetrys: bool) -> tuple[str, bool]:
    """Return one clause moved to a release, and whether it lets nothing earlier in."""
    match = _CLAUSE.fullmatch(clause)
    if match is None or (match[2] in ("", "^", "~") and not is_poetrys):
        raise CannotRaise("cannot be read")
    before, sign, gap, version, wildcard, behind = match.groups()
    numbers = [int(one) for one in re.findall(r"\d+", version)]
    if sign in (">=", ">", "==", "===", "") and not wildcard:
        if numbers > list(target) or (sign == ">" and numbers == list(target)):
            raise CannotRaise(f"asks for a later release than {target}")
        new = version if _is(numbers, target) else str(target)
        return f"{before}{'>=' if sign == '>' else sign}{gap}{new}{behind}", True
    if not _admits(clause, target, is_poetrys=is_poetrys):
        raise CannotRaise(f"excludes {target}: change that bound first")
    if sign in ("^", "~", "~="):
        if len(numbers) == 1:
            sign = "^"
        is_short = len(numbers) < 3 and (sign == "~=" or not target.patch)
        new = ".".join(map(str, target[:2])) if is_short else str(target)
        return f"{before}{sign}{gap}{new}{behind}", not is_short or not target.patch
    return clause, False


def _is(numbers: Sequence[int], target: Release) -> bool:
    return [*numbers, 0, 0][:3] == list(target)


def _admits(clause: str, target: Release, *, is_poetrys: bool) -> bool:
    nowhere = Written(clause, 0, 0)
    return target in Requirement(nowhere, (), nowhere, is_poetrys=is_poetrys).admitted()


def to_refresh(session: Session) -> Iterator[tuple[Path, str]]:
    """Yield the files that tools write from the requirements, and how each is written anew."""
    for root in {workspace.project.root: None for workspace in session.workspaces}:
        for name, command in _LOCKS.items():
            if re.search(r"pipecat[-_.]ai\b", text_of(root / name), re.IGNORECASE):
                yield root / name, f"`{command}`"
        for path in sorted(root.glob("*requirements*.txt")):
            text = text_of(path)
            if is_compiled(path, text) and re.search(r"pipecat[-_.]ai\b", text, re.IGNORECASE):
                yield path, "the command it names"
