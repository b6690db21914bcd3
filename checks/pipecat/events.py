"""Which events a class of Pipecat's knows: events.tsv, written by scripts/build_events.py from the released wheels.

A handler is kept for an event that the object's class, or one it derives from, has registered. For any other it is not:
since 0.0.68 a warning in the log is all that tells, earlier releases raise an exception. An object's events are told of
only where each class that it may be of is known: none takes handlers in a way of its own, or is another package's that
may, and nowhere in the project is such an event registered, or one whose name is not written out.

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


class UnknownEvent(NamedTuple):
    """An event that a class of Pipecat's has never known: the class, and the first later release that knows it."""

    owner: str
    event: str
    since: Release | None

    @property
    def story(self) -> str:
        """What to say of it."""
        before = f" before {self.since}" if self.since else ""
        return f"{self.owner.rpartition('.')[2]} has no event {self.event}{before}"


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
    names = (one for one in (owner, *earlier_names(owner)) if timeline.exists(one, release) is True)
    return any(event in _registered(one, release) for name in names for one in timeline.lineage(name, release))


@cache
def earlier_names(owner: str) -> tuple[str, ...]:
    """Return the other names that a class has had."""
    return tuple(predecessors(timeline.canonical(owner, NEWEST)))


def nearest(owner: str, event: str, release: Release) -> list[str]:
    """Return those events that a class knows in a release whose names are most like one it does not know."""
    import difflib

    known = sorted(known_to(owner, release) or ())
    return difflib.get_close_matches(event, known, n=_FEW, cutoff=0.6)


def gone_event(found: Object, event: str, source: Source) -> GoneEvent | None:
    """Return an event that an object's class does not know in the target release and knew before.

    None where that is not certain.
    """
    target = source.project.target
    named = _lacking(found, event, source)
    owner, last = next(((one, at) for one in named if (at := last_with(one, event, target))), ("", None))
    if last is None or _may_be_known(found, owner, event, source):
        return None
    return GoneEvent(owner, event, last)


def unknown_event(found: Object, event: str, source: Source) -> UnknownEvent | None:
    """Return an event that an object's class knows neither in the target release nor in an earlier one.

    None where that is not certain: what is only known to be of a class of Pipecat's or one below it may be of another
    package's, which may have events of its own.
    """
    target = source.project.target
    named = _lacking(found, event, source) if found.is_exact or found.lineage.own else []
    if not named or any(last_with(one, event, target) for one in named):
        return None
    if _may_be_known(found, named[0], event, source):
        return None
    later = RELEASES[RELEASES.index(target) + 1 :]
    owner, since = next(((one, at) for at in later for one in named if registers(one, event, at)), (named[0], None))
    return UnknownEvent(owner, event, since)


def _lacking(found: Object, event: str, source: Source) -> list[str]:
    """Return Pipecat's classes among the bases of an object's class where none knows an event in the target release."""
    named, target = owners(found, source), source.project.target
    return named if all(event not in (known_to(one, target) or ()) for one in named) else []


def _may_be_known(found: Object, owner: str, event: str, source: Source) -> bool:
    """Tell whether the project, or a class below an object's own, may have it know an event."""
    if any(is_given(found, owner, one, source) for one in HANDLED) or _is_registered_here(event, source):
        return True
    named = owners(found, source)
    return not found.is_exact and any(known_below(one, event, source.project.target) for one in named)


def owners(found: Object, source: Source) -> list[str]:
    """Return Pipecat's classes, as they are called in the target release, that an object's class leads to first.

    None where something else may have a say in its events: each ancestor must be known, and none may take handlers in a
    way of its own.
    """
    line, target = found.lineage, source.project.target
    if not line.is_whole or any(line.method(one) for one in HANDLED):
        return []
    outside = [_now(one, target) for one in line.outside]
    named = [one for one in outside if one.startswith("pipecat.")]
    if not all(timeline.answers_for_itself(one, target) for one in outside):
        return []
    if any(known_to(one, target) is None or not is_of_library(one, source) for one in named):
        return []
    return named if any(BASE_OBJECT in timeline.lineage(one, target) for one in named) else []


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
