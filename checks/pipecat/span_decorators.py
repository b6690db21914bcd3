"""Decorators that open a span around ``run_tts``: what they are made of, where that can be told to the last statement.

A decorator may do more than trace: count, retry, log. Only one of which every statement is understood as tracing can
be replaced; any other is left to a human, with the line that was not understood.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from checks.names import FUNCTIONS, parameters
from checks.pipecat.openings import (
    Opening,
    Reader,
    Unclear,
    Written,
    is_about_ttfb,
    is_span_call,
    span_calls,
    statements,
)
from checks.source import Source, Span

_KINDS = ("isasyncgenfunction", "iscoroutinefunction", "isgeneratorfunction")
_LOGGERS = ("logger", "logging", "log", "_logger", "LOGGER")
# Modules whose functions tell something and change nothing that matters here.
_ONLY_ASK = ("time", "inspect", "asyncio", "datetime")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Form(StrEnum):
    """How a decorator is used: ``@d``, ``@d`` or ``@d(option=…)``, only ``@d(option)``."""

    PLAIN = "plain"
    OPTIONAL = "optional"
    FACTORY = "factory"


@dataclass(frozen=True, slots=True)
class SpanDecorator:
    """A decorator that only traces.

    ``body`` is what its own statements are replaced in: from behind its docstring and its early exit to its end.
    ``function`` is the parameter that takes the method, None for a factory.
    """

    body: Span
    form: Form
    function: str | None
    opening: Opening


def span_decorator(node: ast.FunctionDef, source: Source) -> SpanDecorator:
    """Return what a decorator is made of.

    Raises:
        Unclear: not all of it is understood as tracing.
    """
    return _Parts(node, source).decorator()


class _Parts:
    def __init__(self, node: ast.FunctionDef, source: Source):
        self._node = node
        self._source = source
        self._assigned: list[ast.Assign | ast.AnnAssign] = []
        self._nested = [part for part in ast.walk(node) if isinstance(part, _Function) and part is not node]
        calls = span_calls(node)
        if len(calls) != 1 or node.decorator_list or node.args.vararg or node.args.kwarg:
            raise Unclear("it opens its span in a way of its own")
        self._call = calls[0]
        inner = source.names.enclosing_function(self._call)
        if not isinstance(inner, _Function) or inner is node:
            raise Unclear("its span is opened before the method is called")
        self._inner = inner
        self._function = self._decorated()
        maker = source.parent(source.parent(self._function) or self._function)
        assert isinstance(maker, _Function)
        self._maker = maker
        self._wrappers = [one for one in self._nested if one is not maker]

    def decorator(self) -> SpanDecorator:
        """Read the whole decorator."""
        form, function = self._form()
        options = tuple(one for one in parameters(self._node.args) if one.arg != function)
        reader = Reader(
            self._source,
            service=tuple(self._parameter(one, 0) for one in self._wrappers),
            text=tuple(self._parameter(one, 1) for one in self._wrappers if len(one.args.args) > 1),
            function=self._function,
            options=options,
        )
        start = self._prefix_end()
        gates = self._gates(reader)
        written = self._written(reader)
        for statement in self._assigned:
            if statement not in reader.read and not self._is_idle(statement):
                raise self._strange(statement)
        head = self._source.text[self._source.start(self._node) : start]
        wanted = " and ".join(gate for gate in gates if gate not in head) or None
        body = self._source.span_between(start, self._source.end(self._node))
        return SpanDecorator(body, form, function, written.opening(wanted))

    def _decorated(self) -> ast.arg:
        """Return the parameter that takes the method: what the wrappers call."""
        found: set[ast.arg] = set()
        for wrapper in self._nested:
            for part in ast.walk(wrapper):
                if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                    for binding in self._source.names.bindings(part.func):
                        if isinstance(binding.node, ast.arg):
                            found.add(binding.node)
        if len(found) != 1:
            raise Unclear("it cannot be told which function it decorates")
        return found.pop()

    def _form(self) -> tuple[Form, str | None]:
        takes = [one.arg for one in parameters(self._node.args)]
        if self._maker is self._node:
            defaults = self._node.args.defaults
            if takes[:1] != [self._function.arg] or len(defaults) == len(self._node.args.args):
                raise Unclear("its signature is not that of a decorator")
            return Form.PLAIN, self._function.arg
        handed: set[str] = set()
        for part in ast.walk(self._node):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == self._maker.name:
                handed |= {one.id for one in part.args if isinstance(one, ast.Name)}
        if len(self._maker.args.args) != 1 or len(handed) > 1 or not handed <= set(takes):
            raise Unclear("its signature is not that of a decorator")
        return (Form.OPTIONAL, handed.pop()) if handed else (Form.FACTORY, None)

    def _parameter(self, wrapper: _Function, index: int) -> ast.arg:
        positional = [*wrapper.args.posonlyargs, *wrapper.args.args]
        if index >= len(positional):
            raise Unclear(f"line {wrapper.lineno}: {wrapper.name} does not take the service")
        return positional[index]

    # -- the decorator's own statements

    def _prefix_end(self) -> int:
        """Return the offset behind the statements that stay: the docstring, and an early exit without tracing."""
        end = self._source.start(self._node.body[0])
        for index, statement in enumerate(self._node.body):
            is_text = index == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not is_text and not self._is_early_exit(statement):
                self._only_defines(self._node.body[index:])
                break
            end = self._source.end(statement)
        if end == self._source.start(self._node.body[0]):
            return len(self._source.text[:end].rstrip())
        return end

    def _is_early_exit(self, statement: ast.stmt) -> bool:
        """Tell whether a statement hands the function back where there is no OpenTelemetry."""
        if not isinstance(statement, ast.If) or statement.orelse or len(statement.body) != 1:
            return False
        names = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name)}
        inside = {one.name for one in self._nested}
        return isinstance(statement.body[0], ast.Return) and not names & inside and bool(names)

    def _only_defines(self, rest: Sequence[ast.stmt]) -> None:
        for statement in rest:
            if isinstance(statement, ast.If):
                self._only_defines([*statement.body, *statement.orelse])
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                if not self._is_plain(statement):
                    raise self._strange(statement)
            elif not isinstance(statement, (*FUNCTIONS[:2], ast.Return, ast.Raise)):
                raise self._strange(statement)

    # -- the wrappers' statements

    def _gates(self, reader: Reader) -> list[str]:
        """Return the conditions under which the wrappers trace, every other statement being understood."""
        found: dict[str, None] = {}
        for function in self._nested:
            for statement in statements(function.body):
                gate = self._gate(statement) if isinstance(statement, ast.If) else None
                if gate is not None:
                    found[reader.text_of(gate)] = None
                elif not self._is_tracing(statement, function):
                    raise self._strange(statement)
        if reader.used or reader.variables:
            raise Unclear("whether it traces depends on more than the service")
        return list(found)

    def _gate(self, statement: ast.If) -> ast.expr | None:
        """Return the condition that a statement requires for tracing, if that is what it is about."""
        test = statement.test
        if self._in_handler(statement) or self._asks_kind(test) or self._is_told_to_span(statement):
            return None
        negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if negated and isinstance(statement.body[-1], ast.Return) and not self._opens(statement.body):
            return test.operand  # type: ignore[attr-defined]
        if not negated and self._opens(statement.body) and not self._opens(statement.orelse):
            return test
        raise self._strange(statement)

    def _is_tracing(self, statement: ast.stmt, function: _Function) -> bool:
        """Tell whether a wrapper's statement is a part of tracing, or of handing the call on."""
        if isinstance(statement, (*FUNCTIONS[:2], ast.Raise, ast.Pass, ast.Nonlocal, ast.If)):
            return True
        if isinstance(statement, ast.Try):
            return not statement.orelse
        if isinstance(statement, ast.Return):
            return statement.value is None or self._hands_on(statement.value)
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            return all(self._is_own(item.context_expr) for item in statement.items)
        if isinstance(statement, ast.AsyncFor):
            return self._is_own(statement.iter)
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            return self._is_plain(statement)
        if not isinstance(statement, ast.Expr):
            return False
        value = statement.value
        if isinstance(value, ast.Yield):
            return value.value is None or self._hands_on(value.value)
        if isinstance(value, (ast.Constant, ast.Await)):
            return self._hands_on(value)
        return isinstance(value, ast.Call) and (
            (function is self._inner and self._mentions_span(value))
            or (self._in_handler(statement) and _root(value.func) in _LOGGERS)
        )

    def _hands_on(self, value: ast.expr) -> bool:
        """Tell whether a value is what the method gave, or a wrapper, with nothing done to it."""
        value = value.value if isinstance(value, ast.Await) else value
        return isinstance(value, (ast.Name, ast.Constant)) or self._is_own(value)

    def _is_plain(self, statement: ast.Assign | ast.AnnAssign) -> bool:
        """Tell whether a statement does no more than give names a value.

        Calls are looked at only where the value is not one the opening takes along.
        """
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        self._assigned.append(statement)
        return all(isinstance(target, ast.Name) for target in targets)

    def _is_idle(self, statement: ast.Assign | ast.AnnAssign) -> bool:
        """Tell whether a value that is not taken along is worked out without touching anything."""
        calls = [part for part in ast.walk(statement.value or statement) if isinstance(part, ast.Call)]
        return all(self._is_own(call) or self._is_harmless(call.func) for call in calls)

    def _is_harmless(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return not self._source.names.bindings(function)
        return _root(function) in _ONLY_ASK

    def _is_own(self, node: ast.expr) -> bool:
        """Tell whether an expression calls the method, a wrapper, or opens the span."""
        if is_span_call(node):
            return True
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Attribute) and node.func.attr == "use_span":
            return self._mentions_span(node)
        bindings = self._source.names.bindings(node.func) if isinstance(node.func, ast.Name) else []
        return len(bindings) == 1 and (bindings[0].node is self._function or bindings[0].node in self._nested)

    def _opens(self, block: Sequence[ast.stmt]) -> bool:
        """Tell whether a block opens the span, or hands on to a wrapper that does."""
        for statement in block:
            for part in ast.walk(statement):
                if part is self._call:
                    return True
                if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                    if any(binding.node in self._nested for binding in self._source.names.bindings(part.func)):
                        return True
        return False

    def _asks_kind(self, test: ast.expr) -> bool:
        for part in ast.walk(test):
            if isinstance(part, ast.Attribute) and part.attr in _KINDS:
                return True
            if isinstance(part, ast.Name):
                for binding in self._source.names.bindings(part):
                    if isinstance(binding.node, ast.Assign) and binding.node.value is not test:
                        if self._asks_kind(binding.node.value):
                            return True
        return False

    def _in_handler(self, statement: ast.stmt) -> bool:
        for above in self._source.ancestors(statement):
            if isinstance(above, ast.ExceptHandler):
                return True
            if isinstance(above, _Function):
                return False
        return False

    # -- the span

    def _written(self, reader: Reader) -> Written:
        span, top = opened_span(self._call, self._source)
        written = Written(reader, span)
        written.open(self._call)
        limit = self._call_of_function()
        kept: list[ast.stmt] = []
        for statement in statements(self._inner.body):
            if any(statement in ast.walk(one) for one in kept) or not self._is_told_to_span(statement):
                continue
            kept.append(statement)
            ttfb = is_about_ttfb(statement, span)
            if ttfb is not None:
                written.ttfb = ttfb
            elif self._in_handler(statement) or self._ends_span(statement):
                continue
            elif self._source.start(statement) > limit:
                raise Unclear(f"line {statement.lineno}: the span is told something after the call")
            else:
                written.tell(statement)
        if not self._is_reached(top):
            raise Unclear(f"line {self._call.lineno}: whether a span is opened depends on a condition")
        return written

    def _is_told_to_span(self, statement: ast.stmt) -> bool:
        """Tell whether a statement does nothing but tell the span something, on a condition or not."""
        if isinstance(statement, ast.If):
            inner = [*statement.body, *statement.orelse]
            return bool(inner) and all(self._is_told_to_span(one) for one in inner)
        return (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and self._source.names.enclosing_function(statement) is self._inner
            and self._mentions_span(statement.value)
        )

    def _mentions_span(self, node: ast.AST) -> bool:
        span, _ = opened_span(self._call, self._source)
        return any(isinstance(part, ast.Name) and part.id == span for part in ast.walk(node))

    def _ends_span(self, statement: ast.stmt) -> bool:
        call = statement.value if isinstance(statement, ast.Expr) else None
        return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "end"

    def _call_of_function(self) -> int:
        """Return the offset at which, the span being open, the method is called or its turn is yielded."""
        opened = self._source.end(self._call)
        kinds = (ast.Yield, ast.Await, ast.AsyncFor)
        turns = (self._source.start(part) for part in ast.walk(self._inner) if isinstance(part, kinds))
        return min((turn for turn in turns if turn > opened), default=len(self._source.text))

    def _is_reached(self, top: ast.stmt) -> bool:
        for above in self._source.ancestors(top):
            if above is self._inner:
                return True
            if isinstance(above, (ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler)):
                return False
        return False

    def _strange(self, statement: ast.stmt) -> Unclear:
        return Unclear(f"line {statement.lineno} does more than trace")


def opened_span(call: ast.Call, source: Source) -> tuple[str, ast.stmt]:
    """Return the variable a span is put into, ``""`` for none, and the statement that opens it.

    Raises:
        Unclear: it is opened within another expression.
    """
    parent = source.parent(call)
    if isinstance(parent, ast.withitem):
        statement, target = source.parent(parent), parent.optional_vars
        if isinstance(statement, ast.With) and len(statement.items) == 1:
            if target is None or isinstance(target, ast.Name):
                return target.id if target else "", statement
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
        return parent.targets[0].id, parent
    raise Unclear(f"line {call.lineno}: the span is opened in a way of its own")


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
