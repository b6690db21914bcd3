"""What is known to hold where a node stands: tests passed, early exits taken, exceptions caught.

Code that already looks before it leaps is to be left alone; every rule asks here.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from checks.source import Source

Condition: TypeAlias = tuple[ast.expr, bool]
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def conditions(node: ast.AST, source: Source) -> Iterator[Condition]:
    """Yield each elementary test known to be true or false at a node, as ``(test, outcome)``."""
    for test, outcome in _tests(node, source):
        for part, truth in implied(test, outcome):
            yield part, truth
            # ``is_native = inspect.iscoroutine(x)`` and then ``if is_native:``
            if isinstance(part, ast.Name) and (value := value_of(part, source)) is not None:
                yield from implied(value, truth)


def value_of(node: ast.Name, source: Source) -> ast.expr | None:
    """Return what a name was given, where that happened once and by a plain assignment."""
    bindings = source.names.bindings(node)
    bound = bindings[0].node if len(bindings) == 1 else None
    if isinstance(bound, ast.Assign):
        return bound.value
    parent = source.parent(bound) if bound is not None else None
    return parent.value if isinstance(parent, ast.NamedExpr) else None


def implied(test: ast.expr, outcome: bool) -> Iterator[Condition]:
    """Yield what follows for the parts of a test from its outcome."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from implied(test.operand, not outcome)
    elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) == outcome:
        for part in test.values:
            yield from implied(part, outcome)
    elif isinstance(test, ast.NamedExpr):
        yield from implied(test.target, outcome)
        yield from implied(test.value, outcome)
    else:
        yield test, outcome


def _tests(node: ast.AST, source: Source) -> Iterator[Condition]:
    child = node
    for above in source.ancestors(node):
        match above:
            case ast.If() | ast.While():
                if child is not above.test:
                    yield above.test, child in above.body
            case ast.IfExp():
                if child is not above.test:
                    yield above.test, child is above.body
            case ast.BoolOp():
                for earlier in above.values:
                    if earlier is child:
                        break
                    yield earlier, isinstance(above.op, ast.And)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                for generator in above.generators:
                    if generator is child:
                        break
                    yield from ((test, True) for test in generator.ifs)
            case ast.comprehension():
                earlier = itertools.takewhile(lambda test, here=child: test is not here, above.ifs)
                yield from ((test, True) for test in earlier if child in above.ifs)
            case ast.match_case():
                if above.guard is not None and child is not above.guard:
                    yield above.guard, True
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                yield from _passed_before(child, above)
                # What held where a nested function was defined need not hold when it runs, but its author
                # looked; only a class or a decorated top-level function starts afresh.
                if isinstance(above, ast.ClassDef):
                    return
                child = above
                continue
            case _:
                pass
        yield from _passed_before(child, above)
        child = above


def _passed_before(child: ast.AST, above: ast.AST) -> Iterator[Condition]:
    """Yield what the earlier statements of a block make certain: asserts, and tests that leave it."""
    for statement in _before(child, above):
        if isinstance(statement, ast.Assert):
            yield statement.test, True
        elif isinstance(statement, ast.If):
            if leaves(statement.body):
                yield statement.test, False
            if statement.orelse and leaves(statement.orelse):
                yield statement.test, True


def _before(child: ast.AST, above: ast.AST) -> Sequence[ast.stmt]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(above, name, None)
        if isinstance(block, list) and child in block:
            return block[: block.index(child)]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return []


def leaves(block: Sequence[ast.stmt]) -> bool:
    """Tell whether control never falls off the end of a block."""
    if not block:
        return False
    last = block[-1]
    if isinstance(last, ast.If):
        return leaves(last.body) and leaves(last.orelse)
    return isinstance(last, _LEAVES) or _ends_process(last)


def _ends_process(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in ("exit", "quit")
    return isinstance(function, ast.Attribute) and function.attr in ("exit", "_exit", "skip", "fail")


def asks_for(name: str, node: ast.AST, source: Source) -> bool:
    """Tell whether a node runs only after ``hasattr`` or ``getattr`` has been asked for an attribute, or expects none.

    It expects none if ``AttributeError`` is caught by its own name.
    """
    for test, _ in conditions(node, source):
        for part in ast.walk(test):
            if isinstance(part, ast.Constant) and part.value == name:
                return True
    return catches(node, source, "AttributeError", at_large=False)


def catches(node: ast.AST, source: Source, *errors: str, at_large: bool = True) -> bool:
    """Tell whether one of these exceptions, raised at a node, is caught within its function.

    ``at_large``: handlers of every exception count too.
    """
    errors = (*errors, "Exception", "BaseException", "") if at_large else errors
    child = node
    for above in source.ancestors(node):
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            return False
        if isinstance(above, ast.Try) and child in above.body:
            if any(_handles(handler.type, errors) for handler in above.handlers):
                return True
        elif isinstance(above, (ast.With, ast.AsyncWith)) and child in above.body:
            calls = [item.context_expr for item in above.items]
            if any(isinstance(call, ast.Call) and _suppresses(call, errors) for call in calls):
                return True
        child = above
    return False


def _suppresses(call: ast.Call, errors: tuple[str, ...]) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "suppress" and any(_handles(kind, errors) for kind in call.args)


def _handles(kind: ast.expr | None, errors: tuple[str, ...]) -> bool:
    if kind is None:
        return "" in errors
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id in errors for one in kinds)


def tests_version(node: ast.AST, source: Source) -> bool:
    """Tell whether a node runs only after a test on Pipecat's version: code written for several releases."""
    for test, _ in _tests(node, source):
        text = source.segment(test)
        for name in ast.walk(test):
            value = value_of(name, source) if isinstance(name, ast.Name) else None
            text += source.segment(value) if value is not None else ""
        text = text.lower()
        if "version" in text and "pipecat" in text:
            return True
    return False


def same(left: ast.AST, right: ast.AST) -> bool:
    """Tell whether two expressions are written the same, wherever they stand."""
    return ast.dump(left) == ast.dump(right)


def is_none(node: ast.expr | None) -> bool:
    """Tell whether an expression is ``None`` as written."""
    return isinstance(node, ast.Constant) and node.value is None


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
