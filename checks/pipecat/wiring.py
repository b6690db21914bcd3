"""How objects get their task manager: who takes it in the constructor, who builds them, who starts them.

The facts on Pipecat, each read from the released wheels: ``BaseObject.setup``, ``create_task``, ``cancel_task`` and the
``task_manager`` property exist from 1.2.0; ``BaseObject.__init__`` takes a ``task_manager`` keyword from 1.5.0 and
swallows it before.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from checks.pipecat.hierarchy import (
    BASE_OBJECT,
    BASE_OBSERVER,
    FRAME_PROCESSOR,
    Lineage,
    lineage,
    method,
    pipecat_name,
)
from checks.pipecat.releases import Release
from checks.project import Project
from checks.receivers import (
    Receiver,
    awaited_statement,
    calls_on,
    goes_by_another_name,
    is_self_attribute,
    reads,
    receiver_of,
    still_means,
)
from checks.source import NEWLINE, Located, Source, Span

TASKS_IN_BASE = Release(1, 2, 0)
KEYWORD_IN_BASE = Release(1, 5, 0)
MANAGER = "pipecat.utils.asyncio.task_manager.BaseTaskManager"
PARAMETER = "task_manager"
BASE_ATTRIBUTE = "_task_manager"
TASK_METHODS = ("create_task", "cancel_task")
TASK_OBSERVER = "pipecat.pipeline.task_observer.TaskObserver"
OBSERVERS = {TASK_OBSERVER, "pipecat.pipeline.worker_observer.WorkerObserver"}
# Literals without which the rule does not look at a file.
NEEDLES = (PARAMETER, "TaskObserver", "WorkerObserver", "task_observer", "TaskManager")
_LIFECYCLE = ("start", "stop", "cleanup", "setup")


class Replacement(NamedTuple):
    """Text that takes the place of a span."""

    span: Span
    text: str


class Insertion(NamedTuple):
    """A statement to stand in front of another one."""

    before: Span
    text: str


class Construction(NamedTuple):
    """Facts of a constructor call: the argument it loses, and the setup() calls to add."""

    call: Span
    argument: Span
    setups: tuple[Insertion, ...]


class Definition(NamedTuple):
    """Facts of a class: the parameter its constructor loses with all that depends on it."""

    function: Span
    parameter: str
    docstring: tuple[Span, ...]
    store: Span | None
    forwarded: tuple[Span, Span] | None
    uses: tuple[Replacement, ...]


# -- contracts


def has_task_methods(line: Lineage, project: Project) -> bool:
    """Tell whether BaseObject, as this lineage knows it, has setup(), create_task() and cancel_task()."""
    own = line.vendored(BASE_OBJECT)
    if own is not None:
        return all(method(own, name) for name in ("setup", *TASK_METHODS))
    return BASE_OBJECT in line.names and project.target >= TASKS_IN_BASE


def is_plain_object(line: Lineage) -> bool:
    """Tell whether a class is a BaseObject wired by ``setup(task_manager)``: an observer, or a direct subclass.

    Processors, tasks and workers derive from BaseObject too, but have contracts of their own.
    """
    if BASE_OBSERVER in line.names:
        return True
    own = {pipecat_name(source, node) for source, node in line.own}
    between = line.names - own - {BASE_OBJECT}
    return BASE_OBJECT in line.names and FRAME_PROCESSOR not in line.names and not between


def constructor_parameter(node: ast.ClassDef) -> tuple[ast.FunctionDef, ast.arg] | None:
    """Return a class's own ``__init__`` and its ``task_manager`` parameter, if it takes one."""
    init = method(node, "__init__")
    if not isinstance(init, ast.FunctionDef):
        return None
    arguments = init.args
    for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if parameter.arg == PARAMETER:
            return init, parameter
    return None


# -- constructions


def passed_manager(call: ast.Call, init: ast.FunctionDef | None) -> Located | None:
    """Return the argument of a constructor call that passes the manager, by keyword or by position."""
    for keyword in call.keywords:
        if keyword.arg == PARAMETER:
            return keyword
    if init is None:
        return None
    positional = [*init.args.posonlyargs, *init.args.args][1:]
    index = next((i for i, p in enumerate(positional) if p.arg == PARAMETER), None)
    if index is None or index >= len(call.args):
        return None
    if any(isinstance(argument, ast.Starred) for argument in call.args[: index + 1]):
        return None
    return call.args[index]


def setup_calls(call: ast.Call, argument: Located, source: Source, *, patient: bool) -> list[Insertion] | str:
    """Return the setup() calls that make up for a dropped manager argument, or why there can be none.

    ``patient``: the object has no use for its manager before it is started, as is known of Pipecat's own observer; of
    any other one nothing may be asked earlier.
    """
    manager = argument.value if isinstance(argument, ast.keyword) else argument
    assert isinstance(manager, ast.expr)
    receiver = receiver_of(call, source)
    if receiver is None:
        return "the object is handed on as it is built; call `await observer.setup(task_manager)` where it is started"
    name = source.segment(receiver.target)
    starts = list(calls_on(receiver, "start", source))
    statements = [awaited_statement(start, source) for start in starts]
    if not statements or None in statements:
        return f"nothing here awaits {name}.start(); call `await {name}.setup(task_manager)` where it is started"
    if any(True for _ in calls_on(receiver, "setup", source)):
        return f"{name}.setup() is called already"
    obstacle = _other_use(receiver, call, starts, source, patient=patient)
    if obstacle is not None:
        return obstacle
    found: list[Insertion] = []
    for start, statement in zip(starts, statements, strict=True):
        assert statement is not None
        assert isinstance(start.func, ast.Attribute)
        text = manager_at(manager, statement, source)
        if text is None:
            return f"the manager passed here is not known where {name}.start() is awaited"
        setup = f"await {source.segment(start.func.value)}.setup({text})"
        found.append(Insertion(source.span(statement), setup))
    return found


def _other_use(
    receiver: Receiver, call: ast.Call, starts: Sequence[ast.Call], source: Source, *, patient: bool
) -> str | None:
    """Return what else is done with an object that a setup() in front of start() might come too late for."""
    elsewhere = _used_elsewhere(receiver, source, patient=patient)
    if elsewhere is not None:
        return elsewhere
    started = {start.func.value for start in starts if isinstance(start.func, ast.Attribute)}
    first = min(source.start(start) for start in starts)
    if not patient and isinstance(receiver.target, ast.Name) and not _on_main_line(starts, call, source):
        return "it is not certain to be started"
    renamed = goes_by_another_name(receiver, source)
    if renamed is not None:
        return f"it goes by another name from line {source.span(renamed).line} on"
    for use in reads(receiver, source):
        parent = source.parent(use)
        line = source.span(use).line
        if isinstance(parent, ast.Attribute) and parent.attr == BASE_ATTRIBUTE:
            return f"its manager is read or set from outside in line {line}"
        if use in started or patient or only_asks_whether(use, source):
            continue
        if isinstance(receiver.target, ast.Name) and source.start(use) > first:
            continue
        if isinstance(parent, ast.Attribute) and parent.attr in _LIFECYCLE:
            continue
        return f"line {line} uses it, perhaps before it is started"
    return None


def _used_elsewhere(receiver: Receiver, source: Source, *, patient: bool) -> str | None:
    """Return where an object is used outside the class or function that keeps it."""
    if isinstance(receiver.target, ast.Name):
        bindings = source.names.bindings(receiver.target)
        for name in source.nodes(ast.Name):
            if name.id == receiver.target.id and not receiver.is_same(name, source):
                if isinstance(name.ctx, ast.Load) and source.names.bindings(name) == bindings:
                    return f"a nested function uses it in line {name.lineno}"
        return None
    assert isinstance(receiver.owner, ast.ClassDef)
    for user in source.project.mentioning(receiver.target.attr):
        for access in user.nodes(ast.Attribute):
            if access.attr != receiver.target.attr or receiver.is_same(access, user):
                continue
            parent = user.parent(access)
            starts = isinstance(parent, ast.Attribute) and parent.attr == "start"
            holder = user.names.enclosing_class(access) if is_self_attribute(access, user) else None
            if holder is None:
                concerned = starts
            else:
                inherits = any(one is receiver.owner for _, one in lineage(holder, user).own[1:])
                concerned = inherits and (starts or not patient)
            if concerned:
                return f"{user.path.name}:{access.lineno} uses it too"
    return None


def _on_main_line(starts: Sequence[ast.Call], call: ast.Call, source: Source) -> bool:
    """Tell whether an object is started in the block it is built in, or in a ``with`` or ``try`` there."""
    home = next((above for above in source.ancestors(call) if isinstance(above, ast.stmt)), None)
    block = source.parent(home) if home is not None else None
    for above in source.ancestors(starts[0]):
        if above is block:
            return True
        if isinstance(above, ast.stmt) and not isinstance(
            above, (ast.Expr, ast.Assign, ast.With, ast.AsyncWith, ast.Try)
        ):
            return False
    return False


def manager_at(manager: ast.expr, at: ast.stmt, source: Source) -> str | None:
    """Return how to write the manager at another statement, or None where it cannot be written there."""
    text = source.segment(manager)
    if not NEWLINE.search(text) and still_means(manager, at, source):
        return text
    owner = source.names.enclosing_class(at)
    if owner is None or owner is not source.names.enclosing_class(manager) or not isinstance(manager, ast.Name):
        return None
    for statement in source.nodes(ast.Assign, ast.AnnAssign):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        kept = statement.value
        if (
            isinstance(kept, ast.Name)
            and kept.id == manager.id
            and source.names.bindings(kept) == source.names.bindings(manager)
            and is_self_attribute(target, source)
            and still_means(target, at, source)
        ):
            return source.segment(target)
    bindings = source.names.bindings(manager)
    was_given = len(bindings) == 1 and isinstance(bindings[0].node, ast.arg)
    return f"self.{PARAMETER}" if was_given and _has_manager(owner, source) else None


def _has_manager(owner: ast.ClassDef, source: Source) -> bool:
    line = lineage(owner, source)
    return has_task_methods(line, source.project) or any(method(node, PARAMETER) for _, node in line.own)


def only_asks_whether(use: ast.expr, source: Source) -> bool:
    """Tell whether a read only asks if there is an object at all."""
    parent = source.parent(use)
    match parent:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return parent.test is use
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp():
            return use is not parent.values[-1] or only_asks_whether(parent, source)
        case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
            return True
        case _:
            return False
