"""A realtime service that sends the async-tool envelope as if it were the result.

What it finds:
    An LLM service's method that walks the messages of its context and sends each new one with a ``tool_call_id`` as a
    tool's result, without ``async_tool_messages.parse_message``.

Why it matters:
    A tool registered with ``cancel_on_interruption=False`` runs on while the conversation does. The context then holds
    a message that says it has started, later ones with results, each an envelope of JSON. Sent as they are, the model
    takes the first envelope for the answer, and the real one never arrives.

Example:
    ::

        for message in self._context.get_messages():
            if message.get("role") and message.get("content") != "IN_PROGRESS":

    becomes::

        for message in self._context.get_messages():
            if isinstance(message, LLMSpecificMessage):
                continue
            async_payload = async_tool_messages.parse_message(message)
            if async_payload is not None:
                …
                continue
            if message.get("role") and message.get("content") != "IN_PROGRESS":

    with the final result sent as any other, streamed ones reported and dropped, and the started one passed over.

Fix safety:
    Unsafe: what the model is sent changes, as intended. From 1.13.0 Pipecat's own services send results as they are
    produced, from ``push_frame``; an override that copies the loop is to be deleted, by hand. Services whose delayed
    results are unreliable (Inworld's, and those named in ``best-effort-services`` of ``[tool.pipecat-codemods]``) also
    get a warning, once for each connection.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.hoist import unused_name
from checks.pipecat.hierarchy import Lineage
from checks.pipecat.realtime import (
    ASYNC_TOOL_MESSAGES,
    INWORLD_REALTIME,
    PUSHED_SINCE,
    REALTIME,
    ROUTED_SINCE,
    llm_lineage,
)
from checks.receivers import is_self_attribute
from checks.rule import Finding, Fix, Rule
from checks.source import NEWLINE, Source, Span

CONTEXT = "pipecat.processors.aggregators.llm_context"
METHOD = "_process_completed_function_calls"

RULE = Rule(
    __name__,
    needles=("tool_call_id", METHOD),
    fix=Fix.UNSAFE,
    since="1.2.0",
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


@dataclass(frozen=True, slots=True)
class Warned:
    """A flag of the service that a warning has been given, and the statements behind which it begins anew."""

    flag: str
    begins: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Where and how a loop routes async-tool messages.

    ``before``: the statement to put the routing in front of. ``skips``: whether messages of a service's own are to be
    passed over first. ``message``, ``payload``, ``completed``: the loop's variable, a free
    name for what is read off it, and the set of ids that are done. ``deliver``: the lines that send a result, in
    terms of the payload; ``condition``: what they depend on, if anything. ``logger``: whether the module has one.
    """

    before: Span
    skips: bool
    message: str
    payload: str
    completed: str
    condition: str | None
    deliver: tuple[str, ...]
    logger: bool
    warned: Warned | None


class _Unclear(Exception):
    """Why a loop cannot be mended."""


@RULE.on(ast.AsyncFunctionDef)
def walks_messages(node: ast.AsyncFunctionDef, source: Source) -> Iterator[Finding]:
    """Decide on one method."""
    owner = source.parent(node)
    if not isinstance(owner, ast.ClassDef) or source.project.target < ROUTED_SINCE:
        return
    loop = _loop(node)
    if (loop is None and node.name != METHOD) or _reads_envelopes(node) or not _marks_done(node):
        return
    ancestry = llm_lineage(owner, source)
    if ancestry is None:
        return
    message = f"{owner.name}.{node.name} sends the async-tool envelope as if it were the tool's result"
    at: ast.stmt | Span = loop if loop is not None else source.span(node)
    at = source.span_between(source.start(at), source.end(at.iter)) if isinstance(at, ast.For) else at
    try:
        facts = _facts(node, owner, loop, ancestry, source)
    except _Unclear as unclear:
        yield RULE.finding(source, at, f"{message}; no fix: {unclear}")
        return
    yield RULE.finding(source, at, message, facts=facts)


def _reads_envelopes(node: ast.AST) -> bool:
    return any(
        (isinstance(part, ast.Attribute) and part.attr == "parse_message")
        or (isinstance(part, ast.Name) and part.id == "parse_message")
        or (isinstance(part, ast.Constant) and part.value == "async_tool")
        for part in ast.walk(node)
    )


def _marks_done(node: ast.AST) -> bool:
    """Tell whether a method adds ids to a set."""
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr == "add"
        and isinstance(part.func.value, ast.Attribute)
        for part in ast.walk(node)
    )


def _loop(node: ast.AsyncFunctionDef) -> ast.For | None:
    """Return the loop over ``….get_messages()`` that reads each message's ``tool_call_id``."""
    for part in ast.walk(node):
        if isinstance(part, ast.For) and isinstance(part.target, ast.Name) and _gets_messages(part.iter, node):
            if any(_reads(one, part.target.id, "tool_call_id") for one in ast.walk(part)):
                return part
    return None


def _gets_messages(iterated: ast.expr, node: ast.AsyncFunctionDef) -> bool:
    if isinstance(iterated, ast.Name):
        values = [
            one.value
            for one in ast.walk(node)
            if isinstance(one, ast.Assign)
            and len(one.targets) == 1
            and isinstance(one.targets[0], ast.Name)
            and one.targets[0].id == iterated.id
        ]
        return len(values) == 1 and _gets_messages(values[0], node)
    return (
        isinstance(iterated, ast.Call)
        and isinstance(iterated.func, ast.Attribute)
        and iterated.func.attr == "get_messages"
    )


def _reads(node: ast.AST, message: str, key: str) -> bool:
    """Tell whether a node is ``message.get("key")`` or ``message["key"]``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        of, asked = node.func.value, node.args[:1]
    elif isinstance(node, ast.Subscript):
        of, asked = node.value, [node.slice]
    else:
        return False
    is_key = bool(asked) and isinstance(asked[0], ast.Constant) and asked[0].value == key
    return is_key and isinstance(of, ast.Name) and of.id == message


def _facts(
    node: ast.AsyncFunctionDef, owner: ast.ClassDef, loop: ast.For | None, ancestry: Lineage, source: Source
) -> Facts:
    if source.project.target >= PUSHED_SINCE:
        raise _Unclear(_from_push_frame(ancestry))
    vendored = ancestry.vendored("pipecat.services.llm_service.LLMService")
    if vendored is not None and source.project.find_module(ASYNC_TOOL_MESSAGES, source.path) is None:
        raise _Unclear(f"this tree has no {ASYNC_TOOL_MESSAGES} yet")
    if loop is None:
        raise _Unclear("it walks messages in a form of its own")
    return _Loop(node, owner, loop, ancestry, source).facts()


def _from_push_frame(ancestry: Lineage) -> str:
    names = sorted(name.rpartition(".")[2] for name in ancestry.names & REALTIME)
    if names:
        return f"from {PUSHED_SINCE} {names[0]} sends results as they are produced; delete this override"
    return f"from {PUSHED_SINCE} results are sent from push_frame as they are produced, as Pipecat's own services do"


class _Loop:
    """What one loop does with a message that is a new result."""

    def __init__(
        self, node: ast.AsyncFunctionDef, owner: ast.ClassDef, loop: ast.For, ancestry: Lineage, source: Source
    ):
        assert isinstance(loop.target, ast.Name)
        self._node, self._owner, self._loop, self._source = node, owner, loop, source
        self._ancestry = ancestry
        self._message = loop.target.id
        # Names within the loop for the id and the content of a message.
        self._ids: set[str] = set()
        self._contents: set[str] = set()
        self._others: set[str] = {self._message}
        for part in ast.walk(loop):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part is not loop.target:
                self._sort(part)

    def _sort(self, name: ast.Name) -> None:
        parent = self._source.parent(name)
        value = parent.value if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) else None
        if value is not None and _reads(value, self._message, "tool_call_id"):
            self._ids.add(name.id)
        elif value is not None and _reads(value, self._message, "content"):
            self._contents.add(name.id)
        elif not isinstance(value, ast.Constant):
            self._others.add(name.id)

    def facts(self) -> Facts:
        send = self._send()
        block, condition = self._block(send)
        completed = self._completed()
        if not self._source.begins_line(self._loop.body[0]):
            raise _Unclear("the loop stands on one line")
        payload = unused_name("async_payload", self._source)
        deliver = tuple(line for statement in block for line in self._rewritten(statement, payload))
        logger = self._source.names.table(self._source.tree).get("logger", [])
        before, skips = self._place()
        return Facts(
            self._source.span(before),
            skips,
            self._message,
            payload,
            self._source.segment(completed),
            condition,
            deliver,
            len(logger) == 1,
            self._warned(completed),
        )

    def _place(self) -> tuple[ast.stmt, bool]:
        """Return the statement the routing goes in front of, and whether specific messages still come that far."""
        first = self._loop.body[0]
        test = first.test if isinstance(first, ast.If) else None
        if isinstance(test, ast.Call) and "LLMSpecificMessage" in ast.unparse(test) and len(self._loop.body) > 1:
            if isinstance(first, ast.If) and isinstance(first.body[-1], ast.Continue) and not first.orelse:
                return self._loop.body[1], False
        return first, True

    def _send(self) -> ast.stmt:
        """Return the statement that sends a message's content."""
        found = [
            part
            for part in ast.walk(self._loop)
            if isinstance(part, ast.Expr)
            and isinstance(part.value, ast.Await)
            and isinstance(part.value.value, ast.Call)
            and is_self_attribute(part.value.value.func, self._source)
            and any(self._is_content(one) for one in ast.walk(part))
        ]
        if len(found) != 1:
            raise _Unclear("it cannot be told how a result is sent")
        return found[0]

    def _is_content(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name) and node.id in self._contents:
            return True
        return _reads(node, self._message, "content")

    def _is_id(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name) and node.id in self._ids:
            return True
        return _reads(node, self._message, "tool_call_id")

    def _block(self, send: ast.stmt) -> tuple[Sequence[ast.stmt], str | None]:
        """Return the statements that go with sending, and the condition on which they are done."""
        parent = self._source.parent(send)
        block = [send]
        condition: str | None = None
        if isinstance(parent, ast.If) and not self._concerns_message(parent.test):
            if send not in parent.body or parent.orelse:
                raise _Unclear(f"line {parent.lineno}: what happens instead of sending is not understood")
            block, condition = parent.body, self._source.segment(parent.test)
        for statement in block:
            is_flag = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
            is_log = isinstance(statement, ast.Expr) and ast.unparse(statement).startswith("logger.")
            if statement is not send and not is_flag and not is_log:
                raise _Unclear(f"line {statement.lineno}: what goes with sending is not understood")
        return block, condition

    def _concerns_message(self, test: ast.expr) -> bool:
        names = {part.id for part in ast.walk(test) if isinstance(part, ast.Name)}
        return bool(names & (self._others | self._ids | self._contents))

    def _completed(self) -> ast.Attribute:
        """Return the attribute that holds the ids that are done."""
        found = [
            part.func.value
            for part in ast.walk(self._loop)
            if isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr == "add"
            and len(part.args) == 1
            and self._is_id(part.args[0])
        ]
        if len(found) != 1 or not isinstance(found[0], ast.Attribute) or not is_self_attribute(found[0], self._source):
            raise _Unclear("it cannot be told which ids are done")
        return found[0]

    def _rewritten(self, statement: ast.stmt, payload: str) -> Sequence[str]:
        """Return the lines of a statement with the payload's id and result for the message's."""
        text, offset = self._source.segment(statement), self._source.start(statement)
        changes: list[tuple[int, int, str]] = []
        todo: list[ast.AST] = [statement]
        while todo:
            part = todo.pop()
            new = f"{payload}.tool_call_id" if self._is_id(part) else None
            new = f"{payload}.result" if self._is_content(part) else new
            if new is not None:
                assert isinstance(part, ast.expr)
                changes.append((self._source.start(part) - offset, self._source.end(part) - offset, new))
                continue
            if isinstance(part, ast.Name) and part.id in self._others:
                raise _Unclear(f"line {statement.lineno}: {part.id} depends on the message")
            todo += ast.iter_child_nodes(part)
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        first, *rest = NEWLINE.split(text)
        if rest and any(
            isinstance(part, (ast.JoinedStr, ast.Constant)) and _is_long(part) for part in ast.walk(statement)
        ):
            raise _Unclear(f"line {statement.lineno}: a string runs over several lines")
        line = self._source.span(statement).line
        indent = self._source.text[self._source.line_start(line) : self._source.start(statement)]
        return first, *(one.removeprefix(indent) for one in rest)

    def _warned(self, completed: ast.Attribute) -> Warned | None:
        """Return how a service whose delayed results are unreliable warns of it, once for each connection."""
        if not self._is_best_effort():
            return None
        begins = [
            statement
            for statement in self._source.nodes(ast.Assign, ast.AnnAssign)
            if statement.value is not None
            and any(self._is_same(target, completed) for target in _targets(statement))
            and self._source.names.enclosing_class(statement) is self._owner
        ]
        if not begins:
            raise _Unclear("it cannot be told where a connection begins")
        flag = unused_name("_warned_of_async_tools", self._source)
        return Warned(flag, tuple(self._source.span(statement) for statement in begins))

    def _is_same(self, target: ast.expr, completed: ast.Attribute) -> bool:
        return (
            isinstance(target, ast.Attribute)
            and target.attr == completed.attr
            and is_self_attribute(target, self._source)
        )

    def _is_best_effort(self) -> bool:
        named = {INWORLD_REALTIME.rpartition(".")[2], *self._source.project.best_effort_services}
        own = {node.name for _, node in self._ancestry.own}
        return INWORLD_REALTIME in self._ancestry.names or not named.isdisjoint(own)


def _is_long(node: ast.expr) -> bool:
    return node.end_lineno != node.lineno


def _targets(statement: ast.Assign | ast.AnnAssign) -> Sequence[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]
