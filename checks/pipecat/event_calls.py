"""What handlers of an event are called with: event_calls.tsv, written by scripts/build_events.py from released wheels.

Every release calls a handler with the object, and behind it with what its class hands on. If the handler cannot be
called so, the error goes to the log alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from checks.arguments import Change, Rewrite
from checks.pipecat import tables, timeline
from checks.pipecat.event_handlers import Function, Handler
from checks.pipecat.events import HANDLED, earlier_names, known_to, owners
from checks.pipecat.hierarchy import BASE_OBJECT
from checks.pipecat.members import is_given
from checks.pipecat.objects import Object
from checks.pipecat.overrides import parameters_behind
from checks.pipecat.releases import RELEASES, Release
from checks.source import Source
from checks.unclear import Unclear

Arguments = tuple[str, ...]
_ANY, UNNAMED = "*", "_"
_UNTOLD = ("*",)
_CALL = "_call_event_handler"
# What every handler goes through, in one release or another.
_WAYS = (*HANDLED, _CALL, "_run_task", "_run_handler")


class Mismatch(NamedTuple):
    """An event whose handlers are called with ``now``, all there is, and a handler that takes none of it.

    ``then`` is what an earlier release handed on that the handler takes, and ``since`` the release that does not any
    more; both None where no release did.
    """

    owner: str
    event: str
    now: frozenset[Arguments]
    then: Arguments | None
    since: Release | None

    @property
    def story(self) -> str:
        """What to say of it."""
        since = f" since {self.since}" if self.since else ""
        counts = " or ".join(sorted({_shown(one) for one in self.now}))
        return f"{self.owner.rpartition('.')[2]} calls handlers of {self.event} with {counts}{since}"


def _shown(arguments: Arguments) -> str:
    if not arguments:
        return "itself alone"
    if UNNAMED in arguments:
        return f"itself and {len(arguments)} argument{'s' if len(arguments) > 1 else ''}"
    return " and ".join([", ".join(["itself", *arguments[:-1]]), arguments[-1]])


@cache
def _table() -> dict[str, list[tuple[str, Arguments, int, int]]]:
    """Return by event, ``*`` for one that is not written out, the classes that call its handlers, how, and when."""
    order = {str(release): index for index, release in enumerate(RELEASES)}
    found: dict[str, list[tuple[str, Arguments, int, int]]] = {}
    for owner, event, arguments, since, until in tables.rows("event_calls.tsv"):
        names = tuple(arguments[1:-1].split(",")) if arguments != "()" else ()
        span = (order[since], order[until] if until else len(RELEASES))
        found.setdefault(event, []).append((owner, names, *span))
    return found


def _callers(event: str, release: Release) -> Iterator[tuple[str, Arguments]]:
    """Yield the classes that may call handlers of an event in a release, and with what."""
    index = RELEASES.index(release)
    for owner, names, since, until in (*_table().get(event, ()), *_table().get(_ANY, ())):
        if since <= index < until:
            yield owner, names


@cache
def handed(owner: str, event: str, release: Release, *, is_exact: bool) -> frozenset[Arguments]:
    """Return what handlers of a class's event may be called with in a release; none where it cannot be told.

    Where an object may be of a class below, what these call them with is among it; it must be called by the class too,
    since one of another package's may do so with other arguments.
    """
    line, found = timeline.lineage(owner, release), set[Arguments]()
    if not any(caller in line for caller, _ in _callers(event, release)):
        return frozenset()
    for caller, names in _callers(event, release):
        above = () if is_exact else timeline.lineage(caller, release)
        # A class that is mixed into others may be so below the owner.
        is_below = not is_exact and (line[0] in above or BASE_OBJECT not in above)
        if caller in (*line, _ANY) or is_below:
            found.add(names)
    return frozenset() if _UNTOLD in found else frozenset(found)


@cache
def _lengths(event: str, release: Release) -> frozenset[int]:
    """Return with how many arguments, the object among them, the classes that name an event call its handlers."""
    index, named = RELEASES.index(release), _table().get(event, ())
    return frozenset(1 + len(names) for _, names, since, until in named if since <= index < until)


def fits_any(event: str, handler: Handler, source: Source) -> bool:
    """Tell whether a handler can be called by every class that names its event, whichever its object's is."""
    lengths = _lengths(event, source.project.target)
    return bool(lengths) and all(handler.takes(count) for count in lengths)


def mismatch(found: Object, event: str, handler: Handler, source: Source) -> Mismatch | None:
    """Return how an event's handlers are called where a handler of an object's event cannot be called so.

    None where that is not certain, and where the object's class does not know the event.
    """
    target = source.project.target
    named = [one for one in owners(found, source) if event in (known_to(one, target) or ())]
    if len(named) != 1:
        return None
    now = handed(named[0], event, target, is_exact=found.is_exact)
    if not now or any(handler.takes(1 + len(names)) for names in now):
        return None
    if any(found.lineage.method(one) or is_given(found, named[0], one, source) for one in _WAYS):
        return None
    if _is_called_here(event, source):
        return None
    return Mismatch(named[0], event, now, *_written_for(named[0], event, handler, target))


def _written_for(owner: str, event: str, handler: Handler, target: Release) -> tuple[Arguments | None, Release | None]:
    """Return what the last release before the target handed on that a handler takes, and the release behind it."""
    names = (owner, *earlier_names(owner))
    for index in reversed(range(RELEASES.index(target))):
        there = [one for one in names if timeline.exists(one, RELEASES[index]) is True]
        for one in there:
            for arguments in sorted(handed(one, event, RELEASES[index], is_exact=True)):
                if handler.takes(1 + len(arguments)):
                    return arguments, RELEASES[index + 1]
    return None, None


def _is_called_here(event: str, source: Source) -> bool:
    """Tell whether the project may call handlers of an event itself."""
    known: dict[str, bool] = source.project.memo.setdefault("events called", {})
    if event not in known:
        known[event] = any(name in (event, _ANY) for name in _own_calls(source))
    return known[event]


def _own_calls(source: Source) -> Iterator[str]:
    for user in source.project.mentioning(_CALL):
        for node in user.named(ast.Attribute, (_CALL,)):
            match user.parent(node):
                case ast.Call(func=func, args=[ast.Constant(value=str(event)), *_]) if func is node:
                    yield event
                case _:
                    yield _ANY


def adapted(found: Mismatch, handler: Handler, source: Source) -> Rewrite:
    """Return the change that has a handler take what the target release hands on, and do with it what it did.

    Raises:
        Unclear: it was never called, something else may call it, it reads what is not handed on any more, or the
            project admits a release that hands on something else.
    """
    then, function = found.then, handler.function
    if then is None or len(found.now) != 1:
        raise Unclear("")
    (now,) = found.now
    if UNNAMED in (*then, *now) or len({*then}) != len(then) or len({*now}) != len(now):
        raise Unclear("")
    if not isinstance(function, Function) or _is_shared(handler, function, source):
        raise Unclear("it may be called for something else too")
    taken = function.args
    if taken.posonlyargs or taken.defaults or taken.vararg or len(handler.by_place) != 1 + len(then):
        raise Unclear("its own parameters are others")
    was_so, is_so = _is_handed(then, found, source), _is_handed(now, found, source)
    if now[: len(then)] == then and (was_so or is_so):
        return Rewrite((_with(now[len(then) :], "=None" if was_so else "", function, source),))
    if not is_so:
        raise Unclear(f"{source.oldest}, which the project admits, calls them otherwise")
    left_out = [at for at, name in enumerate(then) if name not in now]
    if len(left_out) != 1 or tuple(name for name in then if name in now) != now:
        raise Unclear("")
    return Rewrite((_without(1 + left_out[0], handler, function, source),))


def _is_handed(arguments: Arguments, found: Mismatch, source: Source) -> bool:
    """Tell whether the oldest release that the project admits calls handlers so."""
    oldest = source.oldest
    names = (one for one in (found.owner, *earlier_names(found.owner)) if timeline.exists(one, oldest) is True)
    return any(handed(one, found.event, oldest, is_exact=True) == frozenset([arguments]) for one in names)


def _is_shared(handler: Handler, function: Function, source: Source) -> bool:
    """Tell whether anything but the one event may call a handler."""
    if len(function.decorator_list) != (handler.given is None):
        return True
    if handler.given is None and isinstance(source.parent(function), ast.ClassDef):
        return True
    if any(one is not handler.given for one in _reads(function, source)):
        return True
    if source.names.enclosing_function(function) is not None:
        return False
    others = (user for user in source.project.mentioning(function.name) if user.path != source.path)
    return any(_may_read(function.name, user) for user in others)


def _may_read(name: str, source: Source) -> bool:
    """Tell whether a file may read a function of another one's, by its name."""
    if any(one.name == name for one in source.nodes(ast.alias)) or any(source.named(ast.Attribute, (name,))):
        return True
    return any(not source.names.bindings(one) for one in source.named(ast.Name, (name,)))


def _reads(function: Function, source: Source) -> Iterator[ast.expr]:
    """Yield where the file reads a function, or anything of a method's name."""
    if isinstance(source.parent(function), ast.ClassDef):
        yield from (one for one in source.named(ast.Attribute, (function.name,)) if isinstance(one.ctx, ast.Load))
    for name in source.named(ast.Name, (function.name,)):
        if any(one.node is function for one in source.names.bindings(name)) and isinstance(name.ctx, ast.Load):
            yield name


def _with(added: Arguments, default: str, function: Function, source: Source) -> Change:
    """Return the change that adds parameters behind the last one by place."""
    used = _names_in(function)
    if used & {*added, "locals"} or "self" in added:
        raise Unclear(f"{', '.join(added)} may mean something else in it")
    last = function.args.args[-1]
    return parameters_behind(last, [f"{name}{default}" for name in added], source)


def _without(at: int, handler: Handler, function: Function, source: Source) -> Change:
    """Return the change that takes out a parameter that is not read."""
    every, one = function.args.args, handler.by_place[at]
    inside = (part for statement in function.body for part in ast.walk(statement))
    if any(isinstance(part, ast.Name) and part.id in (one.arg, "locals") for part in inside):
        raise Unclear(f"it uses {one.arg}")
    place = every.index(one)
    is_last = one is every[-1]
    start = source.end(every[place - 1]) if is_last else source.start(one)
    end = source.end(one) if is_last else source.start(every[place + 1])
    if source.has_comment(start, end):
        raise Unclear("a comment stands among its parameters")
    return Change(source.span_between(start, end), "")


def _names_in(function: Function) -> set[str]:
    """Return every name that a function binds or uses, its parameters among them."""
    parts = [*ast.walk(function)]
    names = {part.id for part in parts if isinstance(part, ast.Name)} | {
        part.arg for part in parts if isinstance(part, ast.arg)
    }
    for part in parts:
        if isinstance(part, (ast.Global, ast.Nonlocal)):
            names.update(part.names)
        elif isinstance(part, ast.alias):
            names.add((part.asname or part.name).partition(".")[0])
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(part.name)
    return names
