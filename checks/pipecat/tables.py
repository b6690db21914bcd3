"""The tables of facts that stand beside this package's modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def text(name: str) -> str:
    """Return what a file beside this module says."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def rows(name: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a table, its headings left out."""
    for line in text(name).splitlines()[1:]:
        yield line.split("\t")


def pairs(name: str) -> dict[str, str]:
    """Return a table of two columns, the second by the first."""
    found: dict[str, str] = {}
    for key, value in rows(name):
        found[key] = value
    return found
