"""A span opened within ``run_tts`` by hand: what it begins with, and which lines go when a tracer takes it over."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.names import FUNCTIONS
from checks.pipecat.openings import (
    Opening,
    Reader,
    Unclear,
    Written,
    attribute_of,
    is_about_ttfb,
    span_calls,
    statements,
)
from checks.pipecat.span_decorators import opened_span
from checks.relayout import Entangled, Lines, Relayout
from checks.source import Source

_Block = list[ast.stmt]
_OF_A_FAILURE = ("record_exception", "set_status")


@dataclass(frozen=True, slots=True)
class SpanByHand:
    """What a span begins with, and the lines of ``run_tts`` that deal with it."""

    opening: Opening
    lines: Lines


def span_by_hand(method: ast.AsyncFunctionDef, source: Source) -> SpanByHand:
    """Return the span that a method opens itself.

    Raises:
        Unclear: it, or what it is told, depends on more than the service and the text.
    """
    try:
        return _Taken(method, source).span()
    except Entangled as entangled:
        raise Unclear(str(entangled)) from None


class _Taken:
    def __init__(self, method: ast.AsyncFunctionDef, source: Source):
        self._method = method
        self._source = source
        calls = span_calls(method)
        positional = [*method.args.posonlyargs, *method.args.args]
        if len(calls) != 1 or source.names.enclosing_function(calls[0]) is not method or len(positional) < 2:
            raise Unclear("the span is opened in a way of its own")
        self._call = calls[0]
        self._span, self._opener = opened_span(self._call, source)
        self._reader = Reader(source, service=(positional[0],), text=(positional[1],))
        self._doomed: set[ast.stmt] = set()
        self._relayout = Relayout(source)

    def span(self) -> SpanByHand:
        self._refuse_conditions()
        self._refuse_other_uses()
        written = Written(self._reader, self._span)
        written.open(self._call)
        for statement in self._told():
            ttfb = is_about_ttfb(statement, self._span)
            if ttfb is not None:
                written.ttfb = ttfb
            elif not self._is_dealt_with(statement):
                written.tell(statement)
            self._doomed |= set(statements([statement]))
        self._refuse_changes()
        self._take_variables()
        self._take_out()
        return SpanByHand(written.opening(None), self._relayout.lines())

    # -- what is understood

    def _refuse_conditions(self) -> None:
        for above in self._source.ancestors(self._opener):
            if above is self._method:
                return
            if not isinstance(above, (ast.With, ast.AsyncWith, ast.Try)):
                break
        raise Unclear(f"line {self._call.lineno}: whether a span is opened depends on a condition")

    def _names(self) -> Iterator[ast.Name]:
        for part in ast.walk(self._method):
            if isinstance(part, ast.Name) and part.id == self._span:
                yield part

    def _refuse_other_uses(self) -> None:
        told = {part for statement in self._told() for part in ast.walk(statement)}
        for part in ast.walk(self._method):
            if isinstance(part, ast.Attribute) and part.attr == "get_current_span":
                raise Unclear(f"line {part.lineno} asks for the current span")
        for name in self._names():
            if name in told or isinstance(name.ctx, ast.Store) or self._is_in_use_span(name):
                continue
            raise Unclear(f"line {name.lineno} uses the span in a way of its own")
        if sum(isinstance(name.ctx, ast.Store) for name in self._names()) > 1:
            raise Unclear(f"line {self._call.lineno}: {self._span} is given another value too")

    def _is_in_use_span(self, name: ast.Name) -> bool:
        return any(isinstance(above, ast.With) and self._is_use_span(above) for above in self._source.ancestors(name))

    def _is_use_span(self, statement: ast.stmt) -> bool:
        """Tell whether a statement is ``with trace.use_span(span):``."""
        if not isinstance(statement, ast.With) or len(statement.items) != 1:
            return False
        call = statement.items[0].context_expr
        return (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "use_span"
            and bool(call.args)
            and isinstance(call.args[0], ast.Name)
            and call.args[0].id == self._span
        )

    def _told(self) -> list[ast.stmt]:
        """Return the statements that do nothing but tell the span something, the outermost ones."""
        found: list[ast.stmt] = []
        for statement in statements(self._method.body):
            if self._is_told(statement) and not any(statement in ast.walk(one) for one in found):
                found.append(statement)
        return found

    def _is_told(self, statement: ast.stmt) -> bool:
        if not self._span or self._source.names.enclosing_function(statement) is not self._method:
            return False
        if isinstance(statement, ast.If):
            return not statement.orelse and all(self._is_told(one) for one in statement.body)
        if attribute_of(statement, self._span) is not None:
            return True
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call):
            return False
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        return any(isinstance(one, ast.Name) and one.id == self._span for one in arguments)

    def _is_dealt_with(self, statement: ast.stmt) -> bool:
        """Tell whether the tracer does itself what a statement does: end the span, record a failure."""
        found = attribute_of(statement, self._span)
        if found is None:
            return False
        return (found[0] == "end" and not (found[1].args or found[1].keywords)) or (
            found[0] in _OF_A_FAILURE and self._in_handler(statement)
        )

    def _in_handler(self, statement: ast.stmt) -> bool:
        return any(isinstance(above, ast.ExceptHandler) for above in self._source.ancestors(statement))

    def _refuse_changes(self) -> None:
        """Refuse attributes of the service that the method itself gives a value."""
        stored = {
            part.attr
            for part in ast.walk(self._method)
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
        }
        for statement in (self._opener, *self._doomed, *self._reader.read):
            inside: Sequence[ast.AST] = [self._call] if statement is self._opener else [statement]
            for part in (part for one in inside for part in ast.walk(one)):
                if isinstance(part, ast.Attribute) and part.attr in stored:
                    raise Unclear(f"line {part.lineno}: {ast.unparse(part)} is set by run_tts itself")

    def _take_variables(self) -> None:
        """Take along the variables that nothing else reads; a call may not be made twice."""
        leaving = {part for one in (*self._doomed, self._call, *self._reader.read) for part in ast.walk(one)}
        for statement in self._reader.read:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            name = target.id if isinstance(target, ast.Name) else None
            others = [
                part
                for part in ast.walk(self._method)
                if isinstance(part, ast.Name)
                and part.id == name
                and isinstance(part.ctx, ast.Load)
                and part not in leaving
            ]
            if name is not None and not others:
                self._doomed.add(statement)
            elif any(isinstance(part, ast.Call) for part in ast.walk(statement)):
                raise Unclear(f"line {statement.lineno}: the value is needed by run_tts too")

    # -- what goes

    def _take_out(self) -> None:
        if isinstance(self._opener, ast.Assign):
            self._doomed.add(self._opener)
        self._thin_out(self._method.body, self._method)
        if not [one for one in self._method.body if one not in self._doomed]:
            raise Unclear("run_tts would be left empty")

    def _thin_out(self, block: _Block, holder: ast.AST) -> None:
        """Drop what goes from a block and from the blocks within it."""
        for statement in block:
            if statement in self._doomed:
                self._relayout.drop(statement)
            elif isinstance(statement, FUNCTIONS):
                continue
            elif statement is self._opener or self._is_use_span(statement):
                assert isinstance(statement, ast.With)
                self._thin_out(statement.body, statement)
                self._relayout.unwrap(statement, statement.body, self._end_of(statement.body))
            elif isinstance(statement, ast.Try):
                self._thin_out_try(statement)
            else:
                for name in ("body", "orelse"):
                    self._thin_out(getattr(statement, name, []), statement)
        if block and all(one in self._doomed for one in block) and holder is not self._method:
            raise Unclear(f"line {block[0].lineno}: nothing would be left of this block")

    def _thin_out_try(self, statement: ast.Try) -> None:
        self._thin_out(statement.body, statement)
        self._thin_out(statement.orelse, statement)
        idle = [handler for handler in statement.handlers if self._only_raises(handler)]
        gone = statement.finalbody and all(one in self._doomed for one in statement.finalbody)
        keeps_handlers = len(idle) < len(statement.handlers)
        touched = any(one in self._doomed for handler in idle for one in handler.body)
        if idle and touched and not keeps_handlers and not statement.orelse:
            for handler in idle:
                self._drop_handler(handler)
        else:
            for handler in statement.handlers:
                self._thin_out(handler.body, handler)
            keeps_handlers = bool(statement.handlers)
        if not gone:
            self._thin_out(statement.finalbody, statement)
        else:
            last = [*statement.body, *(one for h in statement.handlers for one in h.body), *statement.orelse][-1]
            self._relayout.drop_clause("finally:", last, statement.finalbody)
        if not keeps_handlers and (gone or not statement.finalbody):
            self._relayout.unwrap(statement, statement.body, self._end_of(statement.body))

    def _only_raises(self, handler: ast.ExceptHandler) -> bool:
        left = [one for one in handler.body if one not in self._doomed]
        return len(left) == 1 and isinstance(left[0], ast.Raise) and left[0].exc is None

    def _drop_handler(self, handler: ast.ExceptHandler) -> None:
        start, end = self._source.span(handler).line, self._source.span(handler.body[-1]).end_line
        if not self._source.begins_line(handler):
            raise Entangled(f"line {start} holds more than this handler")
        self._relayout.drop_lines(start, end)

    def _end_of(self, block: _Block) -> int:
        """Return the last line of a block, with the comments behind its last statement that are indented like it."""
        line = self._source.span(block[-1]).end_line
        depth = self._source.span(block[0]).column
        last = line
        while line < self._source.line_count:
            line += 1
            text = self._source.line(line)
            if text.strip() and (not text.lstrip().startswith("#") or len(text) - len(text.lstrip()) + 1 < depth):
                break
            last = line if text.strip() else last
        return last
