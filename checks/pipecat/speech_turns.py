"""How a realtime service brackets what it says: who takes up an item of audio, who ends it, who ends the response.

Places are only named if every one of them is understood, and nobody else takes part.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from checks.guards import is_none
from checks.hoist import unused_name
from checks.loggers import module_logger
from checks.pipecat import timeline
from checks.pipecat.hierarchy import Lineage, lineage, method, pipecat_name
from checks.pipecat.realtime import REALTIME
from checks.receivers import is_self_attribute
from checks.source import Source, Span, statements
from checks.unclear import Unclear
from checks.walk import walk

STARTED, STOPPED = "pipecat.frames.frames.TTSStartedFrame", "pipecat.frames.frames.TTSStoppedFrame"
END = "pipecat.frames.frames.LLMFullResponseEndFrame"
_Method = ast.AsyncFunctionDef | ast.FunctionDef


class Turn(NamedTuple):
    """The places of one service that change.

    ``dropped``: statements that give up the tracked item. ``condition`` and its new text: when an item is taken up.
    ``started`` and ``stopped``: the statements that push the frames, of which the second gives way to ``trace``;
    ``response``: the first statement of the response's end. ``behind`` and ``before``: statements behind, or in front
    of, which no turn is open, as ``flag`` says.
    """

    dropped: tuple[Span, ...]
    condition: Span
    taken_up: str
    started: Span
    stopped: Span
    trace: str
    response: Span
    behind: tuple[Span, ...]
    before: tuple[Span, ...]
    flag: str


class TakingUp(NamedTuple):
    """Where a service takes up an item: ``if not self.X: self.X = Tracked(item_id=…); push TTSStartedFrame``.

    ``item`` is the keyword that says which item it is; ``switches``: the test sees another item already.
    """

    method: _Method
    test: ast.If
    tracked: ast.Attribute
    built: ast.Call
    item: ast.keyword
    started: ast.stmt
    switches: bool


def taking_up(node: ast.ClassDef, source: Source) -> TakingUp | None:
    """Return where a class takes up an item of audio, if it does."""
    return next((found for one in _methods(node) if (found := _taking_up(one, source)) is not None), None)


def _methods(node: ast.ClassDef) -> Iterator[_Method]:
    yield from (one for one in node.body if isinstance(one, (ast.AsyncFunctionDef, ast.FunctionDef)))


def _taking_up(function: _Method, source: Source) -> TakingUp | None:
    for test in walk(function):
        if not isinstance(test, ast.If):
            continue
        either = isinstance(test.test, ast.BoolOp) and isinstance(test.test.op, ast.Or) and len(test.test.values) == 2
        tracked = _absent(test.test.values[0] if either else test.test, source)  # type: ignore[attr-defined]
        started = [one for one in test.body if _pushes(one, STARTED, source)]
        if tracked is None or len(started) != 1 or (either and f".{tracked.attr}." not in ast.unparse(test.test)):
            continue
        for one in test.body:
            if _gives(one, tracked, source) and isinstance(one, (ast.Assign, ast.AnnAssign)):
                item = _item(one.value)
                if isinstance(one.value, ast.Call) and item is not None:
                    return TakingUp(function, test, tracked, one.value, item, started[0], either)
    return None


def _item(built: ast.expr | None) -> ast.keyword | None:
    """Return the keyword ``item_id=event.item_id`` of what is built."""
    for keyword in built.keywords if isinstance(built, ast.Call) else ():
        if keyword.arg is not None and keyword.arg.endswith("item_id") and isinstance(keyword.value, ast.Attribute):
            return keyword
    return None


def _absent(test: ast.expr, source: Source) -> ast.Attribute | None:
    """Return ``self.X`` of the test ``not self.X`` or ``self.X is None``."""
    found: ast.expr | None = None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        found = test.operand
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Is, ast.Eq)) and is_none(test.comparators[0]):
        found = test.left
    return found if isinstance(found, ast.Attribute) and is_self_attribute(found, source) else None


def _gives(statement: ast.AST, tracked: ast.Attribute, source: Source) -> bool:
    """Tell whether a statement is ``self.X = …``."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return _is_tracked(statement.targets[0], tracked, source)
    return isinstance(statement, ast.AnnAssign) and _is_tracked(statement.target, tracked, source)


def _is_tracked(node: ast.expr, tracked: ast.Attribute, source: Source) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == tracked.attr and is_self_attribute(node, source)


def _pushes(statement: ast.AST, frame: str, source: Source) -> bool:
    """Tell whether a statement is ``await self.push_frame(Frame(…))``."""
    call = statement.value.value if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Await) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "push_frame":
        return False
    pushed = call.args[0] if call.args else None
    return isinstance(pushed, ast.Call) and source.names.resolve(pushed.func) == frame


class Speech:
    """The places of a service that deal with the turn around the one that takes up an item."""

    def __init__(self, node: ast.ClassDef, taken: TakingUp, source: Source):
        self._node, self._taken, self._source = node, taken, source
        self.dropped = [one for one in walk(taken.method) if isinstance(one, ast.If) and self._gives_up(one)]
        self._done = self._handler("audio.done", r"audio.*done")
        found = self._pushing(self._done, STOPPED) if self._done is not None else []
        self.stopped = found[0] if len(found) == 1 else None

    def turn(self, ancestry: Lineage) -> Turn:
        """Return the places that change for one turn a response.

        Raises:
            Unclear: not all of them are understood.
        """
        if self._done is None or self.stopped is None:
            raise Unclear("audio.done pushes no TTSStoppedFrame")
        response = self._handler("response.done", r"response.*done")
        if response is None or not self._pushing(response, END):
            raise Unclear("it cannot be told where the response ends")
        self._check_taking_up()
        self._check_done(self._done, self.stopped)
        self._check_frames(response)
        self._check_relatives(ancestry, response)
        first = self._first(response)
        for one in (self._taken.started, self.stopped, first):
            if not self._stands_alone(one):
                raise Unclear(f"line {one.lineno} holds more than one statement")
        tracked, absent = (self._source.segment(one) for one in (self._taken.tracked, self._taken.test.test))
        item = self._taken.item
        switched = f"{absent} or {tracked}.{item.arg} != {self._source.segment(item.value)}"
        behind, before = self._closed(response)
        return Turn(
            tuple(self._source.span(one) for one in self.dropped),
            self._source.span(self._taken.test.test),
            absent if self._taken.switches else switched,
            self._source.span(self._taken.started),
            self._source.span(self.stopped),
            self._trace(),
            self._source.span(first),
            tuple(self._source.span(one) for one in behind),
            tuple(self._source.span(one) for one in before),
            unused_name("_tts_turn_open", self._source),
        )

    # -- what must hold

    def _check_taking_up(self) -> None:
        taken = self._taken
        if taken.test.orelse or self._source.parent(taken.test) is not taken.method:
            raise Unclear(f"line {taken.test.lineno}: the item is taken up on another condition")
        value = taken.item.value
        event = value.value if isinstance(value, ast.Attribute) else None
        bound = self._source.names.bindings(event) if isinstance(event, ast.Name) else []
        if len(bound) != 1 or not isinstance(bound[0].node, ast.arg) or not self._has_field():
            raise Unclear("it cannot be told which item is tracked")
        known = {taken.test, *self.dropped}
        for one in walk(taken.method):
            if isinstance(one, ast.If) and one not in known and "item" in ast.unparse(one.test):
                raise Unclear(f"line {one.lineno}: more is done when the item changes")
            held = any(above in known for above in self._source.ancestors(one))
            if (_gives(one, taken.tracked, self._source) and not held) or _pushes(one, STOPPED, self._source):
                raise Unclear(f"line {getattr(one, 'lineno', 0)}: more is done when the item changes")

    def _has_field(self) -> bool:
        """Tell whether what tracks an item keeps its id under the name of the keyword."""
        name = str(self._taken.item.arg)
        found = self._source.project.resolve(self._taken.built.func, self._source)
        if isinstance(found, str):
            return timeline.defines(found, name, self._source.project.target)
        if found is None or not isinstance(found[1], ast.ClassDef):
            return False
        fields = (one.target for one in found[1].body if isinstance(one, ast.AnnAssign))
        return any(isinstance(field, ast.Name) and field.id == name for field in fields)

    def _check_done(self, done: _Method, stopped: ast.stmt) -> None:
        """Make sure that the end of an item does nothing but push the frame, and is nobody else's to call."""
        for one in statements(done.body):
            is_guard = isinstance(one, ast.If) and stopped in one.body and not one.orelse
            is_text = isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
            if one is not stopped and not is_guard and not is_text and not _logs(one):
                raise Unclear(f"line {one.lineno}: {done.name} does more than push TTSStoppedFrame")
        call = stopped.value.value if isinstance(stopped, ast.Expr) and isinstance(stopped.value, ast.Await) else None
        names = {part.id for part in walk(stopped) if isinstance(part, ast.Name)}
        frame = call.args[0] if isinstance(call, ast.Call) else None
        if len(names) != 2 or not isinstance(frame, ast.Call) or frame.args or frame.keywords:
            raise Unclear(f"line {stopped.lineno}: the frame says what only that event knows")
        for use in self._source.nodes(ast.Attribute):
            if use.attr == done.name and not self._dispatches(use):
                raise Unclear(f"line {use.lineno} uses {done.name} for more")

    def _check_frames(self, response: _Method) -> None:
        """Make sure that the frames are pushed where that is understood."""
        if self._pushing(response, STOPPED):
            raise Unclear(f"line {response.lineno}: {response.name} pushes TTSStoppedFrame already")
        understood = {
            part
            for function in _methods(self._node)
            for frame in (STARTED, STOPPED)
            for one in self._pushing(function, frame)
            for part in walk(one)
        }
        for part in walk(self._node):
            if isinstance(part, (ast.Name, ast.Attribute)) and part not in understood:
                if self._source.names.resolve(part) in (STARTED, STOPPED):
                    raise Unclear(f"line {part.lineno}: {ast.unparse(part)} is used in a way of its own")
        for function in _methods(self._node):
            if [one for one in self._pushing(function, STARTED) if one is not self._taken.started]:
                raise Unclear(f"line {function.lineno}: {function.name} pushes TTSStartedFrame too")
            closes = self._pushing(function, STOPPED)
            if function is not response and self._pushing(function, END) and not closes:
                raise Unclear(f"line {function.lineno}: {function.name} ends the response too")

    def _check_relatives(self, ancestry: Lineage, response: _Method) -> None:
        """Make sure that neither ancestors nor descendants take part."""
        if ancestry.names & REALTIME and pipecat_name(self._source, self._node) is None:
            raise Unclear("it derives from one of Pipecat's realtime services")
        for source, node in ancestry.own[1:]:
            if "TTSStoppedFrame" in source.segment(node):
                raise Unclear(f"{node.name}, which it derives from, pushes TTSStoppedFrame too")
        handlers = {one.name for one in (self._taken.method, self._done, response) if one is not None}
        for user in self._source.project.mentioning(self._node.name):
            for node in user.nodes(ast.ClassDef):
                if node is self._node or not handlers & {one.name for one in _methods(node)}:
                    continue
                if any(known is self._node for _, known in lineage(node, user).own):
                    raise Unclear(f"{node.name}, which derives from it, overrides its handlers")

    # -- what changes

    def _gives_up(self, statement: ast.If) -> bool:
        """Tell whether a statement drops the tracked item for another one, and does nothing else but log."""
        test = ast.unparse(statement.test)
        if f".{self._taken.tracked.attr}." not in test or "!=" not in test or statement.orelse:
            return False
        given = [one for one in statement.body if _gives(one, self._taken.tracked, self._source)]
        others = [one for one in statement.body if one not in given and not _logs(one)]
        return len(given) == 1 and isinstance(given[0], ast.Assign) and is_none(given[0].value) and not others

    def _handler(self, event: str, name: str) -> _Method | None:
        """Return the method that handles an event: by what it is called for, else by its own name."""
        for test in walk(self._node):
            if isinstance(test, ast.If) and self._is_for(test.test, event):
                for part in (part for one in test.body for part in walk(one)):
                    if isinstance(part, ast.Call) and is_self_attribute(part.func, self._source):
                        assert isinstance(part.func, ast.Attribute)
                        found = method(self._node, part.func.attr)
                        if found is not None:
                            return found
        named = [one for one in _methods(self._node) if re.search(name, one.name) and "transcript" not in one.name]
        return named[0] if len(named) == 1 else None

    def _dispatches(self, use: ast.Attribute) -> bool:
        """Tell whether a use of the handler of audio.done is for that event: in a branch, or an entry of a table."""
        child: ast.AST = use
        for above in self._source.ancestors(use):
            if isinstance(above, ast.If) and child in above.body:
                return self._is_for(above.test, "audio.done")
            if isinstance(above, ast.Dict) and isinstance(child, ast.expr) and child in above.values:
                key = above.keys[above.values.index(child)]
                return key is not None and self._is_for(key, "audio.done")
            child = above
        return False

    def _is_for(self, test: ast.expr, event: str) -> bool:
        values = (part.value for part in walk(test) if isinstance(part, ast.Constant))
        return any(isinstance(value, str) and value.endswith(event) for value in values)

    def _pushing(self, function: _Method, frame: str) -> list[ast.stmt]:
        return [one for one in statements(function.body) if _pushes(one, frame, self._source)]

    def _first(self, function: _Method) -> ast.stmt:
        """Return a method's first statement behind its docstring."""
        first = function.body[0]
        is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        return function.body[1] if is_text else first

    def _stands_alone(self, statement: ast.stmt) -> bool:
        span = self._source.span(statement)
        rest = self._source.line(span.end_line)[span.end_column - 1 :].strip()
        return self._source.begins_line(statement) and (not rest or rest.startswith("#"))

    def _trace(self) -> str:
        """Return what stands where the frame was pushed."""
        logger = module_logger(self._source)
        return f'{logger}.debug(f"{{self}}: an audio item is complete")' if logger is not None else "pass"

    def _closed(self, response: _Method) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Return the statements behind, and those in front of, which no turn is open.

        Behind the one that makes the service, and those that push ``TTSStoppedFrame`` themselves; in front of what
        ends a connection, after which no end of a response will come.
        """
        made = method(self._node, "__init__")
        init = [one for one in statements(made.body) if _gives(one, self._taken.tracked, self._source)] if made else []
        if len(init) != 1 or not self._stands_alone(init[0]):
            raise Unclear("it cannot be told where the service begins")
        others = [one for one in _methods(self._node) if one not in (self._taken.method, response, self._done)]
        closing = [one for function in others for one in self._pushing(function, STOPPED)]
        gone = method(self._node, "_disconnect") or method(self._node, "_connect")
        return [*init, *closing], [self._first(gone)] if gone is not None else []


def _logs(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func).partition(".")[0] in ("logger", "logging", "log")
