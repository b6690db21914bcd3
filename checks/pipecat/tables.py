"""The tables of facts that stand beside this package's modules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files


def rows(name: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a table, its headings left out."""
    text = files("checks.pipecat").joinpath(name).read_text(encoding="utf-8")
    for line in text.splitlines()[1:]:
        yield line.split("\t")


def pairs(name: str) -> dict[str, str]:
    """Return a table of two columns, the second by the first."""
    found: dict[str, str] = {}
    for key, value in rows(name):
        found[key] = value
    return found
