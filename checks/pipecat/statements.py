"""A statement in front of or behind another one, that does what an argument of a call in that did."""

from __future__ import annotations

import ast
import re

from checks.arguments import Change
from checks.pipecat.objects import classes_of, owner_of
from checks.source import NEWLINE, Source
from checks.unclear import Unclear

_CALLBACK = ("pipecat.services.llm_service.FunctionCallParams", "result_callback")
_PASSED = re.compile(r"lambda _, (\w+): \{\}\(\1\)")
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_CHAIN = (ast.Name, ast.Attribute)


def in_front(text: str, call: ast.Call, callback: ast.expr, source: Source) -> Change:
    """Return the change that puts a statement in front of one that awaits a method.

    ``it`` stands for the object asked, ``{}`` for a callback the method was given.

    Raises:
        Unclear: the call is not awaited by a statement of its own, or what is given is not a function for sure.
    """
    awaited = source.parent(call)
    statement = source.parent(awaited) if isinstance(awaited, ast.Await) else None
    asked = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not isinstance(statement, (ast.Expr, ast.Assign, ast.Return)) or not source.begins_line(statement):
        raise Unclear("the call is not awaited by a statement of its own")
    if "it." in text and not isinstance(asked, _CHAIN):
        raise Unclear("the object is worked out on the way")
    if _PASSED.search(text) and any(isinstance(above, _LOOPS) for above in source.ancestors(statement)):
        raise Unclear("it would be registered again each time")
    at = source.line_start(source.span(statement).line)
    return _inserted(at, text, asked, callback, statement, source)


def behind(text: str, call: ast.Call, callback: ast.expr, source: Source) -> Change:
    """Return the change that puts a statement behind one that gives a variable what a call returns.

    ``it`` stands for the variable, ``{}`` for a callback the call was given.

    Raises:
        Unclear: the statement does not do just that, or what is given is not a function for sure.
    """
    statement = source.parent(call)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if not isinstance(statement, ast.Assign) or len(targets) != 1 or not isinstance(targets[0], _CHAIN):
        raise Unclear("what the call returns is not kept in a variable")
    end = source.span(statement).end_line
    rest = source.line(end)[source.span(statement).end_column - 1 :].lstrip()
    if not source.begins_line(statement) or rest.startswith(";"):
        raise Unclear("the statement shares its lines with other code")
    return _inserted(source.line_start(end + 1), text, targets[0], callback, statement, source)


def _inserted(
    at: int, text: str, it: ast.expr | None, callback: ast.expr, statement: ast.stmt, source: Source
) -> Change:
    line = _handed_on(text, callback, source)
    line = line.replace("it.", f"{source.segment(it)}.", 1) if it is not None else line
    indent = source.text[source.line_start(source.span(statement).line) : source.start(statement)]
    lead = "" if source.text[at - 1 : at] in ("", "\n", "\r") else "\n"
    return Change(source.span_between(at, at), f"{lead}{indent}{line}\n")


def _handed_on(text: str, callback: ast.expr, source: Source) -> str:
    """Return a statement with a callback in it; a lambda becomes the one that takes the sender too."""
    parameter = _PASSED.search(text)
    match callback:
        case ast.Lambda(args=ast.arguments(posonlyargs=[], args=[only], vararg=None, kwonlyargs=[], kwarg=None)):
            body = NEWLINE.sub("\n", source.segment(callback.body))
            if parameter is None or "\n" in body:
                raise Unclear("it is a function of its own")
            return text.replace(parameter[0], f"lambda _, {only.arg}: {body}")
        case _ if not _is_function(callback, source):
            raise Unclear("it may be None")
        case _:
            called = source.segment(callback)
            if parameter is not None and called.partition(".")[0] in ("_", parameter[1]):
                raise Unclear(f"{called} means something else there")
            return text.replace("{}", called)


def _is_function(value: ast.expr, source: Source) -> bool:
    """Tell whether a value is a function for sure: one that is defined, a method, or the callback of a tool's call."""
    match value:
        case ast.Name():
            bound = [one.node for one in source.names.bindings(value)]
            return bool(bound) and all(isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) for one in bound)
        case ast.Attribute(attr=name):
            if name == _CALLBACK[1] and _CALLBACK[0] in classes_of(value.value, source):
                return True
            found = owner_of(value, source)
            return found is not None and found.lineage.method(name) is not None
        case _:
            return False
