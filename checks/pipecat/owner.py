"""Classes that make a task manager of their own and keep it under the name their base class uses."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from checks.pipecat.hierarchy import BASE_OBJECT, FRAME_PROCESSOR, lineage, method
from checks.pipecat.wiring import (
    BASE_ATTRIBUTE,
    MANAGER,
    PARAMETER,
    Insertion,
    Replacement,
    has_task_methods,
)
from checks.receivers import is_self_attribute, is_super_call, self_attributes
from checks.source import Source

# The name upstream gave it in PipelineTask, 1.2.0.
OWN_ATTRIBUTE = "_pipeline_task_manager"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Facts of an owner: every place that names its manager, and where it hands the manager to the base class."""

    renamed: tuple[Replacement, ...]
    handed_over: Insertion | None


def makes_manager(value: ast.expr, source: Source) -> bool:
    """Tell whether an expression makes a manager: ``TaskManager()``, or ``given or TaskManager()``."""
    if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or):
        return makes_manager(value.values[-1], source)
    if not isinstance(value, ast.Call):
        return False
    made = source.project.resolve(value.func, source)
    if isinstance(made, tuple) and isinstance(made[1], ast.ClassDef):
        return MANAGER in lineage(made[1], made[0]).names
    return made in (MANAGER.replace(".Base", "."), MANAGER)


def ownership(node: ast.ClassDef, store: ast.Assign | ast.AnnAssign, source: Source) -> Ownership | str | None:
    """Return the facts of an owner, or why it cannot be mended; None if the class does not collide with its base."""
    line = lineage(node, source)
    if BASE_OBJECT not in line.names or FRAME_PROCESSOR in line.names:
        return None
    if not has_task_methods(line, source.project):
        return (
            "BaseObject in this tree has no setup(), create_task() and cancel_task() yet"
            if (line.vendored(BASE_OBJECT))
            else None
        )
    if any(method(node, name) for name in ("create_task", "cancel_task", PARAMETER)):
        return None
    value = store.value
    if isinstance(value, ast.BoolOp) and isinstance(value.values[-1], ast.Call):
        made = value.values[-1]
        if made.args or made.keywords:
            return "its TaskManager(…) is built with arguments"
    uses = list(self_attributes(node, BASE_ATTRIBUTE, source))
    if sum(not isinstance(use.ctx, ast.Load) for use in uses) > 1:
        return f"self.{BASE_ATTRIBUTE} is assigned more than once"
    if any(True for _ in self_attributes(node, OWN_ATTRIBUTE, source)):
        return f"self.{OWN_ATTRIBUTE} is taken already"
    if _is_read_by_subclasses(node, source):
        return f"a subclass reads self.{BASE_ATTRIBUTE} too"
    handed_over = _handing_over(node, source)
    if isinstance(handed_over, str):
        return handed_over
    renamed = [
        Replacement(source.span_between(source.end(use) - len(use.attr), source.end(use)), OWN_ATTRIBUTE)
        for use in uses
    ]
    return Ownership(tuple(renamed), handed_over)


def _is_read_by_subclasses(node: ast.ClassDef, source: Source) -> bool:
    return any(
        any(True for _ in self_attributes(other, BASE_ATTRIBUTE, user))
        and any(one is node for _, one in lineage(other, user).own[1:])
        for user in source.project.mentioning(BASE_ATTRIBUTE)
        for other in user.nodes(ast.ClassDef)
        if other is not node
    )


def _handing_over(node: ast.ClassDef, source: Source) -> Insertion | str | None:
    """Return the call to add, None where the class calls ``super().setup`` already, or why there is no place."""
    for part in ast.walk(node):
        if is_super_call(part, "setup"):
            return None
    for use in self_attributes(node, BASE_ATTRIBUTE, source):
        access = source.parent(use)
        call = source.parent(access) if isinstance(access, ast.Attribute) else None
        if not isinstance(call, ast.Call) or not isinstance(access, ast.Attribute):
            continue
        function = source.names.enclosing_function(use)
        statement = source.parent(call)
        if access.attr == "setup" and access is call.func and isinstance(statement, ast.Expr):
            is_async = isinstance(function, ast.AsyncFunctionDef) and source.parent(function) is node
            if is_async and source.begins_line(statement) and is_self_attribute(use, source):
                text = f"await super().setup(self.{OWN_ATTRIBUTE})"
                return Insertion(source.span(statement), text)
    return "no async method here sets the manager up; call `await super().setup(…)` with it where the object starts"
