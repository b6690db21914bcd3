"""Decorators that open a span around ``run_tts``: what they are made of, where that can be told to the last statement.

A decorator may do more than trace: count, retry, log. Only one of which every statement is understood as tracing can
be replaced; any other is left to a human, with the line that was not understood.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from checks.guards import is_none
from checks.names import parameters
from checks.pipecat.openings import (
    Opening,
    Reader,
    Written,
    attribute_of,
    is_about_ttfb,
    span_calls,
)
from checks.source import Source, Span, statements
from checks.unclear import Unclear
from checks.walk import walk

_KINDS = ("isasyncgenfunction", "iscoroutinefunction", "isgeneratorfunction")
_LOGGERS = ("logger", "logging", "log", "_logger", "LOGGER")
OF_A_FAILURE = ("record_exception", "set_status")
_MANAGERS = ("asynccontextmanager", "contextmanager")
# Calls by which a value is worked out without touching anything.
_ONLY_ASK = ("time", "inspect", "asyncio", "datetime")
_HARMLESS = ("getattr", "hasattr", "isinstance", "len", "str", "repr", "type", "bool", "int", "float", "round")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Form(StrEnum):
    """How a decorator is used: ``@d``, ``@d`` or ``@d(option=…)``, only ``@d(option)``."""

    PLAIN = "plain"
    OPTIONAL = "optional"
    FACTORY = "factory"


class SpanDecorator(NamedTuple):
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
        self._nested = [part for part in walk(node) if isinstance(part, _Function) and part is not node]
        calls = span_calls(node)
        if len(calls) != 1 or node.decorator_list or node.args.vararg or node.args.kwarg or node.args.posonlyargs:
            raise Unclear("it opens its span in a way of its own")
        self._call = calls[0]
        inner = source.names.enclosing_function(self._call)
        if not isinstance(inner, _Function) or inner is node:
            raise Unclear("its span is opened before the method is called")
        self._inner = inner
        self._span, self._opener = opened_span(self._call, source)
        self._function = self._decorated()
        maker = source.parent(source.parent(self._function) or self._function)
        assert isinstance(maker, _Function)
        self._maker = maker
        self._wrappers = [one for one in self._nested if one is not maker]
        self._assigned: list[ast.Assign | ast.AnnAssign] = []
        self._gates: dict[_Function, list[ast.expr]] = {}

    def decorator(self) -> SpanDecorator:
        """Read the whole decorator."""
        start, exits, rest = self._prefix()
        form, function = self._form(rest)
        for wrapper in self._wrappers:
            self._check_wrapper(wrapper)
        reader = self._reader(function)
        wanted = self._wanted(reader, exits)
        written = self._written(reader)
        for statement in self._assigned:
            if statement not in reader.read and not self._is_idle(statement):
                raise self._strange(statement)
        body = self._source.span_between(start, self._source.end(self._node))
        return SpanDecorator(body, form, function, written.opening(wanted))

    def _reader(self, function: str | None) -> Reader:
        options = tuple(one for one in parameters(self._node.args) if one.arg != function)
        if any(one.arg in ("service", "span", "text", "characters") for one in options):
            raise Unclear("one of its options has a name that is taken")
        return Reader(
            self._source,
            service=tuple(one.args.args[0] for one in self._wrappers),
            text=tuple(one.args.args[1] for one in self._wrappers if len(one.args.args) > 1),
            function=self._function,
            options=options,
        )

    def _decorated(self) -> ast.arg:
        """Return the parameter that takes the method: what the wrappers call."""
        found: set[ast.arg] = set()
        for wrapper in self._nested:
            for part in walk(wrapper):
                if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                    for binding in self._source.names.bindings(part.func):
                        if isinstance(binding.node, ast.arg):
                            found.add(binding.node)
        if len(found) != 1:
            raise Unclear("it cannot be told which function it decorates")
        return found.pop()

    # -- the decorator's own statements

    def _prefix(self) -> tuple[int, list[ast.expr], list[ast.stmt]]:
        """Return where the statements that stay end, the tests among them, and the statements behind.

        What stays is the docstring, and an early exit without tracing.
        """
        body = self._node.body
        count = 1 if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else 0
        exits: list[ast.expr] = []
        while count < len(body) and self._is_early_exit(body[count]):
            one = body[count]
            assert isinstance(one, ast.If)
            exits.append(one.test)
            count += 1
        if count == len(body):
            raise Unclear("nothing of it is understood as tracing")
        if self._source.span(body[-1]).column != self._source.span(self._node).column + 4:
            raise Unclear("it is indented in a way of its own")
        first = min([body[count].lineno, *(one.lineno for one in getattr(body[count], "decorator_list", []))])
        start = len(self._source.text[: self._source.line_start(first)].rstrip())
        if count:
            start = self._source.end(body[count - 1])
        return start, exits, body[count:]

    def _is_early_exit(self, statement: ast.stmt) -> bool:
        """Tell whether a statement hands the function back where there is no tracing at all."""
        if not isinstance(statement, ast.If) or statement.orelse or len(statement.body) != 1:
            return False
        names = {part.id for part in walk(statement.test) if isinstance(part, ast.Name)}
        inside = {one.name for one in self._nested} | {one.arg for one in parameters(self._node.args)}
        returned = statement.body[0]
        given = {part.id for part in walk(returned) if isinstance(part, ast.Name)}
        nested = {one.name for one in self._nested}
        return isinstance(returned, ast.Return) and bool(names) and not names & inside and not given & nested

    def _form(self, rest: Sequence[ast.stmt]) -> tuple[Form, str | None]:
        arguments = self._node.args
        if self._maker is self._node:
            if arguments.defaults or [one.arg for one in parameters(arguments)] != [self._function.arg]:
                raise Unclear("its signature is not that of a decorator")
            self._check_making(rest)
            return Form.PLAIN, self._function.arg
        made = self._maker
        if made.decorator_list or [one.arg for one in parameters(made.args)] != [self._function.arg]:
            raise Unclear("its signature is not that of a decorator")
        self._check_making(made.body)
        if made not in rest:
            raise self._strange(rest[0])
        before, behind = rest[: rest.index(made)], rest[rest.index(made) + 1 :]
        for statement in before:
            self._check_assigned(statement)
        text = "\n".join(ast.unparse(one) for one in behind)
        if text == f"return {made.name}":
            return Form.FACTORY, None
        taken = arguments.args[0].arg if len(arguments.args) == 1 else ""
        is_none = len(arguments.defaults) == 1 and ast.unparse(arguments.defaults[0]) == "None"
        if taken and is_none and text in _optional_returns(taken, made.name):
            return Form.OPTIONAL, taken
        raise self._strange(behind[0] if behind else made)

    def _check_making(self, block: Sequence[ast.stmt]) -> None:
        """Make sure that statements only define the wrappers and return one of them."""
        for index, statement in enumerate(block):
            if isinstance(statement, _Function):
                continue
            if isinstance(statement, ast.Return):
                value = statement.value
                if not isinstance(value, ast.Name) or value.id not in {one.name for one in self._nested}:
                    raise self._strange(statement)
            elif isinstance(statement, ast.If) and self._asks_kind(statement.test):
                self._check_making(statement.body)
                self._check_making(statement.orelse)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and not index:
                continue
            else:
                self._check_assigned(statement)

    def _check_assigned(self, statement: ast.stmt) -> None:
        """Note ``name = value``; what the value does is looked at when it is known what the opening takes along."""
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
            raise self._strange(statement)
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        held = {one.arg for one in parameters(self._node.args)}
        held |= {one.arg for function in self._nested for one in parameters(function.args)}
        for target in targets:
            if not isinstance(target, ast.Name) or target.id in held:
                raise self._strange(statement)
        if any(isinstance(part, (ast.Await, ast.Yield, ast.NamedExpr)) for part in walk(statement)):
            raise self._strange(statement)
        self._assigned.append(statement)

    def _is_idle(self, statement: ast.Assign | ast.AnnAssign) -> bool:
        """Tell whether a value that is not taken along is worked out without touching anything."""
        calls = [part for part in walk(statement.value or statement) if isinstance(part, ast.Call)]
        return all(self._is_harmless(call.func) for call in calls)

    def _is_harmless(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in _HARMLESS and not self._source.names.bindings(function)
        return _root(function) in _ONLY_ASK

    # -- the wrappers

    def _check_wrapper(self, wrapper: _Function) -> None:
        """Make sure that a wrapper only traces and hands the call on, the way it came."""
        arguments = wrapper.args
        plain = not (arguments.defaults or arguments.kwonlyargs or arguments.posonlyargs)
        if not plain or not arguments.args:
            raise Unclear(f"line {wrapper.lineno}: {wrapper.name} takes its arguments in a way of its own")
        for decorator in wrapper.decorator_list:
            text = ast.unparse(decorator)
            is_wraps = text.rpartition(".")[2] == f"wraps({self._function.arg})"
            if not is_wraps and text.rpartition(".")[2] not in _MANAGERS:
                raise Unclear(f"line {decorator.lineno}: {text} does more than trace")
        self._gates[wrapper] = []
        self._check_block(wrapper.body, wrapper)

    def _check_block(self, block: Sequence[ast.stmt], wrapper: _Function) -> None:
        for statement in block:
            self._check_statement(statement, wrapper)

    def _check_statement(self, statement: ast.stmt, wrapper: _Function) -> None:
        if isinstance(statement, ast.Try):
            if statement.orelse:
                raise self._strange(statement.orelse[0])
            self._check_block(statement.body, wrapper)
            for handler in statement.handlers:
                self._check_handler(handler, wrapper)
            for one in statement.finalbody:
                if not self._is_told(one) and not self._is_quiet_value(one):
                    raise self._strange(one)
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            if not all(self._is_own(item.context_expr) for item in statement.items):
                raise self._strange(statement)
            self._check_block(statement.body, wrapper)
        elif isinstance(statement, ast.If) and not self._is_told(statement):
            self._check_gate(statement, wrapper)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            if statement.value is not self._call:
                self._check_assigned(statement)
        elif not (self._is_told(statement) or self._hands_on(statement, wrapper) or _is_text(statement)):
            raise self._strange(statement)

    def _check_gate(self, statement: ast.If, wrapper: _Function) -> None:
        """Note the condition under which a wrapper traces; without it the call must be handed on as it came."""
        test = statement.test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and not statement.orelse:
            returns = isinstance(statement.body[-1], ast.Return) and ast.unparse(statement.body[0]) != "return"
            if not returns or not all(self._hands_on(one, wrapper) for one in statement.body):
                raise self._strange(statement)
            self._gates[wrapper].append(test.operand)
            return
        if not statement.orelse or not all(self._hands_on(one, wrapper) for one in statement.orelse):
            raise self._strange(statement)
        self._gates[wrapper].append(test)
        self._check_block(statement.body, wrapper)

    def _check_handler(self, handler: ast.ExceptHandler, wrapper: _Function) -> None:
        """Make sure that a handler raises on, or, tracing itself having failed, hands the call on."""
        says_so = False
        for statement in handler.body:
            text = ast.unparse(statement)
            if isinstance(statement, ast.If) and [ast.unparse(one) for one in statement.body] == ["raise"]:
                if not isinstance(statement.test, ast.Name) or statement.orelse:
                    raise self._strange(statement)
                continue
            call = statement.value if isinstance(statement, ast.Expr) else None
            told = attribute_of(statement, self._span)
            if isinstance(call, ast.Call) and _root(call.func) in _LOGGERS:
                says_so = says_so or "trac" in text.lower()
            elif told is not None and told[0] in OF_A_FAILURE and wrapper is self._inner:
                continue
            elif not (text == "raise" or (says_so and self._hands_on(statement, wrapper))):
                raise self._strange(statement)
        last = handler.body[-1]
        if ast.unparse(last) != "raise" and not (says_so and self._hands_on(last, wrapper)):
            raise self._strange(last)

    def _hands_on(self, statement: ast.stmt, wrapper: _Function) -> bool:
        """Tell whether a statement hands the call on as it came, or a context manager's turn."""
        if isinstance(statement, ast.Return):
            value = statement.value
            return value is None or (isinstance(value, ast.Await) and self._is_call(value.value, wrapper))
        if isinstance(statement, ast.AsyncFor):
            target, body = statement.target, statement.body
            if not isinstance(target, ast.Name) or statement.orelse or len(body) != 1:
                return False
            return self._is_call(statement.iter, wrapper) and ast.unparse(body[0]) in (
                f"yield {target.id}",
                f"(yield {target.id})",
            )
        is_manager = any(ast.unparse(one).rpartition(".")[2] in _MANAGERS for one in wrapper.decorator_list)
        yielded = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(yielded, ast.Yield) or not is_manager:
            return False
        value = yielded.value
        return value is None or is_none(value) or (isinstance(value, ast.Name) and value.id == self._span)

    def _is_call(self, node: ast.expr, wrapper: _Function) -> bool:
        """Tell whether an expression calls the method with just what the wrapper was given."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return False
        if [binding.node for binding in self._source.names.bindings(node.func)] != [self._function]:
            return False
        arguments = wrapper.args
        given = [one.arg for one in arguments.args]
        given += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
        given += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
        return ast.unparse(node) == f"{node.func.id}({', '.join(given)})"

    def _is_own(self, node: ast.expr) -> bool:
        """Tell whether an expression opens the span, or a context manager of the decorator's own."""
        if node is self._call:
            return True
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Attribute) and node.func.attr == "use_span":
            return self._mentions_span(node)
        bindings = self._source.names.bindings(node.func) if isinstance(node.func, ast.Name) else []
        return len(bindings) == 1 and bindings[0].node in self._wrappers

    def _asks_kind(self, test: ast.expr) -> bool:
        """Tell whether a test asks what kind of function is decorated."""
        if isinstance(test, ast.Name):
            values = [b.node.value for b in self._source.names.bindings(test) if isinstance(b.node, ast.Assign)]
            return len(values) == 1 and self._asks_kind(values[0])
        return isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr in _KINDS

    def _is_quiet_value(self, statement: ast.stmt) -> bool:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            self._check_assigned(statement)
            return True
        return False

    # -- when it traces

    def _wanted(self, reader: Reader, exits: Sequence[ast.expr]) -> str | None:
        """Return the condition under which the wrappers trace, but for what the early exit asks already."""
        asked = {ast.unparse(one.operand) for one in exits if isinstance(one, ast.UnaryOp)}
        found: list[list[str]] = []
        for wrapper, gates in self._gates.items():
            for gate in gates:
                self._check_steady(gate)
            texts = [reader.text_of(gate) for gate in gates if ast.unparse(gate) not in asked]
            if texts or not _is_manager(wrapper):
                found.append(texts)
        if reader.used or reader.variables:
            raise Unclear("whether it traces depends on more than the service")
        if any(texts != found[0] for texts in found):
            raise Unclear("its wrappers trace on different conditions")
        texts = [f"({text})" if " or " in text and len(found[0]) > 1 else text for text in (found[0] if found else [])]
        return " and ".join(texts) or None

    def _check_steady(self, gate: ast.expr) -> None:
        """Make sure that a condition may be asked again and again: it reads, and calls nothing of its own."""
        for part in walk(gate):
            if isinstance(part, ast.Call):
                name = ast.unparse(part.func).rpartition(".")[2]
                if name not in ("getattr", "hasattr", "bool", "is_tracing_available"):
                    raise Unclear(f"line {gate.lineno}: whether it traces is worked out anew for each call")

    # -- the span

    def _written(self, reader: Reader) -> Written:
        written = Written(reader, self._span)
        written.open(self._call)
        limit = self._call_of_function()
        for statement in statements(self._inner.body):
            inside_if = isinstance(self._source.parent(statement), ast.If)
            if not self._is_told(statement) or (inside_if and self._is_told(self._parent(statement))):
                continue
            ttfb = is_about_ttfb(statement, self._span)
            if ttfb is not None:
                written.measure(ttfb)
            elif self._in_handler(statement) or self._ends_span(statement):
                continue
            elif self._source.start(statement) > limit:
                raise Unclear(f"line {statement.lineno}: the span is told something after the call")
            else:
                written.tell(statement)
        return written

    def _parent(self, statement: ast.stmt) -> ast.stmt:
        parent = self._source.parent(statement)
        assert isinstance(parent, ast.stmt)
        return parent

    def _is_told(self, statement: ast.stmt) -> bool:
        """Tell whether a statement does nothing but tell the span something, or give it a time to the first byte."""
        if is_about_ttfb(statement, self._span) is not None:
            return self._source.names.enclosing_function(statement) is self._inner
        return (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and self._source.names.enclosing_function(statement) is self._inner
            and self._mentions_span(statement.value)
        )

    def _mentions_span(self, node: ast.AST) -> bool:
        return any(isinstance(part, ast.Name) and part.id == self._span for part in walk(node))

    def _in_handler(self, statement: ast.stmt) -> bool:
        return any(isinstance(above, ast.ExceptHandler) for above in self._source.ancestors(statement))

    def _ends_span(self, statement: ast.stmt) -> bool:
        found = attribute_of(statement, self._span)
        return found is not None and found[0] == "end" and not found[1].args and not found[1].keywords

    def _call_of_function(self) -> int:
        """Return the offset at which, the span being open, the method is called or its turn is yielded."""
        opened = self._source.end(self._call)
        kinds = (ast.Yield, ast.Await, ast.AsyncFor)
        turns = (self._source.start(part) for part in walk(self._inner) if isinstance(part, kinds))
        return min((turn for turn in turns if turn > opened), default=len(self._source.text))

    def _strange(self, statement: ast.stmt) -> Unclear:
        return Unclear(f"line {statement.lineno} does more than trace")


def _optional_returns(taken: str, made: str) -> tuple[str, ...]:
    return (
        f"if {taken} is not None:\n    return {made}({taken})\nreturn {made}",
        f"if {taken} is None:\n    return {made}\nreturn {made}({taken})",
        f"return {made}({taken}) if {taken} is not None else {made}",
        f"return {made} if {taken} is None else {made}({taken})",
        f"if {taken}:\n    return {made}({taken})\nreturn {made}",
    )


def _is_manager(wrapper: _Function) -> bool:
    return any(ast.unparse(one).rpartition(".")[2] in _MANAGERS for one in wrapper.decorator_list)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


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
