"""Objects by where they are kept: which variable a constructor call fills, and what is then called on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.source import Source

_NO_INSTANCE = ("classmethod", "staticmethod")


class Receiver(NamedTuple):
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
        if any(isinstance(binding.node, ast.arg) for binding in source.names.bindings(target)):
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
    if not all(harmless) or not _runs_once(parent, source):
        return None
    return receiver


def _runs_once(statement: ast.stmt, source: Source) -> bool:
    """Tell whether a statement is on its function's main line: under no test, loop or handler."""
    for above in source.ancestors(statement):
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return True
        if not isinstance(above, (ast.With, ast.AsyncWith)):
            return isinstance(above, ast.Try) and statement in above.body
    return False


def assigned(receiver: Receiver, source: Source) -> Iterator[ast.expr | None]:
    """Yield the values put into a variable; None for one that cannot be told."""
    for node in _alike(receiver, source):
        if isinstance(node.ctx, ast.Load) or not receiver.is_same(node, source):
            continue
        parent = source.parent(node)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            yield parent.value
        elif isinstance(parent, ast.AnnAssign):
            yield parent.value or ast.Constant(None)
        else:
            yield None


def _alike(receiver: Receiver, source: Source) -> Iterator[ast.Attribute | ast.Name]:
    target = receiver.target
    return source.named(type(target), (target.id if isinstance(target, ast.Name) else target.attr,))


def calls_on(receiver: Receiver, name: str, source: Source) -> Iterator[ast.Call]:
    """Yield the calls of a method on the object in a variable."""
    for function in source.named(ast.Attribute, (name,)):
        call = source.parent(function)
        if isinstance(call, ast.Call) and call.func is function and receiver.is_same(function.value, source):
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
    return is_instance_parameter(bindings[0].node, source)


def self_attributes(owner: ast.ClassDef, name: str, source: Source) -> Iterator[ast.Attribute]:
    """Yield every ``self.name`` in a class's methods."""
    for node in source.named(ast.Attribute, (name,)):
        if is_self_attribute(node, source):
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


def goes_past_override(call: ast.AST | None, name: str, source: Source) -> bool:
    """Tell whether a node is a call ``super().name(…)`` in a method of that name."""
    function = source.names.enclosing_function(call) if call is not None and is_super_call(call, name) else None
    return getattr(function, "name", None) == name


def still_means(node: ast.expr, at: ast.stmt, source: Source) -> bool:
    """Tell whether a name or attribute chain, written at another statement, gives the same object.

    The name must be bound once and mean the same there; of a chain no part may be assigned more than once.
    """
    chain: list[ast.Attribute] = []
    root = node
    while isinstance(root, ast.Attribute):
        chain.insert(0, root)
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    for link in chain:
        stores = [one for one in source.named(ast.Attribute, (link.attr,)) if _is_store(one)]
        own = link is chain[0] and is_self_attribute(link, source)
        allowed = 1 if own else 0
        if sum(1 for one in stores if not own or _same_class(one, link, source)) > allowed:
            return False
    here, there = source.names.bindings(root), source.names.lookup(root.id, at)
    if chain and is_self_attribute(chain[0], source):
        # The methods of a class each have a self of their own; it is one object if it has one name.
        first = there[0].node if len(there) == 1 else None
        owner = source.names.enclosing_class(node)
        return (
            isinstance(first, ast.arg)
            and owner is source.names.enclosing_class(at)
            and is_instance_parameter(first, source)
        )
    return len(here) == 1 and here == there


def _is_store(node: ast.Attribute) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _same_class(left: ast.AST, right: ast.AST, source: Source) -> bool:
    return source.names.enclosing_class(left) is source.names.enclosing_class(right)


def is_instance_parameter(argument: ast.arg, source: Source) -> bool:
    """Tell whether a parameter is the ``self`` of a method."""
    function = source.parent(source.parent(argument) or argument)
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    if any(isinstance(one, ast.Name) and one.id in _NO_INSTANCE for one in function.decorator_list):
        return False
    positional = [*function.args.posonlyargs, *function.args.args]
    return isinstance(source.parent(function), ast.ClassDef) and bool(positional) and positional[0] is argument


def reads(receiver: Receiver, source: Source) -> Iterator[ast.expr]:
    """Yield every place that reads the variable."""
    for node in _alike(receiver, source):
        if isinstance(node.ctx, ast.Load) and receiver.is_same(node, source):
            yield node


def goes_by_another_name(receiver: Receiver, source: Source) -> ast.expr | None:
    """Return a place from which on the object in a variable is known by another name too, if any."""
    for use in reads(receiver, source):
        parent = source.parent(use)
        if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.List, ast.Tuple, ast.Set, ast.Dict)):
            return use
    return None
