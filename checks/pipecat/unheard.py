"""Classes that are gone, and nothing took their place: nobody can make an object of one, or wait for it.

Facts from the wheels: ``StopInterruptionFrame`` told processors until 0.0.82 that a user's turn had ended, and
``InterruptionCompletedFrame`` of 0.0.86 to 0.0.88 whoever had asked for an interruption. Their processors went on
without being told.
"""

from __future__ import annotations

import ast

from checks.arguments import Change
from checks.pipecat.alternatives import left_out
from checks.pipecat.needless import NeedlessName, without_uses
from checks.source import Source
from checks.unclear import Unclear

_UNHEARD = tuple(f"pipecat.frames.frames.{name}" for name in ("StopInterruptionFrame", "InterruptionCompletedFrame"))
_SENDS = ("push_frame", "queue_frame")
_DIRECTION = "pipecat.processors.frame_processor.FrameDirection."


def given_up(alias: ast.alias, node: ast.ImportFrom, source: Source) -> NeedlessName:
    """Return the import without a class that is gone, and what becomes of its uses.

    As one of several classes in a test, or in an annotation, it is left out. A statement that only sends a frame which
    nothing hears goes.

    Raises:
        Unclear: it is used in another way, others may be meant to have the name, or a comment would have no place.
    """
    is_unheard = f"{node.module}.{alias.name}" in _UNHEARD

    def becomes(use: ast.Name) -> Change | ast.stmt:
        sending = _sending(use, source) if is_unheard else None
        return left_out(use, None, source) if sending is None else sending

    return without_uses(alias, node, becomes, source)


def _sending(use: ast.Name, source: Source) -> ast.stmt | None:
    """Return the statement that does nothing but send a frame made on the spot; None where it is no such thing."""
    frame = source.parent(use)
    call = source.parent(frame) if isinstance(frame, ast.Call) else None
    awaited = source.parent(call) if isinstance(call, ast.Call) else None
    statement = source.parent(awaited) if isinstance(awaited, ast.Await) else None
    match call, frame:
        case (
            ast.Call(func=ast.Attribute(value=asked, attr=name), args=[first, *rest], keywords=named),
            ast.Call(args=[], keywords=[]),
        ) if first is frame and frame.func is use and name in _SENDS and isinstance(statement, ast.Expr):
            given = [*rest, *(one.value for one in named)]
        case _:
            return None
    while isinstance(asked, ast.Attribute):
        asked = asked.value
    if not isinstance(asked, ast.Name) or not all(_is_direction(one, source) for one in given):
        return None
    _check_lines(statement, source)
    return statement


def _is_direction(value: ast.expr, source: Source) -> bool:
    """Tell whether a value says which way a frame goes, and nothing is worked out for it."""
    return isinstance(value, ast.Name) or (source.names.resolve(value) or "").startswith(_DIRECTION)


def _check_lines(statement: ast.stmt, source: Source) -> None:
    """Raise Unclear where a comment may speak of a statement, or other code stands on its lines."""
    span = source.span(statement)
    start, end = source.line_start(span.line), source.line_start(span.end_line + 1)
    above = source.line(span.line - 1).lstrip() if span.line > 1 else ""
    if above.startswith("#") or source.has_comment(start, end):
        raise Unclear(f"a comment may be about line {span.line}, which sends it")
    if not source.begins_line(statement) or source.line(span.end_line)[span.end_column - 1 :].strip():
        raise Unclear(f"line {span.line}, which sends it, holds other code too")
