"""Which release a project is pinned to that says nothing of it itself: by its workspace, or by its members."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from checks.discover import is_installed, is_python_file
from checks.errors import UsageError
from checks.pipecat.releases import Release, admitted_in, pinned
from checks.requirements import is_requirement_file, text_of

if TYPE_CHECKING:
    from checks.project import Project


def pinned_around(root: Path) -> Release | None:
    """Return the release a project is pinned to, by its own files or else by those above it in its repository.

    A workspace of uv's above it that has no lock file speaks by its members.

    Raises:
        UsageError: the members of the workspace have no release in common.
    """
    for folder in _within_repository(root):
        release = pinned(folder)
        if release is None and folder != root:
            release = shared(_members(folder), folder)
        if release is not None:
            return release
    return None


def around(root: Path) -> list[Path]:
    """Return the folders that say what comes with a project which says nothing itself.

    It is the nearest above it in its repository that does, or the members of a workspace above it; none beside what its
    own files, a lock file too, say.
    """
    if admitted_in(root):
        return []
    for folder in list(_within_repository(root))[1:]:
        if admitted_in(folder):
            return [folder]
        if found := [one for one in _members(folder) if admitted_in(one)]:
            return sorted(set(found))
    return []


def shared(folders: Iterable[Path], root: Path) -> Release | None:
    """Return the newest release that all folders below a root admit, None where none of them says which it does.

    Raises:
        UsageError: there is none.
    """
    stated = [(folder, admitted) for folder in sorted(set(folders)) if (admitted := admitted_in(folder))]
    common = [one for one in stated[0][1] if all(one in admitted for _, admitted in stated)] if stated else []
    if stated and not common:
        names = ((folder.relative_to(root).as_posix(), admitted[-1]) for folder, admitted in _apart(stated))
        told = " and ".join(f"{name} takes {release}" for name, release in names)
        raise UsageError(f"no release of pipecat-ai serves all of {root}: {told}; name one with --target")
    return common[-1] if common else None


def stated_for(path: Path) -> Path:
    """Return the folder that a file of requirements speaks for."""
    return path.parent.parent if path.parent.name == "requirements" else path.parent


def speaking(project: Project, files: Sequence[Path]) -> list[Path]:
    """Return the members of a project to ask which release some files are for.

    They are the nearest above the code that mentions Pipecat: what documentation is built with, or an example that is
    not among the files, does not count beside them. Code that has none above it may come with any. Where no code
    mentions it, those are asked whose requirements are among the files.
    """
    if len(project.members) < 2:
        return project.members
    known: dict[Path, Path | None] = {}
    owned: dict[Path | None, list[Path]] = defaultdict(list)
    for path in filter(is_python_file, files):
        folder = path.parent
        if folder not in known:
            known[folder] = next((one for one in (folder, *folder.parents) if one in project.members), None)
        owned[known[folder]].append(path)
    found = [one for one in project.members if _is_mentioned(owned.get(one, ()), project)]
    if found:
        return found
    if _is_mentioned(owned.get(None, ()), project):
        return project.members
    stated = {stated_for(path) for path in files if is_requirement_file(path)}
    return [one for one in project.members if one in stated]


def _is_mentioned(files: Iterable[Path], project: Project) -> bool:
    """Tell whether any of some files mentions Pipecat."""
    for path in files:
        with suppress(OSError):
            if b"pipecat" in project.read(path):
                return True
    return False


def _apart(stated: list[tuple[Path, list[Release]]]) -> list[tuple[Path, list[Release]]]:
    """Return two of some folders that have no release in common; all of them where each two have."""
    for at, one in enumerate(stated):
        for other in stated[at + 1 :]:
            if set(one[1]).isdisjoint(other[1]):
                return [one, other]
    return stated


def _within_repository(root: Path) -> Iterator[Path]:
    """Yield a folder and those above it, up to the one that holds the repository or the workspace; else it alone."""
    above = [root, *root.parents]
    top = next((at for at, folder in enumerate(above) if (folder / ".git").exists() or _members(folder)), 0)
    yield from above[: top + 1]


def _members(folder: Path) -> list[Path]:
    """Return the folders of the members of uv's workspace in a folder."""
    text = text_of(folder / "pyproject.toml")
    if "workspace" not in text:
        return []
    import tomllib

    try:
        table: Any = tomllib.loads(text)["tool"]["uv"]["workspace"]
        left_out = set(_matching(table.get("exclude", []), folder))
        return [one for one in _matching(table.get("members", []), folder) if one not in left_out]
    except (tomllib.TOMLDecodeError, LookupError, TypeError, AttributeError, ValueError, NotImplementedError, OSError):
        return []


def _matching(patterns: Any, folder: Path) -> Iterator[Path]:
    """Yield the folders that patterns name, below a folder, environments and what is installed in them left out."""
    for pattern in (one for one in cast(list[Any], patterns) if isinstance(one, str)):
        for found in folder.glob(pattern):
            if os.path.isdir(found) and not is_installed(found, folder):
                yield found
