"""A copy of a project in a folder of its own, for pyright to look at what is not written yet.

It holds what pyright reads: Python, settings, markers. Environments are linked to, data is left out, and nothing is
written where the project is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from checks.errors import UsageError
from checks.pyright import Diagnostic, diagnose
from checks.source import MAX_BYTES, contents

_COPIED = {".py": MAX_BYTES, ".pyi": MAX_BYTES, ".toml": 2**20, ".json": 2**16, ".typed": 2**10}
_MOST = 50_000
_LINKED = (".so", ".pyd")
_LEFT_OUT = {".git", ".hg", ".svn", "__pycache__", "node_modules"}
_ENVIRONMENTS = {".tox", ".nox", "site-packages"}


class Shadow:
    """The copy of the project at ``root``, below an empty folder."""

    def __init__(self, root: Path, folder: Path):
        self._root = root
        self._base = _settings_folder(root)
        self._folder = Path(os.path.realpath(folder))
        _copy(self._base, self._folder)

    def of(self, path: Path) -> Path:
        """Return where the copy of a file stands."""
        return self._folder / os.path.relpath(path, self._base)

    def put(self, contents: Mapping[Path, bytes]) -> None:
        """Have copies of files hold other bytes."""
        for path, data in contents.items():
            place = self.of(path)
            # A link may lead out of the copy, to what must not be written to.
            for above in reversed(place.relative_to(self._folder).parents[:-1]):
                _unlinked(self._folder / above)
            if place.is_symlink():
                place.unlink()
            place.write_bytes(data)

    def diagnose(self, files: Iterable[Path], python: str | None) -> list[Diagnostic]:
        """Return what pyright says of the copies of some files, as if it said so of the files.

        Raises:
            UsageError: there is no pyright, or it gives no report.
        """
        names = {self.of(path): path for path in files if self.of(path).is_file()}
        found = diagnose(self.of(self._root), names, python)
        return [
            one._replace(path=names[one.path], message=one.message.replace(str(self._folder), str(self._base)))
            for one in found
        ]


def _settings_folder(root: Path) -> Path:
    """Return the folder with pyright's settings for a project: its root, or one above it in the same repository."""
    repository = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    above = [folder for folder in (root, *root.parents) if folder.is_relative_to(repository)]
    for is_there in (_has_config, _has_table):
        for folder in above:
            if is_there(folder):
                return folder
    return root


def _has_config(folder: Path) -> bool:
    return (folder / "pyrightconfig.json").is_file()


def _has_table(folder: Path) -> bool:
    try:
        return b"tool.pyright" in contents(folder / "pyproject.toml")
    except OSError:
        return False


def _copy(base: Path, into: Path) -> None:
    """Copy what pyright may read.

    Raises:
        UsageError: it is more than any project has.
    """
    count = 0
    own = into.stat().st_dev, into.stat().st_ino
    todo = [base]
    while todo:
        folder = todo.pop()
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                path, copy = Path(entry.path), into / os.path.relpath(entry.path, base)
                if entry.name in _LEFT_OUT or (path.stat().st_dev, path.stat().st_ino) == own:
                    continue
                if entry.is_symlink():
                    _link(_copied_target(path, base, into), copy)
                elif entry.is_dir():
                    if _is_environment(path):
                        _link(path, copy)
                    else:
                        todo.append(path)
                elif path.suffix in _LINKED:
                    _link(path, copy)
                elif entry.is_file() and entry.stat().st_size <= _COPIED.get(path.suffix, -1):
                    count += 1
                    if count > _MOST:
                        raise UsageError(f"{base} holds more than {_MOST} files for pyright; it is no single project")
                    with suppress(OSError):
                        copy.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copyfile(path, copy)


def _copied_target(link: Path, base: Path, into: Path) -> Path:
    """Return what the copy of a link leads to: the copy of what the link leads to, or that itself outside the project.

    A link into an environment leads to what it led to: that is not copied.
    """
    target, real_base = Path(os.path.realpath(link)), Path(os.path.realpath(base))
    inside = target.is_relative_to(real_base)
    if not inside or any(_is_environment(above) for above in (target, *target.parents) if above != real_base):
        return target
    return into / target.relative_to(real_base)


def _unlinked(folder: Path) -> None:
    """Make sure that a folder is one itself; in the place of a link comes a folder of links to what is there."""
    if folder.is_symlink():
        target = Path(os.path.realpath(folder))
        folder.unlink()
        folder.mkdir()
        with suppress(OSError):
            for entry in list(target.iterdir()):
                _link(entry, folder / entry.name)
    folder.mkdir(exist_ok=True)


def _is_environment(folder: Path) -> bool:
    return folder.name in _ENVIRONMENTS or any((folder / mark).exists() for mark in ("pyvenv.cfg", "conda-meta"))


def _link(target: Path, link: Path) -> None:
    with suppress(OSError):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
