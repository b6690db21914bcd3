"""Classes that make a task manager of their own and keep it under the name their base class uses."""

from __future__ import annotations

import ast
from typing import NamedTuple

from checks.pipecat.hierarchy import BASE_OBJECT, FRAME_PROCESSOR, lineage, method, pipecat_name
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


class Ownership(NamedTuple):
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
    init = method(node, "__init__")
    if init is None or source.parent(store) is not init:
        return None  # it fills the attribute of its base class where nothing else did
    value = store.value
    if isinstance(value, ast.BoolOp) and isinstance(value.values[-1], ast.Call):
        made = value.values[-1]
        if made.args or made.keywords:
            return "its TaskManager(…) is built with arguments"
    uses = list(self_attributes(node, BASE_ATTRIBUTE, source))
    if sum(not isinstance(use.ctx, ast.Load) for use in uses) > 1:
        return f"self.{BASE_ATTRIBUTE} is assigned more than once"
    if not isinstance(uses[0].ctx, ast.Store):
        return f"self.{BASE_ATTRIBUTE} is read before it is assigned"
    if any(True for _ in self_attributes(node, OWN_ATTRIBUTE, source)):
        return f"self.{OWN_ATTRIBUTE} is taken already"
    if any(_is_aliased(use, source) for use in uses):
        return f"self.{BASE_ATTRIBUTE} goes by another name somewhere"
    elsewhere = _used_elsewhere(node, source)
    if elsewhere is not None:
        return f"{elsewhere} uses {BASE_ATTRIBUTE} of it too"
    handed_over = _handing_over(node, source)
    if isinstance(handed_over, str):
        return handed_over
    renamed = [
        Replacement(source.span_between(source.end(use) - len(use.attr), source.end(use)), OWN_ATTRIBUTE)
        for use in uses
    ]
    return Ownership(tuple(renamed), handed_over)


def _is_aliased(use: ast.Attribute, source: Source) -> bool:
    parent = source.parent(use)
    return isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and parent.value is use


def _used_elsewhere(node: ast.ClassDef, source: Source) -> str | None:
    """Return a place outside the class that reads or sets the attribute of its objects, or may do so."""
    own = set(self_attributes(node, BASE_ATTRIBUTE, source))
    for user in source.project.mentioning(BASE_ATTRIBUTE):
        for access in user.nodes(ast.Attribute):
            if access.attr != BASE_ATTRIBUTE or access in own:
                continue
            where = f"{user.path.name}:{user.span(access).line}"
            holder = user.names.enclosing_class(access)
            if holder is None or not is_self_attribute(access, user):
                if node.name in user.text:
                    return where
            elif _are_related(holder, user, node, source):
                return where
    return None


def _are_related(holder: ast.ClassDef, user: Source, node: ast.ClassDef, source: Source) -> bool:
    """Tell whether one of two classes derives from the other; Pipecat's own BaseObject does not count."""
    if pipecat_name(user, holder) == BASE_OBJECT:
        return False
    above = (one for _, one in lineage(node, source).own)
    below = (one for _, one in lineage(holder, user).own)
    return any(one is holder for one in above) or any(one is node for one in below)


def _handing_over(node: ast.ClassDef, source: Source) -> Insertion | str | None:
    """Return the call to add, None where the class calls ``super().setup`` already, or why there is no place."""
    for call in source.nodes(ast.Call):
        if is_super_call(call, "setup") and source.names.enclosing_class(call) is node:
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
            if is_async and source.parent(statement) is function and source.begins_line(statement):
                text = f"await super().setup(self.{OWN_ATTRIBUTE})"
                return Insertion(source.span(statement), text)
    return "no async method here sets the manager up; call `await super().setup(…)` with it where the object starts"
