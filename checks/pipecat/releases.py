"""Pipecat's releases: their order, and which one a project is pinned to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from checks.errors import shortened
from checks.requirements import Requirement, is_compiled, is_requirement_file, read, read_script, text_of


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
_IN_TOML = r'name = "pipecat[-_.]ai"\s+version = "([^"]+)"'
_LOCKS = (
    ("uv.lock", _IN_TOML),
    ("poetry.lock", _IN_TOML),
    ("pdm.lock", _IN_TOML),
    ("Pipfile.lock", r'"pipecat[-_.]ai":\s*\{[^{}]*"version":\s*"==([^"]+)"'),
)


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

    A lock file speaks first, then what pyproject.toml, setup.cfg, Pipfile, requirements and setup.py require. For a
    range it is the newest known release the range admits.
    """
    admitted = admitted_in(root)
    return admitted[-1] if admitted else None


def admitted_in(folder: Path) -> list[Release]:
    """Return the known releases that a folder's files admit, oldest first; none where they do not say which."""
    for name, form in _LOCKS:
        match = re.search(form, text_of(folder / name), re.IGNORECASE)
        if match:
            locked = _known(match[1])
            return [locked] if locked is not None else []
    for _, requirement in _required(folder):
        admitted = requirement.admitted()
        if admitted:
            return admitted
    return []


def oldest_beside(folder: Path, target: Release, *, moves: bool = True) -> Release | None:
    """Return the oldest release that code must work with, by what a folder's files require, if it works with a target.

    That is the oldest one that any of them admits beside the target, a file's extras and groups left aside where it
    says what everybody gets: they come on top of that. Who is about to move the pin, as ``moves`` tells, works with the
    target alone where none of them admits it. None where nothing there says which releases will do.
    """
    stated, begun = list[Release](), dict[Path, list[tuple[bool, Release]]]()
    for path, requirement in _required(folder):
        admitted = requirement.admitted()
        if admitted and not is_compiled(path, text_of(path)):
            stated.append(admitted[0])
            if target in admitted:
                begun.setdefault(path, []).append((requirement.is_optional, admitted[0]))
    # What is not optional comes first among these pairs.
    if not stated:
        return None
    return min((min(pairs)[1] for pairs in begun.values()), default=target if moves else min([*stated, target]))


def _required(folder: Path) -> Iterator[tuple[Path, Requirement]]:
    """Yield what a folder's files require of pipecat-ai, pyproject.toml first, each with the file it stands in.

    Of a file, what everybody gets comes before extras and groups.
    """
    listed = _names(folder)
    if "requirements" in listed:
        listed += [os.path.join("requirements", name) for name in _names(folder / "requirements")]
    lists = [folder / name for name in listed if name.endswith((".txt", ".in"))]
    stated = sorted(filter(is_requirement_file, lists), key=lambda path: (path.suffix == ".in", path))
    for path in (folder / "pyproject.toml", folder / "setup.cfg", folder / "Pipfile", *stated):
        if path.parent != folder or path.name in listed:
            found = sorted(read(path, text_of(path)), key=lambda one: one.is_optional)
            yield from ((path, one) for one in found)
    if "setup.py" not in listed:
        return
    script = folder / "setup.py"
    yield from ((script, one) for _, one in read_script(text_of(script)))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _known(text: str) -> Release | None:
    try:
        return parse(text)
    except UnknownRelease:
        return None
