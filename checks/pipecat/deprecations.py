"""What upstream has announced to remove: deprecations.tsv, written by scripts/build_deprecations.py (facts only).

A name is dotted from its module on: ``pipecat.services.cartesia.tts.CartesiaTTSService.voice_id`` is a parameter of
that class's constructor. Of kind ``event`` are names that handlers are registered for, of kind ``file-key`` keys of a
YAML file that a module reads. ``removed_in`` is a promise; what a release really has is in the timeline, and of what
has gone already the table says since when.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from checks.pipecat import tables, timeline
from checks.pipecat.releases import Release


class Deprecation(NamedTuple):
    """One record: what is deprecated, of which kind, since when, and what upstream names in its place, if anything.

    ``gone`` is the release from which on it is not there, None for what the newest one still has.
    """

    name: str
    kind: str
    since: Release
    removed_in: str | None
    replacement: str | None
    gone: Release | None = None

    @property
    def story(self) -> str:
        """What to say of it behind its name."""
        if self.replacement is None:
            return f"is deprecated since {self.since}; nothing takes its place"
        if self.replacement == self.name.rpartition(".")[2]:
            return f"is deprecated since {self.since}; it has another place now"
        return f"is deprecated since {self.since}; upstream names {self.replacement} instead"


@cache
def _records() -> dict[tuple[str, str], Deprecation]:
    found: dict[tuple[str, str], Deprecation] = {}
    for name, kind, since, removed_in, _, replacement, gone in tables.rows("deprecations.tsv"):
        one = Deprecation(name, kind, _release(since), gone or removed_in or None, replacement or None)
        found[name, kind] = one._replace(gone=_release(gone)) if gone else one
    return found


def _release(text: str) -> Release:
    return Release(*map(int, text.split(".")))  # which need not be one that was released


def records() -> list[Deprecation]:
    """Return every record, those of what is gone by the newest release among them."""
    return list(_records().values())


def deprecation(name: str, kinds: tuple[str, ...], release: Release) -> Deprecation | None:
    """Return the record of a name, of one of these kinds, that holds in a release."""
    for kind in kinds:
        found = _records().get((name, kind))
        if found is not None and found.since <= release and (found.gone is None or release < found.gone):
            return found
    return None


def of_name(dotted: str, release: Release) -> Deprecation | None:
    """Return the record of a module or a name in one, by any of the names it is passed on under."""
    for name in (dotted, timeline.canonical(dotted, release)):
        found = deprecation(name, ("module", "class", "function", "value"), release)
        if found is not None:
            return found
    module = dotted.rpartition(".")[0]
    return deprecation(module, ("module",), release) if module else None


def of_member(owner: str, member: str, kinds: tuple[str, ...], release: Release) -> Deprecation | None:
    """Return the record of a class's method, property, parameter or event, its ancestors' included.

    An ancestor that has the member without a record ends the search: it is that one's, and not deprecated there.
    """
    for ancestor in timeline.lineage(owner, release):
        found = deprecation(f"{ancestor}.{member}", kinds, release)
        if found is not None:
            return found
        if timeline.defines(ancestor, member, release):
            return None
    return None
