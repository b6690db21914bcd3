"""What a human can do about a name or keyword that is gone, where nothing simply takes its place.

Each row of advice.tsv is a dotted name (of a module, it speaks for all in it; of a class or method with a keyword
behind it, for that keyword) and the end of a message. Facts from the wheels of the release that no longer has the
name, and of 1.14.0.
"""

from __future__ import annotations

from functools import cache

from checks.pipecat import tables, timeline
from checks.pipecat.releases import Release


@cache
def rows() -> dict[str, str]:
    """Return the table, by name."""
    return tables.pairs("advice.tsv")


def advice(dotted: str, release: Release) -> str | None:
    """Return what to do about a dotted name, by any name it was passed on under, or by its module's."""
    for name in (dotted, timeline.canonical(dotted, release), timeline.last_meaning(dotted, release)):
        while name:
            if name in rows():
                return rows()[name]
            name = name.rpartition(".")[0]
    return None


def advice_on_keyword(owner: str, keyword: str, release: Release) -> str | None:
    """Return what to do about a keyword of a class, its ancestors asked too."""
    names = (owner, *timeline.lineage(owner, release))
    return next((rows()[f"{name}.{keyword}"] for name in names if f"{name}.{keyword}" in rows()), None)
