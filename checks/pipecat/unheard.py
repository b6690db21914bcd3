"""Classes that are gone, and nothing took their place: nobody can make an object of one, or wait for it.

Facts from the wheels: ``StopInterruptionFrame`` told processors until 0.0.82 that a user's turn had ended, and
``InterruptionCompletedFrame`` of 0.0.86 to 0.0.88 whoever had asked for an interruption. Their processors went on
without being told. Aggregators asked their transport by ``EmulateUserStartedSpeakingFrame``, and the one of stopping,
to tell of a user who was transcribed but not heard; from 1.0.0 on they tell of that by themselves.
"""

from __future__ import annotations

import ast

from checks.arguments import Change
from checks.pipecat import timeline
from checks.pipecat.advice import advice
from checks.pipecat.alternatives import alternatives_around, left_out
from checks.pipecat.needless import NeedlessName, without_uses
from checks.pipecat.renames import newest_name
from checks.source import Source
from checks.unclear import Unclear

_FRAMES = "pipecat.frames.frames."
_UNHEARD = (f"{_FRAMES}StopInterruptionFrame", f"{_FRAMES}InterruptionCompletedFrame")
# To send one of these asks for something; a test for others besides does without.
_EMULATED = (f"{_FRAMES}EmulateUserStartedSpeakingFrame", f"{_FRAMES}EmulateUserStoppedSpeakingFrame")
_SENDS = ("push_frame", "queue_frame")
_DIRECTION = "pipecat.processors.frame_processor.FrameDirection."


def given_up(alias: ast.alias, node: ast.ImportFrom, source: Source) -> NeedlessName:
    """Return the import without a class that is gone, and what becomes of its uses.

    As one of several classes in a test, or in an annotation, it is left out. A statement that only sends a frame which
    nothing hears goes.

    Raises:
        Unclear: there is something to do instead, it is used in another way, others may be meant to have the name, or a
            comment would have no place.
    """
    dotted, target = f"{node.module}.{alias.name}", source.project.target
    name = timeline.canonical(dotted, target)
    if name not in (*_UNHEARD, *_EMULATED) and advice(dotted, target):
        raise Unclear("")

    def becomes(use: ast.Name) -> Change | ast.stmt:
        sending = _sending(use, source) if name in _UNHEARD else None
        return _without(use, source) if sending is None else sending

    return without_uses(alias, node, becomes, source)


def _without(use: ast.Name, source: Source) -> Change:
    """Return the change that leaves a class out of several, of which one is still there."""
    found = alternatives_around(use, source)
    names = [source.names.resolve(one) for one in found.each] if found is not None else []
    if names and all(name is not None and _is_gone(name, source) for name in names):
        raise Unclear(f"line {use.lineno} asks for nothing else")
    return left_out(use, None, source)


def _is_gone(name: str, source: Source) -> bool:
    return timeline.exists(name, source.project.target) is False and newest_name(name, source.project.target) is None


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
