"""TTS services of the project's own that open an audio context by an id they make up, and then are told of one.

Facts from the wheels: from 0.0.105 on ``TTSService`` opens a turn with an id that it gives to each ``run_tts`` of it,
sends what that yields to the audio context of the id, which it makes if there is none, and flushes that context at the
end of the turn. So a context by another id is played behind one in which nothing is said, seconds later.
A context must not be made twice: what is in it would be lost, and up to 1.8.1 the task that plays them ends with it.
The id is kept behind whatever may end ``run_tts`` first, as a connection that fails does: the next call tries it again.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from checks.arguments import Change
from checks.loggers import module_logger
from checks.pipecat.hierarchy import Lineage, lineage
from checks.pipecat.members import heirs, is_bound, is_set_from_outside
from checks.pipecat.own_settings import has_plain_bases
from checks.pipecat.releases import parse
from checks.receivers import is_self_attribute, self_attributes
from checks.source import Source
from checks.unclear import Unclear

Function = ast.FunctionDef | ast.AsyncFunctionDef

TOLD = "context_id"
_SINCE = parse("0.0.105")
_CREATE = "create_audio_context"
_AVAILABLE = "audio_context_available"
_BY_ID = (_CREATE, _AVAILABLE, "append_to_audio_context", "remove_audio_context")
_OF_METRICS = ("start_ttfb_metrics", "start_processing_metrics", "start_tts_usage_metrics", "stop_all_metrics")
_OBSTACLE = "the class keeps audio contexts of its own, which are to be those it is told of"


class _Opened(NamedTuple):
    """``if not self.kept: …; self.kept = str(uuid.uuid4()); await self.create_audio_context(self.kept); …``."""

    kept: ast.Attribute
    test: ast.If
    first: int


def uses_contexts(owner: ast.ClassDef) -> bool:
    """Tell whether a class deals with audio contexts itself."""
    return any(isinstance(node, ast.Attribute) and "audio_context" in node.attr for node in ast.walk(owner))


def taken_over(method: Function, owner: ast.ClassDef, source: Source) -> list[Change]:
    """Return the changes that have a class open the context it is told of in the place of one of its own.

    Raises:
        Unclear: contexts are not opened in just this way, or what keeps the id is given something else.
    """
    line = lineage(owner, source)
    oldest = source.oldest
    if oldest < _SINCE or heirs(owner, source) or len(line.own) > 1 or not has_plain_bases(line, source.project.target):
        raise Unclear(_OBSTACLE)
    opened = _opened(method, source)
    if not _is_only_way(opened, owner, line, source):
        raise Unclear(_OBSTACLE)
    return _changes(opened, source)


def _opened(method: Function, source: Source) -> _Opened:
    tests = [one for one in ast.walk(method) if isinstance(one, ast.If) and not one.orelse]
    for test in tests:
        for at, (given, made) in enumerate(zip(test.body, test.body[1:], strict=False)):
            kept = _made_up(given, source)
            if kept is not None and _asks_whether_none(test.test, kept) and _creates(made, kept):
                return _Opened(kept, test, at)
    raise Unclear(_OBSTACLE)


def _made_up(statement: ast.stmt, source: Source) -> ast.Attribute | None:
    """Return the attribute of ``self`` that a statement gives ``str(uuid.uuid4())``."""
    match statement:
        case ast.Assign(
            targets=[ast.Attribute() as kept],
            value=ast.Call(func=ast.Name(id="str"), args=[ast.Call(func=made, args=[], keywords=[])], keywords=[]),
        ) if source.names.resolve(made) == "uuid.uuid4" and is_self_attribute(kept, source):
            return kept
        case _:
            return None


def _asks_whether_none(test: ast.expr, kept: ast.Attribute) -> bool:
    name = ast.unparse(kept)
    return ast.unparse(test) in (f"not {name}", f"{name} is None")


def _creates(statement: ast.stmt, kept: ast.Attribute) -> bool:
    this = ast.unparse(kept.value)
    return ast.unparse(statement) == f"await {this}.{_CREATE}({ast.unparse(kept)})"


def _is_only_way(opened: _Opened, owner: ast.ClassDef, line: Lineage, source: Source) -> bool:
    """Tell whether contexts are dealt with by id, made but here, and the id kept is but taken away elsewhere."""
    kept, before = opened.kept, opened.test.body[: opened.first]
    named = [node.attr for node in ast.walk(owner) if isinstance(node, ast.Attribute) and "audio_context" in node.attr]
    if not set(named) <= set(_BY_ID) or named.count(_CREATE) != 1:
        return False
    if is_set_from_outside(kept.attr, source) or any(is_bound(kept.attr, one, home) for home, one in line.own):
        return False
    if any(isinstance(part, ast.Attribute) and part.attr == kept.attr for one in before for part in ast.walk(one)):
        return False
    stores = [one for one in self_attributes(owner, kept.attr, source) if not isinstance(one.ctx, ast.Load)]
    return all(one is kept or _takes_away(source.parent(one)) for one in stores)


def _takes_away(statement: ast.AST | None) -> bool:
    match statement:
        case ast.Assign(targets=[_], value=value) | ast.AnnAssign(value=value):
            return value is None or (isinstance(value, ast.Constant) and not value.value)
        case _:
            return False


def _changes(opened: _Opened, source: Source) -> list[Change]:
    """Return the changes of one place: the context is made, if it is not there, before anything is put into it."""
    kept, test, first = opened
    given, made, before = test.body[first], test.body[first + 1], test.body[:first]
    at = next((number for number in range(first, 0, -1) if not _goes_on(before[number - 1], source)), 0)
    if not all(source.begins_line(one) for one in test.body) or any(_yields(one) for one in before[:at]):
        raise Unclear(_OBSTACLE)
    top = source.span(before[-1]).end_line + 1 if before else source.span(given).line
    start, end = source.line_start(top), source.line_start(source.span(made).end_line + 1)
    begin = source.line_start(source.span(test.body[at]).line)
    above = source.line_start(source.span(before[at - 1]).end_line + 1) if at else source.end(test.test)
    if source.has_comment(start, end) or source.has_comment(above, begin):
        raise Unclear("a comment in it would have no place")
    this, name = ast.unparse(kept.value), ast.unparse(kept)
    indent = source.text[source.line_start(source.span(given).line) : source.start(given)]
    deeper = indent + source.step(source.span(given).line)
    text = (
        f"{indent}{name} = {TOLD}\n"
        f"{indent}if not {this}.{_AVAILABLE}({TOLD}):\n"
        f"{deeper}await {this}.{_CREATE}({TOLD})\n"
    )
    asked = Change(source.span(test.test), f"{name} != {TOLD}")
    if at == first:
        return [asked, Change(source.span_between(start, end), text)]
    return [asked, Change(source.span_between(begin, begin), text), Change(source.span_between(start, end), "")]


def _goes_on(statement: ast.stmt, source: Source) -> bool:
    """Tell whether a statement is sure to lead on: it yields a frame, tells the metrics or the log, or sets a flag."""
    match statement:
        case ast.Expr(value=ast.Yield(value=ast.Call() | ast.Name())):
            return True
        case ast.Expr(value=ast.Await(value=ast.Call(func=ast.Attribute(attr=name) as method))):
            return is_self_attribute(method, source) and name in _OF_METRICS
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name == module_logger(source)
        case ast.Assign(value=ast.Constant()):
            return True
        case _:
            return False


def _yields(statement: ast.stmt) -> bool:
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(statement))
