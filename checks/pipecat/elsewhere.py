"""What beside a project's code may read an environment variable, or set the one that takes its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from checks.baseline import HEADER
from checks.discover import all_files, is_python_file, repository
from checks.project import MORE, Project
from checks.source import Source, Unreadable
from checks.variables import VariableFile, is_variable_file

_FOR_PEOPLE = (".md", ".rst", ".txt")
# What begins a file of findings that are known, which names what they are about.
_BASELINE = f'{{"{HEADER}"'.encode()
# Parts of the names of files that say what could be set, and are not read.
_EXAMPLES = ("default", "dist", "example", "sample", "template")


def named_by(source: Source, name: str) -> str | None:
    """Return what names a variable besides code of the project and what sets it: a script, a compose file, a client.

    All of the repository is searched. What people read says nothing.
    """
    project = source.project
    if isinstance(source, VariableFile) and _refers(source.data, name):
        return source.path.name
    for path, data in _holding(source, name):
        if is_variable_file(path):
            is_meant = path != source.path and _refers(data, name)
        else:
            is_meant = path.suffix not in _FOR_PEOPLE and not (is_python_file(path) and path in project.files)
        if is_meant:
            return path.name
    return None


def set_beside(source: Source, name: str) -> str | None:
    """Return which file beside one sets a variable, and may be read together with it."""
    for path, data in _holding(source, name):
        if path.parent == source.path.parent and path != source.path and is_variable_file(path):
            with suppress(Unreadable):
                file = VariableFile(path, data, module="", project=source.project)
                if not _is_example(path) and any(one.text == name for one in file.variables):
                    return path.name
    return None


def piece_of(name: str, project: Project) -> str | None:
    """Return which file holds a piece of a variable's name, by which it may be put together or looked for."""
    words = name.split("_")
    heads = "|".join("_".join(words[:count]) for count in range(1, len(words)))
    pattern = rf"""[\"'](?:(?i:(?:{heads})_|{"_".join(words[1:])})|{heads})[\"'{{]"""
    return next((user.path.name for user in project.matching(re.compile(pattern.encode()))), None)


def _is_example(path: Path) -> bool:
    return any(part in _EXAMPLES for part in path.name.split("."))


def _refers(data: bytes, name: str) -> bool:
    """Tell whether a value is made of that of a variable, as ``${NAME}`` or ``$NAME``."""
    return re.search(rb"\$\{?" + name.encode() + rb"\b", data) is not None


def _holding(source: Source, name: str) -> Iterator[tuple[Path, bytes]]:
    """Yield the files of a repository, and all beside one, that can be read and hold a name."""
    project = source.project
    project.sought.add(MORE)
    known: dict[str, list[tuple[Path, bytes]]] = project.memo.setdefault("files that hold a variable", {})
    if name not in known:
        top = repository(project.root) or project.root
        known[name] = list(_with(name, [*all_files(top), *project.root.iterdir()], project))
    yield from known[name]
    if source.path.parent != project.root:
        yield from _with(name, source.path.parent.iterdir(), project)


def _with(name: str, paths: Iterable[Path], project: Project) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(set(paths)):
        with suppress(OSError):
            data = project.read(path)
            if name.encode() in data and not data.startswith(_BASELINE):
                yield path, data
