"""Handlers of tools by their six old parameters, and what each is in ``FunctionCallParams``.

Facts from the wheels: until 0.0.108 ``register_function`` looked at how many parameters a handler has, and gave
one of six just these; from 1.0.0 on every handler gets a single ``FunctionCallParams``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.arguments import Change, Rewrite
from checks.importable import check_imports
from checks.looped import looped
from checks.names import parameters
from checks.pipecat import timeline
from checks.pipecat.contexts import is_defined
from checks.pipecat.objects import object_of
from checks.pipecat.realtime import LLM_SERVICE
from checks.receivers import is_self_attribute
from checks.source import Source
from checks.unclear import Unclear

PARAMS = "pipecat.services.llm_service.FunctionCallParams"
FIELDS = ("function_name", "tool_call_id", "arguments", "llm", "context", "result_callback")
_USUAL = {0: "function_name", 1: "tool_call_id", 5: "result_callback"}
_NEW = ("params", "call_params")
_REGISTER = "register_function"

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Handler(NamedTuple):
    """A function that is registered as a tool's handler, its six parameters, and where it is registered."""

    function: Function
    six: tuple[ast.arg, ...]
    registrations: tuple[ast.expr, ...]


def old_handlers(source: Source) -> list[Handler]:
    """Return the functions of a file with six parameters that are registered as handlers of tools."""
    found: dict[Function, list[ast.expr]] = {}
    for call, handler, given in _registrations(source):
        function = _defined(handler, source)
        if function is not None and _is_old(function, call, source):
            found.setdefault(function, []).extend(given)
    return [Handler(function, tuple(_six(function)), tuple(uses)) for function, uses in found.items()]


def _registrations(source: Source) -> Iterator[tuple[ast.Call, ast.expr, list[ast.expr]]]:
    """Yield each call of ``register_function``, a handler that it is given, and what is written for that alone."""
    for call in source.nodes(ast.Call):
        handler = _registered(call)
        several = looped(handler, source) if isinstance(handler, ast.Name) else None
        if handler is not None and several is None:
            yield call, handler, [handler]
        elif isinstance(handler, ast.Name) and several is not None:
            alone = several.is_for_it and _is_only_registered(handler, source)
            for one in several.values:
                yield call, one, [handler, one] if alone else [handler]


def _is_only_registered(variable: ast.Name, source: Source) -> bool:
    """Tell whether a loop's variable is read for nothing but registering it, and for its ``__name__``."""
    bindings = source.names.bindings(variable)
    for use in source.named(ast.Name, (variable.id,)):
        if isinstance(use.ctx, ast.Load) and source.names.bindings(use) == bindings:
            above = source.parent(use)
            call = source.parent(above) if isinstance(above, ast.keyword) else above
            is_registered = isinstance(call, ast.Call) and _registered(call) is use
            if not is_registered and not (isinstance(above, ast.Attribute) and above.attr == "__name__"):
                return False
    return True


def old_handlers_elsewhere(source: Source) -> Iterator[tuple[ast.expr, str]]:
    """Yield what a file registers that takes six parameters and is not a function of its own, with what to call it."""
    for call, handler, _ in _registrations(source):
        if isinstance(handler, ast.Lambda):
            if _is_old(handler, call, source):
                yield handler, "the lambda"
        elif isinstance(handler, (ast.Name, ast.Attribute)) and _defined(handler, source) is None:
            found = source.project.resolve(handler, source)
            if found is not None and not isinstance(found, str) and found[0] is not source:
                function = found[1]
                if isinstance(function, Function) and not function.decorator_list and _is_old(function, call, source):
                    yield handler, function.name


def _registered(call: ast.Call) -> ast.expr | None:
    """Return the handler that a call of ``register_function`` is given."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != _REGISTER:
        return None
    if len(call.args) > 1:
        return call.args[1]
    return next((one.value for one in call.keywords if one.arg == "handler"), None)


def _defined(handler: ast.expr, source: Source) -> Function | None:
    """Return the function of this file that an expression stands for: a name, or a method of ``self``."""
    if isinstance(handler, ast.Name):
        bound = [binding.node for binding in source.names.bindings(handler)]
        only = bound[0] if len(bound) == 1 else None
        return only if isinstance(only, Function) else None
    owner = source.names.enclosing_class(handler) if is_self_attribute(handler, source) else None
    if owner is None or not isinstance(handler, ast.Attribute):
        return None
    named = [one for one in owner.body if isinstance(one, Function) and one.name == handler.attr]
    return named[0] if len(named) == 1 else None


def _six(function: Function | ast.Lambda) -> list[ast.arg]:
    """Return the last six parameters of a function that has them, and ``self`` at most beside them; else none."""
    arguments = function.args
    every = list(parameters(arguments))
    first = [one for one in every if one.arg == "self"]
    if len(every) != 6 + len(first) or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return []
    return every[len(first) :]


def _is_old(function: Function | ast.Lambda, call: ast.Call, source: Source) -> bool:
    """Tell whether a function takes the six, by what it is registered on or by what they are called."""
    six = _six(function)
    if not six:
        return False
    assert isinstance(call.func, ast.Attribute)
    known = object_of(call.func.value, source)
    if known is not None and LLM_SERVICE in known.lineage.names:
        return known.lineage.method(_REGISTER) is None
    if is_defined(_REGISTER, source) if known is None else not known.lineage.outside:
        return False  # the project's own, which may call its handlers as it likes
    return all(six[at].arg.lstrip("_") == name for at, name in _USUAL.items())


def with_params(handler: Handler, source: Source) -> Rewrite:
    """Return the changes after which a handler takes a ``FunctionCallParams``.

    Raises:
        Unclear: something else calls the function, or it does more with its parameters than read them.
    """
    function = handler.function
    release = timeline.lacking(PARAMS, FIELDS, source.releases)
    if release is not None:
        raise Unclear(f"{release}, which the project admits, has no FunctionCallParams with all six")
    if function.decorator_list or function.args.defaults or function.args.kw_defaults:
        raise Unclear("its decorators or defaults may count on the six")
    _check_only_registered(handler, source)
    new = _new_name(function)
    reads = list(_reads(handler, source))
    start, end = source.start(handler.six[0]), source.end(handler.six[-1])
    end += len(source.text[end:]) - len(source.text[end:].lstrip(", \t\r\n"))
    if source.has_comment(start, end) or source.text[end] != ")":
        raise Unclear("comments stand between its parameters")
    if "self" not in (one.arg for one in parameters(function.args)):
        start = source.text.rindex("(", 0, start) + 1
    changes = [Change(source.span_between(start, end), f"{new}: FunctionCallParams")]
    changes += [Change(source.span(name), f"{new}.{field}") for name, field in reads]
    return check_imports(Rewrite(tuple(changes), imports=(PARAMS,)), source)


def _check_only_registered(handler: Handler, source: Source) -> None:
    """Raise Unclear where anything but a registration names the function."""
    name = handler.function.name
    for use in (*source.nodes(ast.Name), *source.nodes(ast.Attribute)):
        called = use.id if isinstance(use, ast.Name) else use.attr
        if called == name and use not in handler.registrations:
            raise Unclear(f"{name} is used otherwise too")
    others = [path for path in source.project.paths_mentioning(name) if path != source.path]
    if others:
        raise Unclear(f"{others[0].name} mentions {name} too")


def _new_name(function: Function) -> str:
    """Return what the parameter is to be called: something that is no other name in the function."""
    taken: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ClassDef(name=name):
                taken.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                taken.add(name)
            case ast.alias(name=name, asname=local):
                taken.add(local or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                taken.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                taken.update(names)
            case _:
                pass
    for name in _NEW:
        if name not in taken:
            return name
    raise Unclear(f"{' and '.join(_NEW)} are in use in it")


def _reads(handler: Handler, source: Source) -> Iterator[tuple[ast.Name, str]]:
    """Yield where the six are read, and the field that each is now."""
    function = handler.function
    fields = {one.arg: field for one, field in zip(handler.six, FIELDS, strict=True)}
    rebound = {name: _rebound(name, handler, source) for name in fields}
    for node in ast.walk(function):
        if isinstance(node, (ast.Global, ast.Nonlocal)) and not fields.keys().isdisjoint(node.names):
            raise Unclear("a function within it gives one of them another value")
        if not isinstance(node, ast.Name):
            continue
        if node.id == "locals":
            raise Unclear("locals is in use in it")
        bound = [binding.node for binding in source.names.bindings(node)]
        if node.id not in fields or not any(one in handler.six for one in bound):
            continue
        again = rebound[node.id]
        if again is None or (isinstance(node.ctx, ast.Load) and source.start(node) < source.end(again)):
            if again is not None and source.names.scope(node) is not function:
                raise Unclear(f"{node.id} is given another value in it")
            yield node, fields[node.id]


def _rebound(name: str, handler: Handler, source: Source) -> ast.Assign | None:
    """Return the plain statement from which on a parameter's name stands for another value, None where it never does.

    Raises:
        Unclear: it cannot be told which of the two it is.
    """
    bound = [one.node for one in source.names.table(handler.function).get(name, ())]
    others = [node for node in bound if node not in handler.six]
    only = others[0] if others else None
    if only is not None and (len(others) > 1 or not isinstance(only, ast.Assign) or only not in handler.function.body):
        raise Unclear(f"{name} is given another value in it")
    return only if isinstance(only, ast.Assign) else None
