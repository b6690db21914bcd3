"""A span opened within ``run_tts`` by hand: what it begins with, and which lines go when a tracer takes it over."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from checks.names import FUNCTIONS
from checks.pipecat.openings import (
    Opening,
    Reader,
    Written,
    attribute_of,
    is_about_ttfb,
    span_calls,
)
from checks.pipecat.span_decorators import OF_A_FAILURE, opened_span
from checks.relayout import Entangled, Lines, Relayout
from checks.source import Source, statements
from checks.unclear import Unclear
from checks.walk import walk

_Block = list[ast.stmt]
# What hands on, or asks for, the span that is open.
_CURRENT_SPAN = ("get_current_span", "get_current", "inject", "attach")


class SpanByHand(NamedTuple):
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


def asks_for_current_span(method: ast.AsyncFunctionDef) -> ast.Name | ast.Attribute | None:
    """Return a place where a method asks for the span that is open, or hands it on without naming it."""
    for part in walk(method):
        if isinstance(part, ast.Attribute) and part.attr in _CURRENT_SPAN:
            return part
        if isinstance(part, ast.Name) and part.id in _CURRENT_SPAN:
            return part
    return None


class _Taken:
    """A span that is open for the whole synthesis: a ``with`` or ``try`` that ends the method."""

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
        before, block = self._whole()
        self._check_before(before)
        written = Written(self._reader, self._span)
        written.open(self._call)
        self._read_told(block, written)
        self._check_names()
        self._take_variables()
        self._take_out(block)
        return SpanByHand(written.opening(None), self._relayout.lines())

    # -- what is understood

    def _whole(self) -> tuple[Sequence[ast.stmt], list[ast.stmt]]:
        """Return the statements in front of the one that opens the span, and those for which it is open."""
        body = self._method.body
        if self._opener not in body:
            raise Unclear(f"line {self._call.lineno}: whether a span is opened depends on a condition")
        index = body.index(self._opener)
        behind = body[index + 1 :]
        if isinstance(self._opener, ast.With):
            if behind:
                raise Unclear(f"line {behind[0].lineno}: the span ends before the method does")
            return body[:index], self._opener.body
        return body[:index], behind

    def _check_before(self, before: Sequence[ast.stmt]) -> None:
        """Make sure that nothing happens before the span is opened that is seen in it, or keeps it from being."""
        for statement in before:
            call = statement.value if isinstance(statement, ast.Expr) else None
            is_text = isinstance(call, ast.Constant)
            is_log = isinstance(call, ast.Call) and ast.unparse(call.func).startswith("logger.")
            is_name = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
            if not (is_text or is_log or is_name) or any(isinstance(part, ast.Await) for part in walk(statement)):
                raise Unclear(f"line {statement.lineno}: more happens before the span is opened")

    def _read_told(self, block: list[ast.stmt], written: Written) -> None:
        """Read what the span is told at once; later, only its end, a failure and the first byte are understood."""
        told = 0
        while told < len(block) and self._is_told(block[told]):
            if is_about_ttfb(block[told], self._span) is not None or self._is_end(block[told]):
                break
            written.tell(block[told])
            told += 1
        self._doomed |= set(block[:told])
        for statement in statements(block[told:]):
            parent = self._source.parent(statement)
            if not self._is_told(statement) or parent in self._doomed:
                continue
            ttfb = is_about_ttfb(statement, self._span)
            if ttfb is not None:
                written.measure(ttfb)
            elif not self._is_end(statement) and not self._is_failure(statement):
                raise Unclear(f"line {statement.lineno}: the span is told more as the synthesis goes on")
            self._doomed |= set(statements([statement]))

    def _is_told(self, statement: ast.stmt) -> bool:
        """Tell whether a statement does nothing but tell the span something."""
        if not self._span:
            return False
        if is_about_ttfb(statement, self._span) is not None or attribute_of(statement, self._span) is not None:
            return True
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call):
            return False
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        return any(isinstance(one, ast.Name) and one.id == self._span for one in arguments)

    def _is_end(self, statement: ast.stmt) -> bool:
        """Tell whether a statement ends the span, as the method ends."""
        found = attribute_of(statement, self._span)
        if found is None or found[0] != "end" or found[1].args or found[1].keywords:
            return False
        parent = self._source.parent(statement)
        block = parent.finalbody if isinstance(parent, ast.Try) else self._method.body
        outermost = parent is self._method or (parent is self._method.body[-1] and statement in block)
        return outermost and statement is block[-1]

    def _is_failure(self, statement: ast.stmt) -> bool:
        """Tell whether a statement records a failure that is raised on, which the tracer records too."""
        found = attribute_of(statement, self._span)
        handler = self._source.parent(statement)
        if found is None or found[0] not in OF_A_FAILURE or not isinstance(handler, ast.ExceptHandler):
            return False
        attempt = self._source.parent(handler)
        told = (attribute_of(one, self._span) for one in handler.body[:-1])
        only_records = all(one is not None and one[0] in OF_A_FAILURE for one in told)
        alone = isinstance(attempt, ast.Try) and not attempt.orelse
        return only_records and alone and ast.unparse(handler.body[-1]) == "raise"

    def _check_names(self) -> None:
        """Make sure that the span, and what holds for the time it is open, is used for nothing else."""
        asking = asks_for_current_span(self._method)
        if asking is not None:
            raise Unclear(f"line {asking.lineno} asks for the current span")
        for part in walk(self._method):
            if isinstance(part, ast.TryStar):
                raise Unclear(f"line {part.lineno}: except* is not understood")
        doomed = {part for statement in self._doomed for part in walk(statement)}
        for part in walk(self._method):
            if isinstance(part, ast.Name) and part.id == self._span and part not in doomed:
                stores = isinstance(part.ctx, ast.Store) and part in walk(self._opener)
                if not stores and not self._is_in_use_span(part):
                    raise Unclear(f"line {part.lineno} uses the span in a way of its own")
        if self._span and len(self._source.names.table(self._method).get(self._span, [])) != 1:
            raise Unclear(f"line {self._call.lineno}: {self._span} is given another value too")

    def _is_in_use_span(self, name: ast.Name) -> bool:
        call = self._source.parent(name)
        item = self._source.parent(call) if call is not None else None
        holder = self._source.parent(item) if item is not None else None
        return isinstance(holder, ast.With) and self._is_use_span(holder)

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

    def _take_variables(self) -> None:
        """Take along the variables that nothing else reads; a call may not be made twice."""
        leaving = {part for one in (*self._doomed, self._call, *self._reader.read) for part in walk(one)}
        for statement in self._reader.read:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            name = target.id if isinstance(target, ast.Name) else None
            others = [
                part
                for part in walk(self._method)
                if isinstance(part, ast.Name)
                and part.id == name
                and isinstance(part.ctx, ast.Load)
                and part not in leaving
            ]
            if name is not None and not others:
                self._doomed.add(statement)
            elif any(isinstance(part, ast.Call) for part in walk(statement)):
                raise Unclear(f"line {statement.lineno}: the value is needed by run_tts too")

    # -- what goes

    def _take_out(self, block: list[ast.stmt]) -> None:
        if isinstance(self._opener, ast.Assign):
            self._doomed.add(self._opener)
        if not [one for one in block if one not in self._doomed]:
            raise Unclear("nothing would be left of run_tts")
        self._thin_out(self._method.body, self._method)

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
        gone = bool(statement.finalbody) and all(one in self._doomed for one in statement.finalbody)
        touched = any(one in self._doomed for handler in idle for one in handler.body)
        drops = touched and len(idle) == len(statement.handlers) and not statement.orelse
        for handler in statement.handlers:
            if drops:
                self._drop_handler(handler)
            else:
                self._thin_out(handler.body, handler)
        if gone:
            last = [*statement.body, *(one for h in statement.handlers for one in h.body), *statement.orelse][-1]
            self._relayout.drop_clause("finally:", last, statement.finalbody)
        else:
            self._thin_out(statement.finalbody, statement)
        if (drops or not statement.handlers) and (gone or not statement.finalbody):
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
