"""The real pyright: run over files, its report read, and each of its diagnostics placed in the text it is of.

The form of a report is that of ``pyright --outputjson`` (1.1.400 to 1.1.414): lines and columns count from 0, columns
in UTF-16 code units, a byte order mark among them.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from checks.errors import UsageError
from checks.source import Source, Span

if TYPE_CHECKING:
    from checks.project import Project
    from checks.session import Session

# More files than this are not named one by one, lest the command line grow too long.
_MOST_NAMED = 2000
_UNRESOLVED = re.compile(r'Import "(?P<module>[\w.]+)" could not be resolved')


class Diagnostic(NamedTuple):
    """One thing pyright objects to, in its own terms; ``rule`` is empty for what no rule of its stands for."""

    path: Path
    line: int
    character: int
    end_line: int
    end_character: int
    rule: str
    message: str

    def __str__(self) -> str:
        """What is said of it on one line."""
        message = " ".join(self.message.split())
        return f"{self.rule}: {message}" if self.rule else message


def command(python: str | None = None) -> list[str]:
    """Return how pyright is started; ``python``: the interpreter whose packages it is to look at.

    Raises:
        UsageError: there is no pyright.
    """
    try:
        version("pyright")
        # -P: what lies in the current folder is the user's code, and is not to be run.
        start = [sys.executable, "-P", "-m", "pyright"]
    except PackageNotFoundError:
        found = shutil.which("pyright")
        if found is None:
            raise UsageError("there is no pyright: install it beside this tool, or put it on PATH") from None
        start = [found]
    if python is None:
        return start
    place = shutil.which(python)
    if place is None:
        raise UsageError(f"--pyright-python {python}: there is no such program")
    return [*start, "--pythonpath", os.path.abspath(place)]


def diagnose(root: Path, files: Iterable[Path], python: str | None = None) -> list[Diagnostic]:
    """Return what pyright says of some files below a folder, sorted, with the settings that it finds there.

    What its settings exclude it does not look at. Errors and warnings count.

    Raises:
        UsageError: there is no pyright, or it gives no report.
    """
    by_real = {os.path.realpath(path): path for path in files}
    if not by_real:
        return []
    names = [os.path.join(".", os.path.relpath(path, root)) for path in by_real.values()]
    start = [*command(python), "--outputjson"]
    try:
        done = subprocess.run(
            [*start, *(names if len(names) <= _MOST_NAMED else ["."])],
            cwd=root,
            env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", **os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except OSError as error:
        raise UsageError(f"pyright cannot be started: {error.strerror or error}") from None
    said = (done.stderr + b"\n" + done.stdout).decode(errors="replace").strip()
    if done.returncode not in (0, 1):
        raise UsageError(f"pyright failed in {root}: {_last_line(said)}")
    if b"No source files found" in done.stdout + done.stderr:
        return []
    found = read(done.stdout, f"what pyright says in {root}")
    mine = ((by_real.get(os.path.realpath(one.path)), one) for one in found)
    return sorted(_at(path, one) for path, one in mine if path is not None)


def _at(path: Path, one: Diagnostic) -> Diagnostic:
    return Diagnostic(path, one.line, one.character, one.end_line, one.end_character, one.rule, one.message)


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and line[0] not in '{}[]" ']
    return lines[-1] if lines else "it says nothing"


# -- reading a report


def read(data: bytes, name: str) -> list[Diagnostic]:
    """Return the errors and warnings of a report, paths as they stand in it; ``name`` is what the report is called.

    Raises:
        UsageError: it is no report of pyright's, or not a whole one.
    """
    # What a package manager or the wrapper of pyright's has to say may stand before it.
    begin = re.search(rb"^\s*\{", data, re.MULTILINE)
    try:
        report: Any = json.loads(data[begin.start() :] if begin is not None and data[:1].isascii() else data)
    except (ValueError, RecursionError) as error:
        reason = str(error) if data.strip() else "it is empty"
        raise UsageError(f"{name} is not a whole report of pyright --outputjson: {reason}") from None
    try:
        entries = report["generalDiagnostics"]
        if not isinstance(entries, list):
            raise TypeError
        return [_read_one(entry) for entry in cast(list[Any], entries) if entry["severity"] in ("error", "warning")]
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{name} is not a report of pyright --outputjson") from None


def _read_one(entry: Any) -> Diagnostic:
    # Some versions give no range where a whole file is meant.
    span: Any = entry.get("range") or {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    numbers = [span[edge][what] for edge in ("start", "end") for what in ("line", "character")]
    texts = [entry["file"], entry.get("rule", ""), entry["message"]]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError
    if not all(isinstance(text, str) for text in texts):
        raise ValueError
    line, character, end_line, end_character = numbers
    return Diagnostic(Path(texts[0]), line, character, end_line, end_character, texts[1], texts[2])


# -- placing what it says


def span_of(one: Diagnostic, source: Source) -> Span | None:
    """Return where a diagnostic stands in a file's text; None where the text is too short for it."""
    if one.end_line >= source.line_count or one.line > one.end_line:
        return None
    start = _column(one.line, one.character, source)
    end = _column(one.end_line, one.end_character, source)
    return Span(one.line + 1, start, one.end_line + 1, end)


def lines_of(one: Diagnostic, source: Source) -> range:
    """Return the lines, from 1, that a diagnostic is of; of an import all lines of the statement."""
    span = span_of(one, source)
    if span is None:
        return range(0)
    for node in source.nodes(ast.Import, ast.ImportFrom):
        around = source.span(node)
        if around.line <= span.line and span.end_line <= around.end_line:
            return range(around.line, around.end_line + 1)
    return range(span.line, span.end_line + 1)


def _column(line: int, units: int, source: Source) -> int:
    text = source.line(line + 1)
    if line == 0 and source.data.startswith(b"\xef\xbb\xbf"):
        units = max(0, units - 1)
    column = 1
    for char in text:
        if units <= 0:
            break
        units -= 2 if ord(char) > 0xFFFF else 1
        column += 1
    return column


# -- a whole run


def look(session: Session, python: str | None) -> None:
    """Have pyright look at the files of a session that name Pipecat, for the rules to join with what they find.

    Raises:
        UsageError: there is no pyright, it gives no report, or it does not see the Pipecat that is aimed at.
    """
    for workspace in session.workspaces:
        project = workspace.project
        files = [path for path in workspace.files if _names_pipecat(path, project)]
        found = diagnose(project.root, files, python)
        require_target(found, project)
        project.diagnostics = {}
        for one in found:
            project.diagnostics.setdefault(one.path, []).append(one)


def _names_pipecat(path: Path, project: Project) -> bool:
    from checks.discover import is_python_file

    try:
        return is_python_file(path) and path.is_file() and b"pipecat" in project.read(path)
    except OSError:
        return False


def require_target(found: Sequence[Diagnostic], project: Project) -> None:
    """Hold that pyright sees the Pipecat release a project aims at, as far as its diagnostics tell.

    Raises:
        UsageError: it does not find a module which that release has.
    """
    for module, path in _unseen(found, project):
        where = os.path.relpath(path, project.root)
        raise UsageError(
            f"pyright does not see pipecat-ai {project.target}: it does not find {module}, imported in {where}; "
            "install that release where pyright looks, or name its Python with --pyright-python"
        )


def _unseen(found: Iterable[Diagnostic], project: Project) -> Iterator[tuple[str, Path]]:
    from checks.pipecat.reported import is_guarded
    from checks.pipecat.timeline import exists_module

    for one in found:
        match = _UNRESOLVED.match(one.message) if one.rule == "reportMissingImports" else None
        module = match["module"] if match is not None else ""
        if (module != "pipecat" and not module.startswith("pipecat.")) or project.find_module("pipecat", one.path):
            continue
        source = project.readable(one.path)
        if source is not None and exists_module(module, project.target) and not is_guarded(one, source):
            yield module, one.path
