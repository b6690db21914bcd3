"""Loops that send tools' results to a realtime API: which message is one, how it is sent, what is done with it then.

A loop is only taken apart if every statement of it is understood.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from checks.hoist import unused_name
from checks.loggers import module_logger
from checks.names import parameters
from checks.pipecat.hierarchy import Lineage
from checks.pipecat.realtime import ASYNC_TOOL_MESSAGES, INWORLD_REALTIME
from checks.receivers import is_self_attribute
from checks.source import NEWLINE, Source, Span
from checks.unclear import Unclear
from checks.walk import walk

CONTEXT = "pipecat.processors.aggregators.llm_context"


class Warned(NamedTuple):
    """A flag of the service that a warning has been given, and the statements behind which it begins anew."""

    flag: str
    begins: tuple[Span, ...]


class Routing(NamedTuple):
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


def message_loop(node: ast.AsyncFunctionDef) -> ast.For | None:
    """Return the loop over ``….get_messages()`` that reads each message's ``tool_call_id``."""
    for part in walk(node):
        if isinstance(part, ast.For) and isinstance(part.target, ast.Name) and _gets_messages(part.iter, node):
            if any(_reads(one, part.target.id, "tool_call_id") for one in walk(part)):
                return part
    return None


def _gets_messages(iterated: ast.expr, node: ast.AsyncFunctionDef) -> bool:
    if isinstance(iterated, ast.Name):
        values = [
            one.value
            for one in walk(node)
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


def routing(
    loop: ast.For, node: ast.AsyncFunctionDef, owner: ast.ClassDef, ancestry: Lineage, source: Source
) -> Routing:
    """Return where and how a loop of a service's method is to route async-tool messages.

    Raises:
        Unclear: not every statement of it is understood.
    """
    return _Loop(node, owner, loop, ancestry, source).routing()


class _Loop:
    """What one loop does with a message that is a new result: every statement of it must be understood."""

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
        self._sending: list[ast.stmt] = []
        self._condition: ast.expr | None = None
        self._done: ast.Attribute | None = None

    def routing(self) -> Routing:
        before, skips = self._place()
        self._read(self._loop.body if skips else self._loop.body[1:])
        if self._done is None or self._loop.orelse or not self._source.begins_line(self._loop.body[0]):
            raise Unclear("it cannot be told which ids are done")
        if sum(self._sends(one) for one in self._sending) != 1:
            raise Unclear("it cannot be told how a result is sent")
        if self._condition is not None and self._condition.lineno != self._condition.end_lineno:
            raise Unclear(f"line {self._condition.lineno}: the condition runs over several lines")
        self._check_names()
        payload = unused_name("async_payload", self._source)
        deliver = tuple(line for statement in self._sending for line in self._rewritten(statement, payload))
        return Routing(
            self._source.span(before),
            skips,
            self._message,
            payload,
            self._source.segment(self._done),
            self._source.segment(self._condition) if self._condition is not None else None,
            deliver,
            module_logger(self._source) is not None,
            self._warned(self._done),
        )

    # -- the loop's statements

    def _place(self) -> tuple[ast.stmt, bool]:
        """Return the statement the routing goes in front of, and whether specific messages still come that far."""
        first = self._loop.body[0]
        guards = [one for one in walk(self._loop) if isinstance(one, ast.Name) and one.id == "LLMSpecificMessage"]
        if not guards:
            return first, True
        wanted = f"if isinstance({self._message}, LLMSpecificMessage):\n    continue"
        if len(guards) == 1 and ast.unparse(first) == wanted and len(self._loop.body) > 1:
            return self._loop.body[1], False
        raise Unclear(f"line {guards[0].lineno}: messages of the service's own are dealt with here too")

    def _read(self, block: Sequence[ast.stmt]) -> None:
        """Read a block: assignments of id and content, tests that pass messages over, and the sending."""
        for index, statement in enumerate(block):
            rest = block[index + 1 :]
            if self._is_reading(statement) or self._passes_over(statement):
                continue
            if isinstance(statement, ast.If) and not rest and self._concerns_only_message(statement.test):
                if statement.orelse:
                    raise self._strange(statement.orelse[0])
                self._read(statement.body)
                return
            self._core(block[index:])
            return

    def _core(self, block: Sequence[ast.stmt]) -> None:
        """Read the statements that send a result and mark it as done."""
        *sending, last = block
        done = last.value if isinstance(last, ast.Expr) else None
        if (
            not isinstance(done, ast.Call)
            or not isinstance(done.func, ast.Attribute)
            or done.func.attr != "add"
            or len(done.args) != 1
            or not self._is_id(done.args[0])
            or not isinstance(done.func.value, ast.Attribute)
            or not is_self_attribute(done.func.value, self._source)
        ):
            raise self._strange(last)
        self._done = done.func.value
        if len(sending) == 1 and isinstance(sending[0], ast.If):
            guard = sending[0]
            if guard.orelse or self._mentions_message(guard.test):
                raise self._strange(guard)
            self._condition, sending = guard.test, guard.body
        for statement in sending:
            is_flag = (
                isinstance(statement, ast.Assign)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.targets[0], ast.Name)
            )
            if not is_flag and not self._sends(statement) and not _logs(statement):
                raise self._strange(statement)
        self._sending = list(sending)

    def _is_reading(self, statement: ast.stmt) -> bool:
        """Note ``name = message.get("tool_call_id")``; a name that is given more than that is not understood."""
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return False
        name = statement.targets[0].id
        stores = [
            part
            for part in walk(self._node)
            if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
        ]
        if len(stores) != 1:
            return False
        if _reads(statement.value, self._message, "tool_call_id"):
            self._ids.add(name)
        elif _reads(statement.value, self._message, "content"):
            self._contents.add(name)
        else:
            return False
        return True

    def _passes_over(self, statement: ast.stmt) -> bool:
        return (
            isinstance(statement, ast.If)
            and len(statement.body) == 1
            and isinstance(statement.body[0], ast.Continue)
            and not statement.orelse
            and self._concerns_only_message(statement.test)
        )

    def _concerns_only_message(self, test: ast.expr) -> bool:
        """Tell whether a test is about the message and nothing else; ids it names by ``:=`` are noted."""
        for part in walk(test):
            if isinstance(part, ast.NamedExpr) and _reads(part.value, self._message, "tool_call_id"):
                self._ids.add(part.target.id)
        own = {self._message, *self._ids, *self._contents}
        for part in walk(test):
            if isinstance(part, ast.Name) and part.id not in own and self._source.names.bindings(part):
                if not self._is_self_of_done(part):
                    return False
            if isinstance(part, ast.Await):
                return False
        return True

    def _is_self_of_done(self, name: ast.Name) -> bool:
        """Tell whether a name is the ``self`` of ``… not in self._done``."""
        parent = self._source.parent(name)
        compared = self._source.parent(parent) if parent is not None else None
        return (
            isinstance(parent, ast.Attribute)
            and is_self_attribute(parent, self._source)
            and isinstance(compared, ast.Compare)
            and isinstance(compared.ops[0], (ast.In, ast.NotIn))
        )

    def _mentions_message(self, test: ast.expr) -> bool:
        names = {part.id for part in walk(test) if isinstance(part, ast.Name)}
        return bool(names & {self._message, *self._ids, *self._contents})

    def _sends(self, statement: ast.stmt) -> bool:
        """Tell whether a statement is ``await self.send(…)`` with a message's content."""
        return (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Await)
            and isinstance(statement.value.value, ast.Call)
            and is_self_attribute(statement.value.value.func, self._source)
            and any(self._is_content(one) for one in walk(statement))
        )

    def _is_content(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name) and node.id in self._contents:
            return True
        return _reads(node, self._message, "content")

    def _is_id(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name) and node.id in self._ids:
            return True
        return _reads(node, self._message, "tool_call_id")

    def _strange(self, statement: ast.stmt) -> Unclear:
        return Unclear(f"line {statement.lineno}: {ast.unparse(statement).splitlines()[0]} is not understood here")

    # -- what is written

    def _check_names(self) -> None:
        """Make sure that what is imported, and what is called, means the same within the method."""
        table = self._source.names.table(self._source.tree)
        for module, name in ((CONTEXT, "LLMSpecificMessage"), ASYNC_TOOL_MESSAGES.rsplit(".", 1)):
            bound = [scope for scope in self._source.names.scopes() if name in self._source.names.table(scope)]
            meant = {binding.qualified for binding in table.get(name, ())}
            if any(scope is not self._source.tree for scope in bound) or meant - {f"{module}.{name}"}:
                raise Unclear(f"{name} means something else in this file")
        reporter = self._ancestry.method("push_error")
        if reporter is not None and "error_msg" not in {one.arg for one in parameters(reporter[2].args)}:
            raise Unclear("push_error is the service's own")

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
            if isinstance(part, ast.Name) and part.id == self._message:
                raise Unclear(f"line {statement.lineno}: more of the message is sent")
            todo += ast.iter_child_nodes(part)
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        first, *rest = NEWLINE.split(text)
        strings = (part for part in walk(statement) if isinstance(part, (ast.JoinedStr, ast.Constant)))
        if rest and any(_is_long(part) for part in strings):
            raise Unclear(f"line {statement.lineno}: a string runs over several lines")
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
            and ast.unparse(statement.value) == "set()"
            and any(self._is_same(target, completed) for target in _targets(statement))
            and self._source.names.enclosing_class(statement) is self._owner
        ]
        if not begins:
            raise Unclear("it cannot be told where a connection begins")
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


def _logs(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func).startswith("logger.")


def _is_long(node: ast.expr) -> bool:
    return node.end_lineno != node.lineno


def _targets(statement: ast.Assign | ast.AnnAssign) -> Sequence[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]
