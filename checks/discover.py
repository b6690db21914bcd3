"""Which files a run reads: what git would track, else a walk; never a virtual environment or installed packages."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from checks.source import contents

if TYPE_CHECKING:
    import pathspec

SUFFIXES = (".py", ".pyi")
# How the names end of what any part of the tools asks for; of others only those that may set variables.
_ENDINGS = (*SUFFIXES, ".toml", ".cfg", ".txt", ".in", ".yaml", ".yml", "Pipfile")
_SKIPPED = {".git", ".hg", ".tox", ".nox", "__pycache__", "node_modules", "site-packages"}
_ROOT_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


def project_root(path: Path) -> Path:
    """Return the folder a file or folder belongs to.

    That is the nearest folder above with a project file or a ``.git``, else the folder its topmost package stands in.
    A ``setup.py`` within a package is a module of its, not a project file.
    """
    folder = path if path.is_dir() else path.parent
    for candidate in (folder, *folder.parents):
        found = [marker for marker in _ROOT_MARKERS if (candidate / marker).exists()]
        if found and (found != ["setup.py"] or not (candidate / "__init__.py").exists()):
            return candidate
    while (folder / "__init__.py").exists() and folder.parent != folder:
        folder = folder.parent
    return folder


def is_marked(folder: Path) -> bool:
    """Tell whether a folder is told to be a project's, by a project file or a ``.git``."""
    return any((folder / marker).exists() for marker in _ROOT_MARKERS)


def is_python_file(path: Path) -> bool:
    """Tell by its name whether a file holds Python."""
    return path.suffix in SUFFIXES


def python_files(folder: Path) -> list[Path]:
    """Return the Python files below a folder, see ``files_below``."""
    return files_below(folder, is_python_file)


def all_files(folder: Path) -> list[Path]:
    """Return every file below a folder, whatever it holds, as ``files_below`` does."""
    return files_below(folder, lambda _: True, is_named=lambda _: True)


def repository(folder: Path) -> Path | None:
    """Return the nearest folder above that holds a ``.git``."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)


def files_below(
    folder: Path,
    is_wanted: Callable[[Path], bool],
    root: Path | None = None,
    unlisted: list[OSError] | None = None,
    is_named: Callable[[str], bool] | None = None,
) -> list[Path]:
    """Return the wanted files below a folder, sorted, ignored and installed ones left out.

    ``root`` is the project's (the folder itself if none is given): the .gitignore files from there on count. Symbolic
    links are not followed: a file inside the tree is found under its own name, one outside is none of the run's
    business. What keeps a folder from being listed is added to ``unlisted``. ``is_named`` tells by its name whether a
    file may be wanted.
    """
    is_named = is_named or _is_asked_for
    found = _listed_by_git(folder, is_named)
    if found is None:
        found = _walked(folder, root or folder, [] if unlisted is None else unlisted, is_named)
    return sorted(path for path in map(Path, found) if is_wanted(path))


def without(excluded: Sequence[str], files: list[Path], root: Path) -> list[Path]:
    """Return files without those that patterns, in .gitignore form relative to a root, leave out."""
    if not excluded:
        return files
    import pathspec

    spec = pathspec.GitIgnoreSpec.from_lines(excluded)
    return [path for path in files if not spec.match_file(path.relative_to(root).as_posix())]


def _is_asked_for(name: str) -> bool:
    return name.endswith(_ENDINGS) or "env" in os.path.basename(name)


def _listed_by_git(folder: Path, is_named: Callable[[str], bool]) -> Iterator[str] | None:
    if repository(folder) is None:
        return None
    from checks.git import GitFailed, git

    try:
        listed = git(folder, ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."))
    except GitFailed:
        return None
    top, installed = str(folder), dict[str, bool]()
    names = {name for name in map(os.fsdecode, filter(None, listed.split(b"\0"))) if is_named(name)}
    paths = (os.path.join(top, name) for name in names)
    return (path for path in paths if _is_regular(path) and not _installed(os.path.dirname(path), top, installed))


def _is_regular(path: str) -> bool:
    """Tell whether there is a file by a name, and not a link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


_Ignore: TypeAlias = "tuple[Path, pathspec.GitIgnoreSpec]"


def _walked(folder: Path, base: Path, unlisted: list[OSError], is_named: Callable[[str], bool]) -> Iterator[str]:
    above = [place for place in reversed(folder.parents) if place.is_relative_to(base)]
    ignores = [ignore for place in above if (ignore := _ignore_of(place)) is not None]
    todo: list[tuple[str, list[_Ignore]]] = [(str(folder), ignores)]
    while todo:
        here, ignores = todo.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            unlisted.append(error)
            continue
        own = _ignore_of(Path(here)) if any(entry.name == ".gitignore" for entry in entries) else None
        ignores = [*ignores, own] if own is not None else ignores
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder:
                is_wanted = entry.name not in _SKIPPED
            else:
                is_wanted = is_named(entry.name) and entry.is_file(follow_symlinks=False)
            if not is_wanted or (ignores and _is_ignored(Path(entry.path), is_folder, ignores)):
                continue
            if not is_folder:
                yield entry.path
            elif not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
                todo.append((entry.path, ignores))


def _ignore_of(folder: Path) -> _Ignore | None:
    try:
        lines = contents(folder / ".gitignore").decode(errors="replace").splitlines()
    except OSError:
        return None
    import pathspec

    return folder, pathspec.GitIgnoreSpec.from_lines(lines)


def _is_ignored(path: Path, is_folder: bool, ignores: Sequence[_Ignore]) -> bool:
    """Tell whether .gitignore files leave a path out; the one furthest down that speaks of it decides."""
    for base, spec in reversed(ignores):
        name = path.relative_to(base).as_posix() + ("/" if is_folder else "")
        verdict = spec.check_file(name).include
        if verdict is not None:
            return verdict
    return False


def is_installed(folder: Path, top: Path) -> bool:
    """Tell whether a folder lies, below another, in an environment or among installed packages."""
    return _installed(str(folder), str(top), {})


def _installed(folder: str, top: str, known: dict[str, bool]) -> bool:
    """Tell whether a folder, up to the one a search began at, lies in an environment or among installed packages."""
    if folder not in known:
        above, name = os.path.split(folder)
        known[folder] = folder != top and (
            name in _SKIPPED
            or os.path.exists(os.path.join(folder, "pyvenv.cfg"))
            or (above != folder and _installed(above, top, known))
        )
    return known[folder]
