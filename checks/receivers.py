"""Objects by where they are kept: which variable a constructor call fills, and what is then called on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from checks.source import Source


@dataclass(frozen=True, slots=True)
class Receiver:
    """A variable that holds one object: ``self.name`` within a class, or a local ``name`` within a function."""

    target: ast.Attribute | ast.Name
    owner: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

    def is_same(self, node: ast.expr, source: Source) -> bool:
        """Tell whether an expression reads this variable."""
        if isinstance(self.target, ast.Name):
            return (
                isinstance(node, ast.Name)
                and node.id == self.target.id
                and source.names.enclosing_function(node) is self.owner
            )
        return (
            is_self_attribute(node, source)
            and isinstance(node, ast.Attribute)
            and node.attr == self.target.attr
            and source.names.enclosing_class(node) is self.owner
        )


def receiver_of(call: ast.Call, source: Source) -> Receiver | None:
    """Return the variable a call's value goes into, where it is the only object ever put there.

    ``self.x = None`` beside it is allowed: that is how an attribute is declared.
    """
    parent = source.parent(call)
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        target = parent.targets[0]
    elif isinstance(parent, ast.AnnAssign):
        target = parent.target
    else:
        return None
    owner: ast.AST | None
    if isinstance(target, ast.Name):
        owner = source.names.enclosing_function(target)
        if owner is None or source.names.scope(target) is not owner:
            return None
    elif isinstance(target, ast.Attribute) and is_self_attribute(target, source):
        owner = source.names.enclosing_class(target)
    else:
        return None
    if not isinstance(owner, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    receiver = Receiver(target, owner)
    others = [value for value in assigned(receiver, source) if value is not call]
    harmless = (isinstance(value, ast.Constant) and value.value is None for value in others)
    return receiver if all(harmless) else None


def assigned(receiver: Receiver, source: Source) -> Iterator[ast.expr | None]:
    """Yield the values put into a variable; None for one that cannot be told."""
    kind = type(receiver.target)
    for node in source.nodes(kind):
        if isinstance(node.ctx, ast.Load) or not receiver.is_same(node, source):
            continue
        parent = source.parent(node)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            yield parent.value
        elif isinstance(parent, ast.AnnAssign):
            yield parent.value or ast.Constant(None)
        else:
            yield None


def calls_on(receiver: Receiver, name: str, source: Source) -> Iterator[ast.Call]:
    """Yield the calls of a method on the object in a variable."""
    for call in source.nodes(ast.Call):
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == name:
            if receiver.is_same(function.value, source):
                yield call


def awaited_statement(call: ast.Call, source: Source) -> ast.stmt | None:
    """Return ``await call`` as a statement of its own line, ``x = await call`` included, or None."""
    parent = source.parent(call)
    statement = source.parent(parent) if isinstance(parent, ast.Await) else None
    if isinstance(statement, (ast.Expr, ast.Assign)) and source.begins_line(statement):
        return statement
    return None


def is_self_attribute(node: ast.AST, source: Source) -> bool:
    """Tell whether a node is ``self.name``, where ``self`` is the first parameter of the method around it."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    bindings = source.names.bindings(node.value)
    if len(bindings) != 1 or not isinstance(bindings[0].node, ast.arg):
        return False
    function = source.parent(source.parent(bindings[0].node) or node)
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    positional = [*function.args.posonlyargs, *function.args.args]
    in_class = isinstance(source.parent(function), ast.ClassDef)
    return in_class and bool(positional) and positional[0] is bindings[0].node


def self_attributes(owner: ast.ClassDef, name: str, source: Source) -> Iterator[ast.Attribute]:
    """Yield every ``self.name`` in a class's methods."""
    for node in source.nodes(ast.Attribute):
        if node.attr == name and is_self_attribute(node, source):
            if source.names.enclosing_class(node) is owner:
                yield node


def is_super_call(node: ast.AST, name: str) -> bool:
    """Tell whether a node is a call ``super().name(…)``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Call)
        and isinstance(node.func.value.func, ast.Name)
        and node.func.value.func.id == "super"
    )


def still_means(node: ast.expr, at: ast.stmt, source: Source) -> bool:
    """Tell whether a name or attribute chain, read at another statement, gives the same object.

    The name must be bound once and be seen from there; an attribute of ``self`` must be assigned once in its class.
    """
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    names = source.names
    if is_self_attribute(_first_attribute(node), source):
        owner = names.enclosing_class(node)
        if owner is None or owner is not names.enclosing_class(at):
            return False
        first = _first_attribute(node)
        assert isinstance(first, ast.Attribute)
        stores = [n for n in self_attributes(owner, first.attr, source) if not isinstance(n.ctx, ast.Load)]
        return len(stores) <= 1
    bindings = names.bindings(root)
    if len(bindings) != 1:
        return False
    here = names.enclosing_function(node)
    seen_from = [names.enclosing_function(at)]
    while seen_from[-1] is not None:
        seen_from.append(names.enclosing_function(seen_from[-1]))
    # A module-level name is seen from everywhere; a local one from its function and those nested in it.
    is_global = bindings[0] in names.table(source.tree).get(root.id, [])
    return is_global or here in seen_from[:-1]


def _first_attribute(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        node = node.value
    return node
