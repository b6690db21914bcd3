"""A realtime service that brackets each audio item instead of each response.

What it finds:
    An LLM service whose handler of audio deltas keeps track of one item and pushes ``TTSStartedFrame`` when it takes
    one up, and whose handler of ``audio.done`` pushes ``TTSStoppedFrame``.

Why it matters:
    One response can hold more than one audio item (seen with gpt-realtime-2), and the first item's ``audio.done`` can
    arrive after deltas of the second. The bot then seems to stop while it still speaks, or to start twice, and an
    interruption truncates the wrong item, or one item by another's length.

Example:
    ::

        if not self._current_audio_response:
            self._current_audio_response = CurrentAudioResponse(item_id=evt.item_id, …)
            await self.push_frame(TTSStartedFrame())

    becomes::

        if not self._current_audio_response or self._current_audio_response.item_id != evt.item_id:
            self._current_audio_response = CurrentAudioResponse(item_id=evt.item_id, …)
            if not self._tts_turn_open:
                self._tts_turn_open = True
                await self.push_frame(TTSStartedFrame())

    and the handler of ``response.done`` pushes the one ``TTSStoppedFrame`` of an open turn, before
    ``LLMFullResponseEndFrame``.

Fix safety:
    Unsafe: which frames are pushed, and when, changes as intended. What is tracked begins anew with each item, so that
    truncation names the last one with its own length. An interruption closes the turn as before.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.hoist import unused_name
from checks.pipecat.hierarchy import method
from checks.pipecat.realtime import llm_lineage
from checks.receivers import is_self_attribute
from checks.rule import Finding, Fix, Rule
from checks.source import Source, Span

STARTED, STOPPED = "pipecat.frames.frames.TTSStartedFrame", "pipecat.frames.frames.TTSStoppedFrame"
END = "pipecat.frames.frames.LLMFullResponseEndFrame"
BOT_STOPPED = "BotStoppedSpeakingFrame"
_Method = ast.AsyncFunctionDef | ast.FunctionDef

RULE = Rule(
    __name__,
    needles=("TTSStartedFrame",),
    fix=Fix.UNSAFE,
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The places of one service that change.

    ``dropped``: statements that give up the tracked item. ``condition`` and its new text: when an item is taken up.
    ``started`` and ``stopped``: the statements that push the frames, of which the second gives way to ``trace``;
    ``end``: the statement that ends the response. ``begins``: statements behind which no turn is open, as ``flag``
    says.
    """

    dropped: tuple[Span, ...]
    condition: Span
    taken_up: str
    started: Span
    stopped: Span
    trace: str
    end: Span
    stopping: str
    begins: tuple[Span, ...]
    flag: str


class _Unclear(Exception):
    """Why a service cannot be mended."""


@RULE.on(ast.ClassDef)
def service(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on one class."""
    taken = next((found for one in _methods(node) if (found := _taking_up(one, source)) is not None), None)
    if taken is None or llm_lineage(node, source) is None:
        return
    parts = _Parts(node, taken, source)
    if parts.stopped is None and not parts.dropped:
        return
    message = f"{node.name} brackets each audio item with TTSStartedFrame and TTSStoppedFrame, not each response"
    try:
        yield RULE.finding(source, taken.started, message, facts=parts.facts())
    except _Unclear as unclear:
        yield RULE.finding(source, taken.started, f"{message}; no fix: {unclear}")


@dataclass(frozen=True, slots=True)
class _TakingUp:
    """Where a service takes up an item: ``if not self.X: self.X = Tracked(…); push TTSStartedFrame``."""

    method: _Method
    test: ast.If
    tracked: ast.Attribute
    built: ast.Call
    started: ast.stmt


def _methods(node: ast.ClassDef) -> Iterator[_Method]:
    yield from (one for one in node.body if isinstance(one, (ast.AsyncFunctionDef, ast.FunctionDef)))


def _taking_up(function: _Method, source: Source) -> _TakingUp | None:
    for test in ast.walk(function):
        tracked = _absent(test.test, source) if isinstance(test, ast.If) else None
        if not isinstance(test, ast.If) or tracked is None:
            continue
        started = next((one for one in test.body if _pushes(one, STARTED, source)), None)
        for one in test.body:
            if _gives(one, tracked, source) and isinstance(one, (ast.Assign, ast.AnnAssign)) and started is not None:
                if isinstance(one.value, ast.Call):
                    return _TakingUp(function, test, tracked, one.value, started)
    return None


def _absent(test: ast.expr, source: Source) -> ast.Attribute | None:
    """Return ``self.X`` of the test ``not self.X`` or ``self.X is None``."""
    found: ast.expr | None = None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        found = test.operand
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is) and _is_none(test.comparators[0]):
        found = test.left
    return found if isinstance(found, ast.Attribute) and is_self_attribute(found, source) else None


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _gives(statement: ast.stmt, tracked: ast.Attribute, source: Source) -> bool:
    """Tell whether a statement is ``self.X = …``."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return _is_tracked(statement.targets[0], tracked, source)
    return isinstance(statement, ast.AnnAssign) and _is_tracked(statement.target, tracked, source)


def _is_tracked(node: ast.expr, tracked: ast.Attribute, source: Source) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == tracked.attr and is_self_attribute(node, source)


def _pushes(statement: ast.stmt, frame: str, source: Source) -> bool:
    """Tell whether a statement is ``await self.push_frame(Frame(…))``."""
    call = statement.value.value if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Await) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "push_frame":
        return False
    pushed = call.args[0] if call.args else None
    return isinstance(pushed, ast.Call) and source.names.resolve(pushed.func) == frame


class _Parts:
    """The places of a service that deal with the turn around the one that takes up an item."""

    def __init__(self, node: ast.ClassDef, taken: _TakingUp, source: Source):
        self._node, self._taken, self._source = node, taken, source
        self.dropped = [one for one in ast.walk(taken.method) if isinstance(one, ast.If) and self._gives_up(one)]
        done = self._handler("audio.done", r"audio.*done")
        self.stopped = self._pushing(done, STOPPED) if done is not None else None

    def facts(self) -> Facts:
        item = next((one for one in self._taken.built.keywords if one.arg and "item" in one.arg), None)
        if item is None or not isinstance(item.value, ast.Attribute):
            raise _Unclear("it cannot be told which item is tracked")
        if self.stopped is None:
            raise _Unclear("audio.done pushes no TTSStoppedFrame")
        response = self._handler("response.done", r"response.*done")
        end = self._pushing(response, END) if response is not None else None
        if response is None or end is None:
            raise _Unclear("it cannot be told where the response ends")
        if any(_pushes(one, STOPPED, self._source) for one in ast.walk(response) if isinstance(one, ast.stmt)):
            raise _Unclear(f"line {response.lineno}: {response.name} pushes TTSStoppedFrame already")
        if self._source.parent(end) is not response:
            raise _Unclear(f"line {end.lineno}: the response ends on a condition")
        if self._taken.test.orelse:
            raise _Unclear(f"line {self._taken.test.lineno}: the test has an else")
        flag = unused_name("_tts_turn_open", self._source)
        tracked, absent = (self._source.segment(one) for one in (self._taken.tracked, self._taken.test.test))
        return Facts(
            tuple(self._source.span(one) for one in self.dropped),
            self._source.span(self._taken.test.test),
            f"{absent} or {tracked}.{item.arg} != {self._source.segment(item.value)}",
            self._source.span(self._taken.started),
            self._source.span(self.stopped),
            self._trace(),
            self._source.span(end),
            self._source.segment(self.stopped),
            self._begins(response),
            flag,
        )

    def _gives_up(self, statement: ast.If) -> bool:
        """Tell whether a statement drops the tracked item for another one, and does nothing else but log."""
        test = ast.unparse(statement.test)
        if f".{self._taken.tracked.attr}." not in test or "!=" not in test or statement.orelse:
            return False
        given = [one for one in statement.body if _gives(one, self._taken.tracked, self._source)]
        others = [one for one in statement.body if one not in given and not _logs(one)]
        return len(given) == 1 and isinstance(given[0], ast.Assign) and _is_none(given[0].value) and not others

    def _handler(self, event: str, name: str) -> _Method | None:
        """Return the method that handles an event: by what it is called for, else by its own name."""
        for test in ast.walk(self._node):
            if isinstance(test, ast.If) and self._is_for(test.test, event):
                for part in (part for one in test.body for part in ast.walk(one)):
                    if isinstance(part, ast.Call) and is_self_attribute(part.func, self._source):
                        assert isinstance(part.func, ast.Attribute)
                        found = method(self._node, part.func.attr)
                        if found is not None:
                            return found
        named = [one for one in _methods(self._node) if re.search(name, one.name) and "transcript" not in one.name]
        return named[0] if len(named) == 1 else None

    def _is_for(self, test: ast.expr, event: str) -> bool:
        values = (part.value for part in ast.walk(test) if isinstance(part, ast.Constant))
        return any(isinstance(value, str) and value.endswith(event) for value in values)

    def _pushing(self, function: _Method, frame: str) -> ast.stmt | None:
        statements = (one for one in ast.walk(function) if isinstance(one, ast.stmt))
        found = [one for one in statements if _pushes(one, frame, self._source)]
        return found[0] if len(found) == 1 else None

    def _trace(self) -> str:
        """Return what stands where the frame was pushed."""
        bindings = self._source.names.table(self._source.tree).get("logger", [])
        if len(bindings) != 1:
            return "pass"
        return 'logger.debug(f"{self}: an audio item is complete")'

    def _begins(self, response: _Method) -> tuple[Span, ...]:
        """Return the statements behind which no turn is open.

        Those give the item up, but for the end of its audio, or push ``TTSStoppedFrame`` themselves.
        """
        given: list[ast.stmt] = []
        closing: list[ast.stmt] = []
        for function in _methods(self._node):
            for one in ast.walk(function) if function not in (self._taken.method, response) else ():
                if not isinstance(one, ast.stmt) or one is self.stopped:
                    continue
                if _gives(one, self._taken.tracked, self._source) and not self._is_for_bot_stopped(function):
                    given.append(one)
                elif _pushes(one, STOPPED, self._source):
                    closing.append(one)
        if not any(self._source.names.enclosing_function(one) is method(self._node, "__init__") for one in given):
            raise _Unclear("it cannot be told where the service begins")
        return tuple(self._source.span(one) for one in [*given, *closing])

    def _is_for_bot_stopped(self, function: _Method) -> bool:
        """Tell whether a method is called when the bot has stopped speaking."""
        if "bot_stopped" in function.name:
            return True
        for test in ast.walk(self._node):
            if isinstance(test, ast.If) and BOT_STOPPED in ast.unparse(test.test):
                calls = (part for one in test.body for part in ast.walk(one) if isinstance(part, ast.Attribute))
                if any(part.attr == function.name for part in calls):
                    return True
        return False


def _logs(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func).partition(".")[0] in ("logger", "logging", "log")
