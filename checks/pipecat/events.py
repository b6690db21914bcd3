"""Which events a class of Pipecat's knows: events.tsv, written by scripts/build_events.py from the released wheels.

A handler is kept for an event that the object's class, or one it derives from, has registered. For any other it is not:
since 0.0.68 a warning in the log is all that tells, earlier releases raise an exception.

Where the table says ``*`` of a class, it may know any event, and nothing is said to be missing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from checks.pipecat import tables, timeline
from checks.pipecat.hierarchy import BASE_OBJECT, is_of_library, lineage
from checks.pipecat.members import is_given
from checks.pipecat.objects import Object
from checks.pipecat.releases import NEWEST, RELEASES, Release
from checks.pipecat.renames import newest_name, predecessors
from checks.receivers import is_self_attribute
from checks.source import Source

HANDLED = ("event_handler", "add_event_handler")
_ANY = "*"
_REGISTER, _KEPT = "_register_event_handler", "_event_handlers"
_FEW = 4


class GoneEvent(NamedTuple):
    """An event that a class of Pipecat's knew: the class as it is called now, and the last release that had it."""

    owner: str
    event: str
    last: Release

    @property
    def story(self) -> str:
        """What to say of it."""
        since = RELEASES[RELEASES.index(self.last) + 1]
        return f"{self.owner.rpartition('.')[2]} has no event {self.event} since {since}"


@cache
def _table() -> dict[str, dict[str, list[tuple[int, int]]]]:
    """Return by class and event the releases, by their index, from which on and until which it is registered."""
    order = {str(release): index for index, release in enumerate(RELEASES)}
    found: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for owner, event, since, until in tables.rows("events.tsv"):
        span = (order[since], order[until] if until else len(RELEASES))
        found.setdefault(owner, {}).setdefault(event, []).append(span)
    return found


@cache
def once_lost() -> frozenset[str]:
    """Return the name of every event that some class, perhaps only under another name, has registered no more."""
    spans = ((event, until) for events in _table().values() for event, runs in events.items() for _, until in runs)
    return frozenset(event for event, until in spans if until < len(RELEASES))


@cache
def known_to(owner: str, release: Release) -> frozenset[str] | None:
    """Return the events that a class knows in a release, those of its bases among them; None if it may know others."""
    if timeline.exists(owner, release) is not True or _ANY in _registered(_ANY, release):
        return None
    names = frozenset[str]().union(*(_registered(one, release) for one in timeline.lineage(owner, release)))
    return None if _ANY in names else names


@cache
def _registered(owner: str, release: Release) -> frozenset[str]:
    """Return the events that a class itself registers in a release."""
    index = RELEASES.index(release)
    events = _table().get(owner, {}).items()
    return frozenset(event for event, runs in events if any(since <= index < until for since, until in runs))


@cache
def last_with(owner: str, event: str, release: Release) -> Release | None:
    """Return the last release before one in which a class, by any name it has had, knew an event."""
    earlier = reversed(RELEASES[: RELEASES.index(release)])
    return next((one for one in earlier if registers(owner, event, one)), None)


def registers(owner: str, event: str, release: Release) -> bool:
    """Tell whether a class, by any name it has had, or one of its bases registers an event in a release."""
    names = (one for one in (owner, *_earlier(owner)) if timeline.exists(one, release) is True)
    return any(event in _registered(one, release) for name in names for one in timeline.lineage(name, release))


@cache
def _earlier(owner: str) -> tuple[str, ...]:
    return tuple(predecessors(timeline.canonical(owner, NEWEST)))


def nearest(owner: str, event: str, release: Release) -> list[str]:
    """Return those events that a class knows in a release whose names are most like one it does not know."""
    import difflib

    known = sorted(known_to(owner, release) or ())
    return difflib.get_close_matches(event, known, n=_FEW, cutoff=0.6)


def gone_event(found: Object, event: str, source: Source) -> GoneEvent | None:
    """Return an event that an object's class does not know in the target release and knew before.

    None where that is not certain: it is where every ancestor of the class is known and none takes handlers in a way of
    its own, and nothing in the project registers such an event.
    """
    line, target = found.lineage, source.project.target
    if not line.is_whole or any(line.method(one) for one in HANDLED):
        return None
    owners = [_now(one, target) for one in line.outside]
    if not all(timeline.answers_for_itself(one, target) for one in owners):
        return None
    named = [one for one in owners if one.startswith("pipecat.")]
    for owner in named:
        known = known_to(owner, target)
        if known is None or event in known or not is_of_library(owner, source):
            return None
    owner, last = next(((one, at) for one in named if (at := last_with(one, event, target))), ("", None))
    if last is None or not any(BASE_OBJECT in timeline.lineage(one, target) for one in named):
        return None
    if any(is_given(found, owner, one, source) for one in HANDLED) or _is_registered_here(event, source):
        return None
    if not found.is_exact and any(known_below(one, event, target) for one in named):
        return None
    return GoneEvent(owner, event, last)


def _now(owner: str, target: Release) -> str:
    """Return what a class is called in a release, where it is still there or something took its place."""
    return (newest_name(owner, target) or owner) if timeline.exists(owner, target) is False else owner


@cache
def known_below(owner: str, event: str, release: Release) -> bool:
    """Tell whether a class that derives from one may know an event in a release."""
    above = timeline.canonical(owner, release)
    may = (one for one in _table() if {event, _ANY} & _registered(one, release))
    return any(above in timeline.lineage(one, release) for one in may)


def _is_registered_here(event: str, source: Source) -> bool:
    """Tell whether the project may have objects of Pipecat's know an event that Pipecat does not register."""
    known: dict[str, bool] = source.project.memo.setdefault("events registered", {})
    if event not in known:
        known[event] = any(name in (event, _ANY) for name in _own_events(source))
    return known[event]


def _own_events(source: Source) -> Iterator[str]:
    """Yield the events that the project registers for objects that may be Pipecat's, ``*`` for any."""
    for user in source.project.mentioning(_REGISTER):
        for node in user.named(ast.Attribute, (_REGISTER,)):
            yield _event_of(node, user)
    for user in source.project.mentioning(_KEPT):
        if not all(_is_of_another(node, user) for node in user.named(ast.Attribute, (_KEPT,))):
            yield _ANY


def _is_of_another(node: ast.Attribute, source: Source) -> bool:
    """Tell whether an attribute is one that a class which certainly is not of Pipecat's kind keeps itself."""
    owner = source.names.enclosing_class(node)
    if owner is None or not is_self_attribute(node, source):
        return False
    line = lineage(owner, source)
    given = (one for one in source.named(ast.Attribute, (node.attr,)) if isinstance(one.ctx, ast.Store))
    is_kept = any(source.names.enclosing_class(one) is owner for one in given)
    return is_kept and line.is_whole and BASE_OBJECT not in line.names


def _event_of(node: ast.Attribute, source: Source) -> str:
    match source.parent(node):
        case ast.Call(func=func, args=[ast.Constant(value=str(event)), *_]) if func is node:
            return event
        case _:
            return _ANY
