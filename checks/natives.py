"""Which expressions can only be native coroutines or generators: by a test, an annotation or how they are made."""

from __future__ import annotations

import ast

from checks.guards import catches, conditions, same
from checks.source import Source

# What inspect and types test for, and the attributes such an object then has.
_KINDS = {
    "cr": ("CoroutineType", {"iscoroutine"}),
    "gi": ("GeneratorType", {"isgenerator"}),
    "ag": ("AsyncGeneratorType", {"isasyncgen"}),
}


def is_guarded(node: ast.Attribute, source: Source) -> bool:
    """Tell whether a test or a handler covers the access to an attribute only native objects have."""
    if catches(node, source, "AttributeError"):
        return True
    return any(_shows(test, outcome, node.value, node.attr) for test, outcome in conditions(node, source))


def _shows(test: ast.expr, outcome: bool, subject: ast.expr, attribute: str) -> bool:
    """Tell whether the outcome of a test shows that the subject has the attribute."""
    if isinstance(test, ast.Compare) and isinstance(test.comparators[0], ast.Constant):
        is_none = test.comparators[0].value is None and isinstance(test.ops[0], ast.Is)
        return _shows(test.left, outcome != is_none, subject, attribute)
    if not outcome or not isinstance(test, ast.Call) or not test.args:
        return False
    if not same(test.args[0], subject):
        return False
    function = test.func.attr if isinstance(test.func, ast.Attribute) else ""
    function = test.func.id if isinstance(test.func, ast.Name) else function
    kind, predicates = _KINDS[attribute[:2]]
    if function in predicates:
        return True
    if len(test.args) < 2:
        return False
    second = test.args[1]
    if function in ("hasattr", "getattr"):
        return isinstance(second, ast.Constant) and str(second.value)[:3] == attribute[:3]
    return function == "isinstance" and _is_native_type(second, kind)


def _is_native_type(node: ast.expr, kind: str) -> bool:
    if isinstance(node, ast.Tuple):
        return bool(node.elts) and all(_is_native_type(part, kind) for part in node.elts)
    return (isinstance(node, ast.Attribute) and node.attr == kind) or (isinstance(node, ast.Name) and node.id == kind)


def is_native(subject: ast.expr, attribute: str, source: Source) -> bool:
    """Tell whether an expression can only be a native coroutine (or generator)."""
    if isinstance(subject, ast.NamedExpr):
        subject = subject.value
    if isinstance(subject, ast.Call):
        return attribute[:2] == "cr" and _calls_async_def(subject, source)
    if not isinstance(subject, ast.Name):
        return False
    bindings = source.names.bindings(subject)
    if len(bindings) != 1:
        return False
    bound = bindings[0].node
    kind = _KINDS[attribute[:2]][0]
    if isinstance(bound, ast.arg):
        return bound.annotation is not None and _annotates(bound.annotation, kind)
    if isinstance(bound, ast.Assign):
        return isinstance(bound.value, ast.Call) and is_native(bound.value, attribute, source)
    parent = source.parent(bound)
    return isinstance(parent, ast.AnnAssign) and _annotates(parent.annotation, kind)


def _annotates(annotation: ast.expr, kind: str) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return False
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return _is_native_type(annotation, kind)


def _calls_async_def(call: ast.Call, source: Source) -> bool:
    """Tell whether a call makes a native coroutine: of an ``async def`` of this file, undecorated, no generator."""
    function: ast.AST | None = None
    if isinstance(call.func, ast.Name):
        bindings = source.names.bindings(call.func)
        function = bindings[0].node if len(bindings) == 1 else None
    elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        owner = source.names.enclosing_class(call)
        if call.func.value.id in ("self", "cls") and owner is not None:
            found = source.names.table(owner).get(call.func.attr, [])
            function = found[0].node if len(found) == 1 else None
    if not isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
        return False
    return not any(source.names.enclosing_function(node) is function for node in source.nodes(ast.Yield))
