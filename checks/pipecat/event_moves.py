"""Handlers of an event that is gone, where another one comes with the same arguments.

Each row of event_moves.tsv is a class, its event, the one that comes now, and the release from which on it does; where
it comes more often, also of which class the frame is, the last argument, when the old one came. Facts of the wheels:

* 0.0.86 to 0.0.108 call a task's handlers of both, one behind the other and with the same frame; later releases those
  of the new one, in the same places.
* 0.0.67 calls handlers of ``on_client_closed`` when a connection is closed, 0.0.68 and later ones, in the same place,
  those of ``on_client_disconnected``, and these only there.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import NamedTuple

from checks.arguments import Change, Rewrite
from checks.guards import same
from checks.pipecat import tables, timeline
from checks.pipecat.event_handlers import Event, Function
from checks.pipecat.events import GoneEvent
from checks.pipecat.releases import Release, parse
from checks.pipecat.renames import predecessors
from checks.source import Source
from checks.unclear import Unclear


class Move(NamedTuple):
    """The event that took another one's place, since when, and the class of the frame it must come with, if any."""

    event: str
    since: Release
    frame: str


@cache
def rows() -> dict[tuple[str, str], Move]:
    """Return the table, by class and event."""
    table = tables.rows("event_moves.tsv")
    return {(owner, event): Move(new, parse(since), frame) for owner, event, new, since, frame in table}


def move_of(gone: GoneEvent, release: Release) -> Move | None:
    """Return what took an event's place."""
    known = timeline.lineage(gone.owner, release)
    names = [*known, *(old for one in known for old in predecessors(one))]
    return next((rows()[name, gone.event] for name in names if (name, gone.event) in rows()), None)


def handed_on(old: Event, move: Move, source: Source) -> Rewrite:
    """Return the changes that have a handler take the new event, and only for the frame that the old one came with.

    Raises:
        Unclear: the handler is not seen through, or the project admits a release in which the new event is another one.
    """
    if source.oldest < move.since:
        raise Unclear(f"not for the same in {source.oldest}, which the project admits")
    if old.name not in source.segment(old.at):
        raise Unclear("the old one's name is written in an odd way")
    named = Change(source.span(old.at), source.segment(old.at).replace(old.name, move.event))
    function = source.parent(old.call)
    if isinstance(function, Function) and function.decorator_list == [old.call]:
        if isinstance(source.parent(function), ast.ClassDef) or _is_read(function, source):
            raise Unclear(f"{function.name} may be called for something else too")
        guard = (_only_for(move.frame, function, source),) if move.frame else ()
        return Rewrite((named, *guard), imports=(move.frame,) if move.frame else ())
    if move.frame:
        raise Unclear("with other frames too, and no function is decorated with this event alone")
    if isinstance(function, Function) or _is_given_to(move.event, old.call, source):
        raise Unclear("its handler may be given that already")
    return Rewrite((named,))


def _is_given_to(event: str, call: ast.Call, source: Source) -> bool:
    """Tell whether an event that a file names may have the handler already that a call gives to another."""
    if len(call.args) != 2 or call.keywords:
        return True
    named = (source.parent(one) for one in source.nodes(ast.Constant) if one.value == event)
    return any(same(part, call.args[1]) for given in named if isinstance(given, ast.Call) for part in given.args)


def _only_for(frame: str, function: Function, source: Source) -> Change:
    """Return the change that has a handler leave at once where it gets another frame."""
    arguments = function.args
    taken = [*arguments.posonlyargs, *arguments.args]
    if len(taken) < 2:
        raise Unclear("its handler takes no frame")
    returned = function.returns
    if returned is not None and not (isinstance(returned, ast.Constant) and returned.value is None):
        raise Unclear("its handler returns something")
    if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(function)):
        raise Unclear("its handler yields")
    leaf = frame.rpartition(".")[2]
    if leaf in source.names.table(function):
        raise Unclear(f"{leaf} means something of its own there")
    first = function.body[1] if ast.get_docstring(function) is not None and len(function.body) > 1 else function.body[0]
    if not source.begins_line(first):
        raise Unclear("its handler is written on one line")
    at = source.line_start(_behind(function, first, source))
    indent = source.text[source.line_start(source.span(first).line) : source.start(first)]
    step = source.step(source.span(first).line)
    text = f"{indent}if not isinstance({taken[1].arg}, {leaf}):\n{indent}{step}return\n"
    return Change(source.span_between(at, at), text)


def _is_read(function: Function, source: Source) -> bool:
    """Tell whether a function is read anywhere by its name."""
    names = source.named(ast.Name, (function.name,))
    reads = any(isinstance(one.ctx, ast.Load) for one in names)
    return reads or any(True for _ in source.named(ast.Attribute, (function.name,)))


def _behind(function: Function, first: ast.stmt, source: Source) -> int:
    """Return the line below a function's head, or its docstring, which nothing else stands on."""
    if first is function.body[0]:
        end = source.head_end(source.span(function))
        if end is None:
            raise Unclear("its handler is written in an odd way")
        return end[0] + 1
    return source.span(function.body[0]).end_line + 1
