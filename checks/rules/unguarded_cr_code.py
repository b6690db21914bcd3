"""An attribute only native coroutines have, read from any awaitable.

What it finds:
    ``X.cr_code``, ``cr_frame``, ``cr_await`` and the like (``gi_*`` of generators, ``ag_*`` of asynchronous ones) where
    nothing shows that X is a native coroutine. Silent where the code looked first: ``hasattr``, ``getattr`` with a
    default, ``isinstance(x, CoroutineType)``, ``inspect.iscoroutine(x)``, ``asyncio.iscoroutine(x)``, a handler for
    AttributeError, a parameter annotated ``types.CoroutineType``, or X made by calling an ``async def`` of the file.

Why it matters:
    ``collections.abc.Coroutine`` promises ``send``, ``throw`` and ``close``, no more. A Cython coroutine, a wrapper
    class or an awaitable mock has no ``cr_code``, and the line that only wanted a task's name raises AttributeError
    and takes the task down with it. pyright reports ``reportAttributeAccessIssue`` at the same place.

Example:
    ::

        name = f"{self}::{coroutine.cr_code.co_name}"

    becomes::

        name = f"{self}::{getattr(getattr(coroutine, 'cr_code', None), 'co_name', 'task')}"

Fix safety:
    Safe: for a native coroutine the name is the same, anything else gets the name "task" instead of a crash. A bare
    ``X.cr_code`` is mended only where None is as good as a code object: a truth test, a comparison with None, the first
    argument of a ``getattr`` with a default. Frames, other code attributes and identity with ``f.__code__`` are left to
    a human.

References:
    Pipecat 1.2.0 made the same change in its own ``create_task``:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from checks.fstring import quote_at
from checks.guards import catches, conditions, same
from checks.names import COMPREHENSIONS, FUNCTIONS, parameters
from checks.rule import Finding, Fix, Rule
from checks.source import Source, Span

# What inspect and types test for, and the attributes such an object then has.
_KINDS = {
    "cr": ("CoroutineType", {"iscoroutine"}),
    "gi": ("GeneratorType", {"isgenerator"}),
    "ag": ("AsyncGeneratorType", {"isasyncgen"}),
}
ATTRIBUTES = {
    *("cr_code", "cr_frame", "cr_await", "cr_running", "cr_origin", "cr_suspended"),
    *("gi_code", "gi_frame", "gi_running", "gi_yieldfrom", "gi_suspended"),
    *("ag_code", "ag_frame", "ag_running", "ag_await", "ag_suspended"),
}
_NAMES = {"co_name", "co_qualname"}
DEFAULT = "task"

RULE = Rule(
    __name__,
    needles=ATTRIBUTES,
    fix=Fix.SAFE,
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is to be read safely.

    ``whole`` is replaced; ``subject`` is the expression read from; ``name`` is the attribute of the code object, None
    for the code object alone; ``quote`` is the quote that is free at the place. ``hoist``: neither quote is free, so
    the value is computed in front of the statement at ``hoist`` under the name ``variable``.
    """

    whole: Span
    subject: Span
    attribute: str
    name: str | None
    quote: str
    hoist: Span | None = None
    variable: str = ""


@RULE.on(ast.Attribute)
def attribute(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on one attribute access."""
    if node.attr not in ATTRIBUTES or not isinstance(node.ctx, ast.Load):
        return
    if is_guarded(node, source) or is_native(node.value, node.attr, source):
        return
    whole = _named(node, source) or node
    what = source.segment(node.value).split("\n")[0]
    message = f"{what!r} has {node.attr} only if it is a native {_noun(node.attr)}"
    facts = _facts(node, whole, source) if node.attr == "cr_code" else None
    if facts is None:
        message += f"; {_advice(node, whole, source)}"
    yield RULE.finding(source, whole, message, facts=facts)


def _noun(attribute: str) -> str:
    return {"cr": "coroutine", "gi": "generator", "ag": "async generator"}[attribute[:2]]


def _named(node: ast.Attribute, source: Source) -> ast.Attribute | None:
    """Return ``X.cr_code.co_name`` around ``X.cr_code``."""
    parent = source.parent(node)
    if isinstance(parent, ast.Attribute) and isinstance(parent.ctx, ast.Load):
        return parent if parent.attr in _NAMES else None
    return None


def _facts(node: ast.Attribute, whole: ast.Attribute, source: Source) -> Facts | None:
    """Return what the fix needs, or None where there is no safe one."""
    if whole is node and not tolerates_none(node, source):
        return None
    subject = node.value
    if source.has_comment(source.start(whole), source.end(whole)):
        return None
    name = whole.attr if whole is not node else None
    spans = source.span(whole), source.span(subject)
    free = _free_quotes(whole, source)
    if free:
        return Facts(*spans, node.attr, name, free[0])
    statement = _hoistable(whole, subject, source)
    if statement is None:
        return None
    variable = _unused_name("task_name" if name else "task_code", source)
    return Facts(*spans, node.attr, name, '"', source.span(statement), variable)


def _advice(node: ast.Attribute, whole: ast.Attribute, source: Source) -> str:
    parent = source.parent(node)
    if isinstance(parent, ast.Compare) and any(
        isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)) for op in parent.ops
    ):
        return "which code object it runs is an identity no default can stand in for: test hasattr first"
    if whole is not node:
        return "both quotes are taken here: read the name into a variable first"
    return f'use getattr(…, "{node.attr}", None) and handle None'


# -- when the code has looked already


def is_guarded(node: ast.Attribute, source: Source) -> bool:
    """Tell whether a test or a handler covers the access."""
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


# -- where None is as good


def tolerates_none(node: ast.expr, source: Source) -> bool:
    """Tell whether the code around an expression works when it is None."""
    parent = source.parent(node)
    match parent:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return node is parent.test
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp():
            return tolerates_none(parent, source)
        case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.Eq() | ast.NotEq()]):
            other = parent.comparators[0] if parent.left is node else parent.left
            return isinstance(other, ast.Constant) and other.value is None
        case ast.Call(func=ast.Name(id="getattr"), args=[first, _, _]):
            return first is node
        case ast.Call(func=ast.Name(id="bool")):
            return True
        case _:
            return False


# -- quotes within f-strings


def _free_quotes(node: ast.expr, source: Source) -> list[str]:
    """Return the quotes that may be used at a node, the better one first.

    Before Python 3.12 no text inside an f-string's field may use the quote of a string around it.
    """
    openings = [
        quote_at(above, source, source.start(node))
        for above in source.ancestors(node)
        if isinstance(above, ast.JoinedStr) and not _is_format_spec(above, source)
    ]
    taken = {opening for opening in openings if len(opening) == 1}
    unlikely = {opening[0] for opening in openings}
    return sorted({'"', "'"} - taken, key=lambda quote: (quote in unlikely, quote))


def _is_format_spec(node: ast.JoinedStr, source: Source) -> bool:
    parent = source.parent(node)
    return isinstance(parent, ast.FormattedValue) and parent.format_spec is node


def _hoistable(whole: ast.expr, subject: ast.expr, source: Source) -> ast.stmt | None:
    """Return the statement in front of which the value can be computed, or None.

    The subject must be a plain name, so that reading it earlier changes nothing, bound outside any comprehension or
    lambda in between, and the statement must evaluate the expression once.
    """
    if not isinstance(subject, ast.Name):
        return None
    for above in source.ancestors(whole):
        if isinstance(above, (ast.Lambda, *COMPREHENSIONS, ast.While, *FUNCTIONS, ast.ClassDef)):
            return None
        if isinstance(above, ast.stmt):
            bound = [binding.node for binding in source.names.bindings(subject)]
            bound_here = any(above in source.ancestors(node) for node in bound)
            return above if source.begins_line(above) and not bound_here else None
    return None


def _unused_name(stem: str, source: Source) -> str:
    used = {node.id for node in source.nodes(ast.Name)}
    used |= {p.arg for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef) for p in parameters(node.args)}
    name, number = stem, 2
    while name in used:
        name, number = f"{stem}_{number}", number + 1
    return name
