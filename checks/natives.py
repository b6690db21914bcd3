"""Which expressions can only be native coroutines or generators: by a test, an annotation or how they are made."""

from __future__ import annotations

import ast

from checks.guards import catches, conditions, same, value_of
from checks.receivers import is_self_attribute
from checks.source import Source

# What inspect and types test for, and the attributes such an object then has.
KINDS = {
    "cr": ("CoroutineType", {"iscoroutine"}),
    "gi": ("GeneratorType", {"isgenerator"}),
    "ag": ("AsyncGeneratorType", {"isasyncgen"}),
}


def is_guarded(node: ast.Attribute, source: Source) -> bool:
    """Tell whether a test or a handler covers the access to an attribute only native objects have."""
    if catches(node, source, "AttributeError"):
        return True
    if _is_matched(node, source):
        return True
    return any(_shows(test, outcome, node.value, node.attr, source) for test, outcome in conditions(node, source))


def _shows(test: ast.expr, outcome: bool, subject: ast.expr, attribute: str, source: Source) -> bool:
    """Tell whether the outcome of a test shows that the subject has the attribute."""
    kind, predicates = KINDS[attribute[:2]]
    if isinstance(test, ast.Compare):
        return _compare_shows(test, outcome, subject, attribute, source)
    if isinstance(test, ast.NamedExpr):
        test = test.value
    if isinstance(test, ast.Name):
        value = value_of(test, source)
        return value is not None and _shows(value, outcome, subject, attribute, source)
    if not outcome or not isinstance(test, ast.Call) or not test.args:
        return False
    if not same(test.args[0], subject):
        return False
    function = test.func.attr if isinstance(test.func, ast.Attribute) else ""
    function = test.func.id if isinstance(test.func, ast.Name) else function
    if function in predicates:
        return True
    if len(test.args) < 2:
        return False
    second = test.args[1]
    if function in ("hasattr", "getattr"):
        return isinstance(second, ast.Constant) and str(second.value)[:3] == attribute[:3]
    return function == "isinstance" and _is_native_type(second, kind)


def _compare_shows(test: ast.Compare, outcome: bool, subject: ast.expr, attribute: str, source: Source) -> bool:
    if len(test.ops) != 1:
        return False
    operator, other = test.ops[0], test.comparators[0]
    positive = isinstance(operator, (ast.Is, ast.Eq))
    if not positive and not isinstance(operator, (ast.IsNot, ast.NotEq)):
        return False
    holds = outcome == positive
    if isinstance(other, ast.Constant) and (other.value is None or isinstance(other.value, bool)):
        truthy = holds if other.value is True else not holds
        return _shows(test.left, truthy, subject, attribute, source)
    # ``type(x) is CoroutineType``
    left = test.left
    is_type_of = isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id == "type"
    return (
        is_type_of
        and holds
        and isinstance(left, ast.Call)
        and len(left.args) == 1
        and same(left.args[0], subject)
        and _is_native_type(other, KINDS[attribute[:2]][0])
    )


def _is_matched(node: ast.Attribute, source: Source) -> bool:
    """Tell whether ``case CoroutineType():`` of a match on the subject covers the access."""
    child: ast.AST = node
    for above in source.ancestors(node):
        if isinstance(above, ast.Match) and isinstance(child, ast.match_case) and same(above.subject, node.value):
            pattern = child.pattern.pattern if isinstance(child.pattern, ast.MatchAs) else child.pattern
            if isinstance(pattern, ast.MatchClass) and _is_native_type(pattern.cls, KINDS[node.attr[:2]][0]):
                return True
        child = above
    return False


def _is_native_type(node: ast.expr, kind: str) -> bool:
    if isinstance(node, ast.Tuple):
        return bool(node.elts) and all(_is_native_type(part, kind) for part in node.elts)
    return (isinstance(node, ast.Attribute) and node.attr == kind) or (isinstance(node, ast.Name) and node.id == kind)


def is_native(subject: ast.expr, attribute: str, source: Source) -> bool:
    """Tell whether an expression can only be a native coroutine (or generator)."""
    if isinstance(subject, ast.NamedExpr):
        subject = subject.value
    kind = KINDS[attribute[:2]][0]
    if isinstance(subject, ast.Call):
        return _makes(subject, attribute[:2], source)
    if is_self_attribute(subject, source):
        assert isinstance(subject, ast.Attribute)
        return any(
            isinstance(one.target, ast.Attribute)
            and one.target.attr == subject.attr
            and is_self_attribute(one.target, source)
            and source.names.enclosing_class(one) is source.names.enclosing_class(subject)
            and _annotates(one.annotation, kind)
            for one in source.nodes(ast.AnnAssign)
        )
    if not isinstance(subject, ast.Name):
        return False
    bindings = source.names.bindings(subject)
    if len(bindings) != 1:
        return False
    bound = bindings[0].node
    if isinstance(bound, ast.arg):
        return bound.annotation is not None and _annotates(bound.annotation, kind)
    if isinstance(bound, ast.Assign):
        return isinstance(bound.value, ast.Call) and is_native(bound.value, attribute, source)
    parent = source.parent(bound)
    return isinstance(parent, ast.AnnAssign) and _annotates(parent.annotation, kind)


def _annotates(annotation: ast.expr, kind: str) -> bool:
    """Tell whether an annotation means the native type; None beside it does not matter, it has no attribute either."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return False
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [side for side in (annotation.left, annotation.right) if not _is_none(side)]
        return bool(sides) and all(_annotates(side, kind) for side in sides)
    if isinstance(annotation, ast.Subscript):
        name = annotation.value
        if (name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")) == "Optional":
            return _annotates(annotation.slice, kind)
        annotation = name
    return _is_native_type(annotation, kind)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _makes(call: ast.Call, kind: str, source: Source) -> bool:
    """Tell whether a call makes a native object of a kind: of a function of this file that nothing wraps."""
    function = _called(call, source)
    if function is None:
        return False
    wrapped = [
        one
        for one in function.decorator_list
        if not (isinstance(one, ast.Name) and one.id in ("staticmethod", "classmethod"))
    ]
    if wrapped:
        return False
    yields = any(source.names.enclosing_function(node) is function for node in source.nodes(ast.Yield, ast.YieldFrom))
    if isinstance(function, ast.AsyncFunctionDef):
        return kind == ("ag" if yields else "cr")
    return kind == "gi" and yields


def _called(call: ast.Call, source: Source) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    function: ast.AST | None = None
    if isinstance(call.func, ast.Name):
        bindings = source.names.bindings(call.func)
        function = bindings[0].node if len(bindings) == 1 else None
    elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        bindings = source.names.bindings(call.func.value)
        owner: ast.AST | None = bindings[0].node if len(bindings) == 1 else None
        if call.func.value.id in ("self", "cls"):
            owner = source.names.enclosing_class(call)
        found = source.names.table(owner).get(call.func.attr, []) if isinstance(owner, ast.ClassDef) else []
        function = found[0].node if len(found) == 1 else None
    return function if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
