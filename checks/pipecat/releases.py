"""Pipecat's releases: their order, and which one a project is pinned to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from checks.errors import shortened
from checks.requirements import Requirement, read, text_of


class Release(NamedTuple):
    """One release, ordered as releases are."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))


# Written by scripts/build_timeline.py, in order of release.
RELEASES = tuple(
    Release(*map(int, line.split(".")))
    for line in Path(__file__).with_name("releases.txt").read_text(encoding="ascii").split()
)
NEWEST = RELEASES[-1]


class UnknownRelease(ValueError):
    """A release that is not known; the message names the nearest one."""


def parse(text: str) -> Release:
    """Return the release a text names; ``1.2`` is ``1.2.0``.

    Raises:
        UnknownRelease: no such release is known.
    """
    parts = text.strip().removeprefix("v").split(".")
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    release = Release(*[*numbers, 0, 0, 0][:3])
    if not 1 <= len(numbers) <= 3 or release not in RELEASES:
        text = shortened(text)
        raise UnknownRelease(f"unknown pipecat-ai release {text!r}; the nearest is {_nearest(text, numbers)}")
    return release


def _nearest(text: str, numbers: list[int]) -> Release:
    if not 1 <= len(numbers) <= 3:
        import difflib

        names = [str(release) for release in RELEASES]
        close = difflib.get_close_matches(text, names, n=1, cutoff=0.0)
        return RELEASES[names.index(close[0])] if close else NEWEST
    wanted = tuple([*numbers, 0, 0, 0][:3])
    return min(RELEASES, key=lambda r: [abs(a - b) for a, b in zip(r, wanted, strict=True)])


def pinned(root: Path) -> Release | None:
    """Return the release a project is pinned to, or None where nothing pins it.

    A lock file speaks first, then requirement lines in pyproject.toml and requirements*.txt. For a range it is the
    newest known release the range admits.
    """
    for name in ("uv.lock", "poetry.lock", "pdm.lock"):
        match = re.search(r'name = "pipecat[-_.]ai"\s+version = "([^"]+)"', text_of(root / name), re.IGNORECASE)
        if match:
            return _known(match[1])
    for requirement in _required(root):
        admitted = requirement.admitted()
        if admitted:
            return admitted[-1]
    return None


def oldest_beside(root: Path, target: Release) -> Release:
    """Return the oldest release a project must work with if it works with the target.

    That is the oldest one its requirement admits, if that admits the target too; who is about to move the pin works
    with the target alone.
    """
    for requirement in _required(root):
        admitted = requirement.admitted()
        if target in admitted:
            return admitted[0]
    return target


def _required(root: Path) -> Iterator[Requirement]:
    """Yield what a project requires of pipecat-ai in its files, pyproject.toml first."""
    for path in (root / "pyproject.toml", *sorted(root.glob("requirements*.txt"))):
        yield from read(path, text_of(path))


def _known(text: str) -> Release | None:
    try:
        return parse(text)
    except UnknownRelease:
        return None
