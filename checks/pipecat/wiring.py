"""How objects get their task manager: who takes it in the constructor, who builds them, who starts them.

The facts on Pipecat, each read from the released wheels: ``BaseObject.setup``, ``create_task``, ``cancel_task`` and the
``task_manager`` property exist from 1.2.0; ``BaseObject.__init__`` takes a ``task_manager`` keyword from 1.5.0 and
swallows it before.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

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
    awaited_statement,
    calls_on,
    is_self_attribute,
    receiver_of,
    self_attributes,
    still_means,
)
from checks.source import Located, Source, Span

TASKS_IN_BASE = Release(1, 2, 0)
KEYWORD_IN_BASE = Release(1, 5, 0)
MANAGER = "pipecat.utils.asyncio.task_manager.BaseTaskManager"
PARAMETER = "task_manager"
BASE_ATTRIBUTE = "_task_manager"
TASK_METHODS = ("create_task", "cancel_task")


@dataclass(frozen=True, slots=True)
class Replacement:
    """Text that takes the place of a span."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Insertion:
    """A statement to stand in front of another one."""

    before: Span
    text: str


@dataclass(frozen=True, slots=True)
class Construction:
    """Facts of a constructor call: the argument it loses, and the setup() calls to add."""

    call: Span
    argument: Span
    setups: tuple[Insertion, ...]


@dataclass(frozen=True, slots=True)
class Definition:
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


def setup_calls(call: ast.Call, argument: Located, source: Source) -> list[Insertion] | str:
    """Return the setup() calls that make up for a dropped manager argument, or why there can be none."""
    manager = argument.value if isinstance(argument, ast.keyword) else argument
    assert isinstance(manager, ast.expr)
    receiver = receiver_of(call, source)
    if receiver is None:
        return "the object is handed on as it is built; call `await observer.setup(task_manager)` where it is started"
    name = source.segment(receiver.target)
    starts = [awaited_statement(start, source) for start in calls_on(receiver, "start", source)]
    if not starts or None in starts:
        return f"nothing here awaits {name}.start(); call `await {name}.setup(task_manager)` where it is started"
    found: list[Insertion] = []
    for statement in starts:
        assert statement is not None
        text = manager_at(manager, statement, source)
        if text is None:
            return f"the manager passed here is not known where {name}.start() is awaited"
        found.append(Insertion(source.span(statement), f"await {name}.setup({text})"))
    return found


def manager_at(manager: ast.expr, at: ast.stmt, source: Source) -> str | None:
    """Return how to write the manager at another statement, or None where it cannot be written there."""
    text = source.segment(manager)
    if "\n" not in text and still_means(manager, at, source):
        return text
    owner = source.names.enclosing_class(at)
    if owner is None or owner is not source.names.enclosing_class(manager):
        return None
    if isinstance(manager, ast.Name):
        for statement in source.nodes(ast.Assign, ast.AnnAssign):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            kept = statement.value
            if (
                isinstance(kept, ast.Name)
                and kept.id == manager.id
                and source.names.enclosing_function(kept) is source.names.enclosing_function(manager)
                and is_self_attribute(target, source)
                and still_means(target, at, source)
            ):
                return source.segment(target)
    if isinstance(manager, (ast.Name, ast.Attribute)) and _has_manager(owner, source):
        return f"self.{PARAMETER}"
    return None


def _has_manager(owner: ast.ClassDef, source: Source) -> bool:
    line = lineage(owner, source)
    if any(method(node, PARAMETER) for _, node in line.own):
        return True
    if any(True for _ in self_attributes(owner, PARAMETER, source)):
        return True
    return has_task_methods(line, source.project)
