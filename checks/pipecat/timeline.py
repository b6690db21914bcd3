"""The classes of every known Pipecat release, as read from the released wheels by scripts/build_timeline.py."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TypedDict, TypeVar, cast

from checks.pipecat.releases import RELEASES, Release

ValueT = TypeVar("ValueT")


class _Data(TypedDict):
    classes: dict[str, list[tuple[int, int | None, list[str]]]]
    aliases: dict[str, list[tuple[int, int | None, str]]]


@cache
def _data() -> _Data:
    text = files("checks.pipecat").joinpath("timeline.json").read_text(encoding="utf-8")
    return cast(_Data, json.loads(text))


def canonical(name: str, release: Release) -> str:
    """Return the dotted name a class is defined under, where a package only passes it on."""
    runs = _data()["aliases"].get(name)
    return _at(runs, release) if runs else name


def bases(name: str, release: Release) -> tuple[str, ...]:
    """Return the dotted names of a class's bases.

    A class the release no longer has answers for the last release that had it: code that still names it derives from
    what it was.
    """
    runs = _data()["classes"].get(canonical(name, release))
    return tuple(_at(runs, release)) if runs else ()


def ancestors(name: str, release: Release) -> set[str]:
    """Return the dotted names of a class and of everything it derives from."""
    found: set[str] = set()
    todo = [canonical(name, release)]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += bases(one, release)
    return found


def _at(runs: list[tuple[int, int | None, ValueT]], release: Release) -> ValueT:
    index = RELEASES.index(release)
    for since, until, value in runs:
        if since <= index and (until is None or index < until):
            return value
    earlier = [value for since, _, value in runs if since <= index]
    return earlier[-1] if earlier else runs[0][2]
