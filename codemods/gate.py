"""The gate: what a run would change, as the real pyright sees it before and after; what makes it worse is held back.

A diagnostic is new unless one of before is left that it can be:

* of the same rule at the same place, its text untouched and its message the same but for names in quotes: a class that
  is renamed elsewhere is named otherwise in what is said of its uses;
* of the same rule and message on a line of the same text, wherever that is: the line was moved;
* of the same rule and message in lines that were edited together.

Each one of before counts once.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from checks.project import Project
from checks.pyright import Diagnostic, require_target, span_of
from checks.report import shown_path
from checks.source import Source, Span, Unreadable
from codemods.apply import Plan
from codemods.mend import Mended
from codemods.moved import Moved
from codemods.shadow import Shadow


def hold_back(plan: Plan, python: str | None = None) -> None:
    """Take out of a plan each set of files after whose change pyright would say something new, and say what.

    ``python`` is the interpreter whose packages pyright looks at, None: the one it finds itself. Nothing is written
    but in a temporary folder.

    Raises:
        UsageError: there is no pyright, it gives no report, or it does not see the Pipecat that is aimed at.
    """
    for workspace in plan.session.workspaces:
        own = set(workspace.files)
        sets = [files for files in plan.sets if any(file.changed and file.path in own for file in files)]
        if sets:
            with tempfile.TemporaryDirectory(prefix="pipecat-codemods-") as folder:
                _hold_back(sets, own, workspace.project, Shadow(workspace.project.root, Path(folder)), python)


def _hold_back(sets: list[list[Mended]], own: set[Path], project: Project, shadow: Shadow, python: str | None) -> None:
    changed = [file for files in sets for file in files if file.changed and file.path in own]
    texts = {file.path: (file.before, file.after) for file in changed}
    users = Users(project)
    looked_at = users.of(texts)
    shadow.put({path: before for path, (before, _) in texts.items()})
    before = shadow.diagnose(looked_at, python)
    require_target(before, project.changed({path: data for path, (data, _) in texts.items()}))
    while any(file.changed for files in sets for file in files):
        after = {file.path: file.after for file in changed}
        shadow.put(after)
        now = project.changed(after)
        found = shadow.diagnose(looked_at, python)
        require_target(found, now)
        old = project.changed({path: data for path, (data, _) in texts.items()})
        new = {path: list(_new_in(path, before, found, old, now)) for path in looked_at}
        if not any(new.values()):
            return
        for path, diagnostics in new.items():
            if diagnostics:
                for files in _guilty(path, [files for files in sets if any(file.changed for file in files)], users):
                    _withhold(files, path, diagnostics)


def _withhold(files: list[Mended], path: Path, diagnostics: Sequence[Diagnostic]) -> None:
    one = diagnostics[0]
    message = one.message.partition("\n")[0]
    said = f"{one.rule}: {message}" if one.rule else message
    more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
    reason = f"pyright would say of {shown_path(path)}:{one.line + 1}:{one.character + 1}: {said}{more}"
    for file in files:
        if file.changed:
            file.after, file.note = file.before, ""
            file.applied.clear()
            file.left.clear()
            file.refusals.append(reason)


def _guilty(path: Path, sets: Sequence[list[Mended]], users: Users) -> Sequence[list[Mended]]:
    """Return the sets of files by whose change a file has come to be worse.

    That is its own set; of a file that is as it was, the sets with what it imports, the nearest ones; else all of them.
    """
    for places in users.distances(path):
        near = [files for files in sets if any(file.changed and file.path in places for file in files)]
        if near:
            return near
    return sets


class Users:
    """Which files of a project import which."""

    def __init__(self, project: Project):
        self._project = project
        self._imported: dict[Path, set[Path]] = {}

    def of(self, paths: Iterable[Path]) -> list[Path]:
        """Return the Python files among some, and those that import them, directly or through others, sorted."""
        found: set[Path] = set()
        todo = [path for path in paths if path.suffix in (".py", ".pyi")]
        while todo:
            path = todo.pop()
            if path not in found:
                found.add(path)
                todo += [user for user in self._naming(path) if path in self.imported(user)]
        return sorted(found)

    def _naming(self, path: Path) -> Iterator[Path]:
        name = path.parent.name if path.stem == "__init__" else path.stem
        yield from self._project.paths_mentioning(name)
        if path.stem == "__init__":
            # What stands beside it may import from ``.``, which names nothing.
            yield from (other for other in self._project.files if other.is_relative_to(path.parent))

    def imported(self, path: Path) -> set[Path]:
        """Return the files of the project that a file imports."""
        if path not in self._imported:
            source = self._project.readable(path) if path.suffix in (".py", ".pyi") else None
            dotted = set(_imported_names(source)) if source is not None else set[str]()
            found = (self._project.find_module(name, path) for name in dotted)
            self._imported[path] = {file for file in found if file is not None}
        return self._imported[path]

    def distances(self, path: Path) -> Iterator[set[Path]]:
        """Yield a file, then the files it imports, then those they import, and so on, each file once."""
        seen: set[Path] = set()
        level = {path}
        while level:
            yield level
            seen |= level
            level = {other for one in level for other in self.imported(one)} - seen


def _imported_names(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.Import):
        for alias in node.names:
            parts = alias.name.split(".")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    for node in source.nodes(ast.ImportFrom):
        base = source.names.import_base(node)
        if base:
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


# -- comparing


class _Placed(NamedTuple):
    """A diagnostic with where it stands in its text."""

    one: Diagnostic
    span: Span
    text: str


def _new_in(
    path: Path, before: Iterable[Diagnostic], after: Iterable[Diagnostic], old: Project, new: Project
) -> list[Diagnostic]:
    try:
        sources = old.source(path), new.source(path)
    except (Unreadable, OSError):
        return []
    return new_diagnostics(
        [one for one in before if one.path == path], [one for one in after if one.path == path], *sources
    )


def new_diagnostics(
    before: Iterable[Diagnostic], after: Iterable[Diagnostic], old: Source, new: Source
) -> list[Diagnostic]:
    """Return which diagnostics of a file's new text were not there in the old one, whatever lines they are on now."""
    moved = Moved(old.text, new.text)
    known = list(_placed(before, old))
    left = list(_placed(after, new))
    tests: list[Callable[[_Placed, _Placed], bool]] = [
        lambda was, now: _stayed(was, now, moved),
        lambda was, now: _says_the_same(was, now) and was.text == now.text,
        lambda was, now: _says_the_same(was, now) and _edited_there(was, now, moved),
    ]
    for is_same in tests:
        unknown: list[_Placed] = []
        for now in left:
            match = next((was for was in known if is_same(was, now)), None)
            if match is None:
                unknown.append(now)
            else:
                known.remove(match)
        left = unknown
    return [now.one for now in left]


def _placed(diagnostics: Iterable[Diagnostic], source: Source) -> Iterator[_Placed]:
    for one in diagnostics:
        span = span_of(one, source) or Span(1, 1, 1, 1)
        yield _Placed(one, span, source.line(span.line).strip())


def _says_the_same(was: _Placed, now: _Placed) -> bool:
    return (was.one.rule, was.one.message) == (now.one.rule, now.one.message)


def _stayed(was: _Placed, now: _Placed, moved: Moved) -> bool:
    if was.one.rule != now.one.rule or _without_names(was.one) != _without_names(now.one):
        return False
    start = moved.before(now.span.line, now.span.column)
    if start != (was.span.line, was.span.column):
        return False
    lines = range(now.span.line, now.span.end_line + 1)
    size = now.span.end_column - now.span.column if len(lines) == 1 else 0
    if size > 0:
        # Each character, so that nothing was edited between the two ends.
        places = (moved.before(now.span.line, now.span.column + at) for at in range(size))
        return list(places) == [(was.span.line, was.span.column + at) for at in range(size)] and (
            was.span.end_column - was.span.column == size
        )
    return all(moved.edited(line) is None for line in lines)


def _without_names(one: Diagnostic) -> str:
    return re.sub(r'"[^"]*"', '""', one.message.partition("\n")[0])


def _edited_there(was: _Placed, now: _Placed, moved: Moved) -> bool:
    lines = range(now.span.line, now.span.end_line + 1)
    edited = [stretch for line in lines if (stretch := moved.edited(line)) is not None]
    return any(start <= was.span.end_line and was.span.line < end for start, end in edited)
