"""Handlers of events where they are given to an object: of which event, and which function takes it."""

from __future__ import annotations

import ast
from typing import NamedTuple

from checks.guards import asks_for, catches, tests_version
from checks.names import parameters
from checks.pipecat.hierarchy import method
from checks.pipecat.members import heirs, is_set_from_outside
from checks.pipecat.objects import owner_of
from checks.receivers import is_self_attribute, self_attributes
from checks.source import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Event(NamedTuple):
    """An event that a call names to give an object a handler, and where it names it."""

    call: ast.Call
    at: ast.Constant
    name: str


class Handler(NamedTuple):
    """A function that takes an event, as it is defined in the file.

    ``given`` is the expression that hands it over, None where it is decorated; ``bound`` says how many of its
    parameters are filled before.
    """

    function: Function | ast.Lambda
    given: ast.expr | None
    bound: int

    @property
    def by_place(self) -> list[ast.arg]:
        """The parameters that can be given what the event's caller hands over, in order."""
        taken = self.function.args
        return [*taken.posonlyargs, *taken.args][self.bound :]

    def takes(self, count: int) -> bool:
        """Tell whether the function can be called with so many arguments by place."""
        taken = self.function.args
        wanted = len(self.by_place) - len(taken.defaults)
        by_keyword = sum(default is None for default in taken.kw_defaults)
        return wanted <= count and not by_keyword and (taken.vararg is not None or count <= len(self.by_place))


def event_of(node: ast.Attribute, source: Source) -> Event | None:
    """Return the event that ``object.event_handler`` is called with, where it is written out."""
    call = source.parent(node)
    if not isinstance(call, ast.Call) or call.func is not node:
        return None
    match [*call.args[:1], *(one.value for one in call.keywords if one.arg == "event_name")]:
        case [ast.Constant(value=str(name)) as at]:
            return Event(call, at, name)
        case _:
            return None


def is_guarded(call: ast.Call, event: str, source: Source) -> bool:
    """Tell whether the code has looked which release it runs with, or expects that an event may be missing."""
    return tests_version(call, source) or asks_for(event, call, source) or _is_tried(call, source)


def _is_tried(call: ast.Call, source: Source) -> bool:
    """Tell whether a handler is given by a statement that alone is tried, as releases that raise an exception need."""
    statement = next(above for above in source.ancestors(call) if isinstance(above, ast.stmt))
    block = source.parent(statement)
    is_alone = isinstance(block, (ast.Try, ast.With)) and block.body == [statement]
    return is_alone and catches(call, source, "Exception")


def handler_of(call: ast.Call, source: Source) -> Handler | None:
    """Return the handler that a call of ``event_handler`` or ``add_event_handler`` gives an object.

    None where it is not seen: nothing but further events of Pipecat's objects may decorate it.
    """
    parent = source.parent(call)
    if isinstance(parent, Function) and call in parent.decorator_list:
        below = parent.decorator_list[parent.decorator_list.index(call) + 1 :]
        return Handler(parent, None, 0) if all(_leaves_it(one, source) for one in below) else None
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "add_event_handler":
        return None
    match [*call.args[1:], *(one.value for one in call.keywords if one.arg == "handler")]:
        case [ast.Lambda() as function]:
            return Handler(function, function, 0)
        case [ast.Name() as name]:
            bindings = source.names.bindings(name)
            return _defined(bindings[0].node, name, 0, source) if len(bindings) == 1 else None
        case [ast.Attribute() as name] if is_self_attribute(name, source):
            return _defined(_method(name, source), name, 1, source)
        case _:
            return None


def _defined(function: ast.AST | None, given: ast.expr, bound: int, source: Source) -> Handler | None:
    if not isinstance(function, Function) or not all(_leaves_it(one, source) for one in function.decorator_list):
        return None
    handler = Handler(function, given, bound)
    return handler if bound == 0 or any(True for _ in parameters(function.args)) else None


def _method(name: ast.Attribute, source: Source) -> Function | None:
    """Return the method that ``self.name`` is, in an object of whatever class of the project's."""
    owner = source.names.enclosing_class(name)
    if owner is None or is_set_from_outside(name.attr, source):
        return None
    if any(isinstance(one.ctx, ast.Store) for one in self_attributes(owner, name.attr, source)):
        return None
    if any(line.method(name.attr) != (source, owner, method(owner, name.attr)) for line in heirs(owner, source)):
        return None
    return method(owner, name.attr)


def _leaves_it(decorator: ast.expr, source: Source) -> bool:
    """Tell whether a decorator is an event of one of Pipecat's objects, which gives the function back as it is."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="event_handler") as asked):
            found = owner_of(asked, source)
            return found is not None and found.lineage.is_whole and not found.lineage.method("event_handler")
        case _:
            return False
