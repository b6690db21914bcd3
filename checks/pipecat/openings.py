"""What a span is opened with: its name, parent and lasting attributes, read off a decorator that opens one."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass

from checks.source import Source

SPAN_CALLS = ("start_as_current_span", "start_span")
_KEPT_BY_THE_TRACER = ("metrics.ttfb", "metrics.character_count", "text", "tts.interrupted")
SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Opening:
    """Lines of code that open a span for ``service``, with ``name`` as its name if that is given."""

    lines: tuple[str, ...]


def span_call(function: ast.AST) -> ast.Call | None:
    """Return the first call within a function that opens a span."""
    for part in ast.walk(function):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in SPAN_CALLS:
            return part
    return None


def opening(decorator: ast.FunctionDef, source: Source) -> Opening | str:
    """Return what the span of a decorator is opened with, or why it cannot be carried over."""
    call = span_call(decorator)
    inner = source.names.enclosing_function(call) if call is not None else None
    if call is None or not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) or inner is decorator:
        return "its span is opened in a way of its own"
    span = _variable(call, source)
    positional = [*inner.args.posonlyargs, *inner.args.args]
    if span is None or not positional or not call.args:
        return "its span is opened in a way of its own"
    reader = _Reader(inner, positional[0].arg, source)
    return reader.opening(call, span)


def _variable(call: ast.Call, source: Source) -> str | None:
    """Return the variable a span is put into."""
    parent = source.parent(call)
    target: ast.expr | None = None
    if isinstance(parent, ast.withitem):
        target = parent.optional_vars
    elif isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        target = parent.targets[0]
    return target.id if isinstance(target, ast.Name) else None


class _Reader:
    """Puts expressions of one function in terms of a service alone, and notes the variables they need."""

    def __init__(self, inner: ast.FunctionDef | ast.AsyncFunctionDef, this: str, source: Source):
        self._inner = inner
        self._this = this
        self._source = source
        self._globals = set(source.names.table(source.tree)) | set(dir(builtins))
        self._locals = {
            statement.targets[0].id: statement.value
            for statement in source.nodes(ast.Assign)
            if source.names.enclosing_function(statement) is inner
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        }
        self._needed: list[str] = []

    def opening(self, call: ast.Call, span: str) -> Opening | str:
        assert isinstance(call.func, ast.Attribute)
        tracer, label = self._read(call.func.value), self._read(call.args[0])
        keywords = {keyword.arg: self._read(keyword.value) for keyword in call.keywords}
        if tracer is None or label is None or set(keywords) - {"context"} or None in keywords.values():
            return "its span is opened with what depends on the call"
        context = f", context={keywords['context']}" if keywords else ""
        lines = [f"{span} = {tracer}.start_span(name or {label}{context})"]
        for statement in self._statements(span):
            written = self._attributes(statement, span)
            if written is None:
                line = self._source.span(statement).line
                return f"line {line} gives the span what depends on the call"
            lines += written
        needed = [f"{name} = {self._read(self._locals[name])}" for name in self._in_order()]
        return Opening((*needed, *lines, f"return {span}"))

    def _in_order(self) -> list[str]:
        return [name for name in self._locals if name in self._needed]

    def _read(self, node: ast.expr) -> str | None:
        """Return an expression with ``service`` for ``self``, or None if it depends on more than the service."""
        for part in ast.walk(node):
            if not isinstance(part, ast.Name) or part.id == self._this:
                continue
            if part.id in self._locals:
                if self._read(self._locals[part.id]) is None:
                    return None
                if part.id not in self._needed:
                    self._needed.append(part.id)
            elif part.id not in self._globals:
                return None
        renamed = _Renamed(self._this).visit(ast.parse(self._source.segment(node).strip(), mode="eval").body)
        return _double_quoted(ast.unparse(renamed))

    def _statements(self, span: str) -> Iterator[ast.Expr]:
        for statement in self._source.nodes(ast.Expr):
            if self._source.names.enclosing_function(statement) is self._inner:
                if isinstance(statement.value, ast.Call) and span in _names(statement.value):
                    yield statement

    def _attributes(self, statement: ast.Expr, span: str) -> list[str] | None:
        call = statement.value
        assert isinstance(call, ast.Call)
        self._globals.add(span)
        if (
            isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == span
        ):
            key = call.args[0] if call.args else None
            if isinstance(key, ast.Constant) and key.value in _KEPT_BY_THE_TRACER:
                return []
            text = self._read(call)
            return [text] if text is not None else None
        function = self._read(call.func)
        if function is None or call.args:
            return None
        lines = [f"{function}("]
        for keyword in call.keywords:
            value = self._read(keyword.value) if keyword.arg else None
            if keyword.arg in ("text", "character_count"):
                continue  # they change as the synthesis goes on; the tracer sets them itself
            if value is None:
                return None
            lines.append(f"    {keyword.arg}={value},")
        return [*lines, ")"]


class _Renamed(ast.NodeTransformer):
    def __init__(self, this: str):
        self._this = this

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(SERVICE if node.id == self._this else node.id, node.ctx)


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _double_quoted(text: str) -> str:
    return text if '"' in text else text.replace("'", '"')
