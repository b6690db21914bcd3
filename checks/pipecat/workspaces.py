"""Which release a project is pinned to that says nothing of it itself: by its workspace, or by its members."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from checks.errors import UsageError
from checks.pipecat.releases import Release, admitted_in, pinned
from checks.requirements import text_of


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
    try:
        table: Any = tomllib.loads(text)["tool"]["uv"]["workspace"]
        patterns = [one for one in cast(list[Any], table.get("members", [])) if isinstance(one, str)]
        return [member for one in patterns for member in folder.glob(one) if (member / "pyproject.toml").is_file()]
    except (tomllib.TOMLDecodeError, LookupError, TypeError, AttributeError, ValueError, NotImplementedError):
        return []
