"""``TranscriptProcessor``, which is gone, and the aggregators' events that bring what was said.

Facts from the wheels: until 0.0.108 the processors of the user's and the assistant's side called the one handler of
``on_transcript_update`` with a frame whose ``messages`` had ``role``, ``content`` and ``timestamp``. From 1.0.0 on the
user's aggregator calls the handlers of ``on_user_turn_stopped`` with itself, a strategy and a message, the assistant's
those of ``on_assistant_turn_stopped`` with itself and a message: of ``content``, which may be empty, and ``timestamp``,
when the turn began. From 1.4.0 on the user's message has no content beside a realtime service.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.arguments import Change, Rewrite, check_comments
from checks.hoist import unused_name
from checks.pipecat.aggregators import check_exist
from checks.pipecat.contexts import AGGREGATORS
from checks.pipecat.realtime import makes_one
from checks.pipecat.stages import Leaving, Stage, bound_by, reads_of, stage_of, the_one, uses_of
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

MODULE = "pipecat.processors.transcript_processor"
NAMES = ("TranscriptProcessor",)
DIFFERENCE = "there is one message for each turn then, with the time at which it began"
_CLASS = f"{MODULE}.TranscriptProcessor"
_HALVES = ("user", "assistant")
_EVENT = "on_transcript_update"
_MESSAGES = (f"{AGGREGATORS}.UserTurnStoppedMessage", f"{AGGREGATORS}.AssistantTurnStoppedMessage")
_SAME = ("content", "timestamp")


def leaving(source: Source) -> Leaving:
    """Return the changes that have the aggregators tell what was said.

    Raises:
        Unclear: the processor is more than an element of a pipeline, or its handler does more than take each message.
    """
    if "TranscriptionUpdateFrame" in source.text or source.project.paths_mentioning("TranscriptionUpdateFrame"):
        raise Unclear("TranscriptionUpdateFrame, which only it pushed, is asked for")
    made = the_one(_CLASS, source)
    if made.args or made.keywords:
        raise Unclear("not all that it is given is seen")
    bound = bound_by(made, source)
    if bound is None or len(uses_of(_CLASS, source)) != 1:
        raise Unclear("more is done with it than to keep it under a name")
    asked = [source.parent(read) for read in reads_of(bound[0], source)]
    elements = [call for one in asked if (call := _half_of(one, source)) is not None]
    handlers = [found for one in asked if (found := _handler(one, source)) is not None]
    if len(elements) + len(handlers) != len(asked) or not elements or len(handlers) > 1:
        raise Unclear(f"more is done with {bound[1]} than to put its halves into a pipeline and handle {_EVENT}")
    stage = stage_of(elements[0], source)
    if any(source.parent(one) is not stage.elements for one in elements):
        raise Unclear("its halves are in several pipelines")
    gone = stage.without(elements, source)
    removed = (source.span(bound[0]),)
    if not handlers:
        return Leaving(Rewrite((gone,), Fix.UNSAFE), removed)
    check_exist(_MESSAGES, source)
    changes, lines = _handled(handlers[0], stage, [_name(one) for one in elements], source)
    behind = ((source.span(handlers[0]), tuple(lines)),)
    return Leaving(Rewrite((gone, *changes), Fix.UNSAFE), removed, behind=behind)


def _half_of(node: ast.AST | None, source: Source) -> ast.Call | None:
    call = source.parent(node) if isinstance(node, ast.Attribute) and node.attr in _HALVES else None
    return call if isinstance(call, ast.Call) and not call.args and not call.keywords else None


def _name(half: ast.Call) -> str:
    assert isinstance(half.func, ast.Attribute)
    return half.func.attr


def _handler(node: ast.AST | None, source: Source) -> ast.AsyncFunctionDef | None:
    """Return the function that is decorated to handle the event."""
    call = source.parent(node) if isinstance(node, ast.Attribute) and node.attr == "event_handler" else None
    match call:
        case ast.Call(args=[ast.Constant(value="on_transcript_update")], keywords=[]):
            function = source.parent(call)
            is_decorated = isinstance(function, ast.AsyncFunctionDef) and function.decorator_list == [call]
            return function if isinstance(function, ast.AsyncFunctionDef) and is_decorated else None
        case _:
            return None


def _handled(
    function: ast.AsyncFunctionDef, stage: Stage, halves: list[str], source: Source
) -> tuple[list[Change], list[str]]:
    """Return the changes that make the handler a function of one message, and the handlers that call it."""
    if makes_one(source):
        raise Unclear("a realtime service has the user's words come by another event")
    if source.names.enclosing_function(function) is not source.names.enclosing_function(stage.elements):
        raise Unclear("its handler is not where the pipeline is made")
    is_used = any(one.id == function.name and isinstance(one.ctx, ast.Load) for one in source.nodes(ast.Name))
    if is_used or source.start(function) < source.end(stage.elements):
        raise Unclear("its handler is not only handed to it once the pipeline is made")
    loop, message, role = _loop(function, source)
    decorated = source.start(function.decorator_list[0]) - 1
    head = source.span_between(decorated, source.offset(*_head_end(function, source)))
    parameters = [*([role] if role else []), message]
    signature = Change(head, f"async def {function.name}({', '.join(parameters)}):")
    check_comments(signature, source)
    changes = [signature, *_unwrapped(loop, message, role, source)]
    lines: list[str] = []
    for half in halves:
        node = stage.user if half == "user" else stage.assistant
        if node is None:
            raise Unclear("the assistant's aggregator is not in the pipeline")
        name = unused_name(f"on_{half}_turn_stopped", source)
        given = [f'"{half}"', "message"] if role else ["message"]
        lines += [
            "",
            f'@{source.segment(node)}.event_handler("on_{half}_turn_stopped")',
            f"async def {name}(aggregator, {'strategy, ' if half == 'user' else ''}message):",
            "    if message.content:",
            f"        await {function.name}({', '.join(given)})",
        ]
    return changes, lines


def _head_end(function: ast.AsyncFunctionDef, source: Source) -> tuple[int, int]:
    end = source.head_end(source.span(function))
    if end is None or end[0] >= function.body[0].lineno:
        raise Unclear("its handler is written in an odd way")
    return end


def _loop(function: ast.AsyncFunctionDef, source: Source) -> tuple[ast.For, str, str]:
    """Return the loop of a handler that takes each message, what it calls one, and a name for its role, if asked for.

    Raises:
        Unclear: the handler does more with the frame, or with a message, than that.
    """
    names = [one.arg for one in function.args.args]
    if len(names) != 2 or function.args.posonlyargs or function.args.kwonlyargs or function.args.defaults:
        raise Unclear("its handler takes other parameters than it is called with")
    loops = [one for one in function.body if isinstance(one, ast.For) and _takes_messages(one, names[1])]
    used = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id in names]
    if len(loops) != 1 or len(used) != 1 or not isinstance(loops[0].target, ast.Name) or loops[0].orelse:
        raise Unclear("its handler does more than take each message of the frame")
    loop, message = loops[0], loops[0].target.id
    asked = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == message]
    attributes = [source.parent(node) for node in asked if node is not loop.target]
    if any(isinstance(node, (ast.Break, ast.Continue)) for node in ast.walk(loop)):
        raise Unclear("its handler leaves out some messages")
    for one in attributes:
        if not isinstance(one, ast.Attribute) or one.attr not in ("role", *_SAME):
            raise Unclear("its handler does more with a message than ask for role, content and timestamp")
    is_asked = any(isinstance(one, ast.Attribute) and one.attr == "role" for one in attributes)
    return loop, message, unused_name("role", source) if is_asked else ""


def _takes_messages(loop: ast.For, frame: str) -> bool:
    match loop.iter:
        case ast.Attribute(value=ast.Name(id=name), attr="messages"):
            return name == frame
        case _:
            return False


def _unwrapped(loop: ast.For, message: str, role: str, source: Source) -> Iterator[Change]:
    """Yield the changes that take a loop from around its body, which asks for no role any more."""
    first, start = source.span(loop.body[0]).line, source.span(loop).line
    end = source.head_end(source.span(loop))
    if end is None or end[0] >= first or source.has_comment(source.line_start(start), source.line_start(end[0] + 1)):
        raise Unclear("its handler is written in an odd way")
    if any(_spans_lines(node) for node in ast.walk(loop)):
        raise Unclear("a string in its handler runs over several lines")
    inner = source.line(first)[: source.span(loop.body[0]).column - 1]
    width = len(inner) - (source.span(loop).column - 1)
    yield Change(source.span_between(source.line_start(start), source.line_start(end[0] + 1)), "")
    for number in range(end[0] + 1, source.span(loop).end_line + 1):
        if source.line(number).startswith(inner[:width]):
            at = source.line_start(number)
            yield Change(source.span_between(at, at + width), "")
        elif source.line(number).strip():
            raise Unclear("its handler is indented in a way of its own")
    for node in ast.walk(loop):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr="role") if name == message:
                yield Change(source.span(node), role)
            case _:
                pass


def _spans_lines(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    return is_text and node.lineno != node.end_lineno  # type: ignore[attr-defined]
