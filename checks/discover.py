"""Which files a run reads: what git would track, else a walk; never a virtual environment or installed packages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = (".py", ".pyi")
_SKIPPED = {".git", ".hg", ".tox", ".nox", "__pycache__", "node_modules", "site-packages"}
_ROOT_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


def project_root(path: Path) -> Path:
    """Return the folder a file or folder belongs to.

    That is the nearest folder above with a project file or a ``.git``, else the folder its topmost package stands in.
    """
    folder = path if path.is_dir() else path.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in _ROOT_MARKERS):
            return candidate
    while (folder / "__init__.py").exists() and folder.parent != folder:
        folder = folder.parent
    return folder


def python_files(folder: Path, exclude: Iterable[str] = (), root: Path | None = None) -> list[Path]:
    """Return the Python files below a folder, sorted, ignored and installed ones left out.

    ``exclude`` holds patterns in .gitignore form, relative to ``root`` (the folder itself if none is given). Symbolic
    links are not followed: a file inside the tree is found under its own name, one outside is none of the run's
    business.
    """
    found = _listed_by_git(folder)
    if found is None:
        found = _walked(folder)
    files = (path for path in found if path.suffix in SUFFIXES and not path.is_symlink())
    kept = [path for path in files if path.is_file() and not _inside_environment(path, folder)]
    patterns = list(exclude)
    if patterns:
        import pathspec

        base = root or folder
        spec = pathspec.GitIgnoreSpec.from_lines(patterns)
        kept = [path for path in kept if not spec.match_file(path.relative_to(base).as_posix())]
    return sorted(kept)


def _listed_by_git(folder: Path) -> Iterator[Path] | None:
    if not any((above / ".git").exists() for above in (folder, *folder.parents)):
        return None
    import subprocess

    # A repository's own configuration may name a program for git to run; these settings take that away.
    command = [
        *("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
        *("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."),
    ]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, env=environment, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return (folder / os.fsdecode(name) for name in set(done.stdout.split(b"\0")) if name)


def _walked(folder: Path) -> Iterator[Path]:
    # Each folder comes with the .gitignore files above it, which outside a repository are still what its author meant.
    import pathspec

    todo: list[tuple[Path, list[tuple[Path, pathspec.GitIgnoreSpec]]]] = [(folder, [])]
    while todo:
        here, specs = todo.pop()
        ignore = here / ".gitignore"
        if ignore.is_file():
            lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
            specs = [*specs, (here, pathspec.GitIgnoreSpec.from_lines(lines))]
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = here / entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in _SKIPPED and is_folder:
                continue
            mark = "/" if is_folder else ""
            if any(spec.match_file(path.relative_to(base).as_posix() + mark) for base, spec in specs):
                continue
            if is_folder:
                if not (path / "pyvenv.cfg").exists():
                    todo.append((path, specs))
            else:
                yield path


def _inside_environment(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts[:-1]
    if not _SKIPPED.isdisjoint(parts):
        return True
    here = folder
    for part in parts:
        here = here / part
        if part in ("venv", ".venv", "env", ".env") and (here / "pyvenv.cfg").exists():
            return True
    return False
