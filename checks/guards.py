"""What is known to hold where a node stands: tests passed, early exits taken, exceptions caught.

Code that already looks before it leaps is to be left alone; every rule asks here.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from checks.walk import walk

if TYPE_CHECKING:
    from checks.source import Source

Condition: TypeAlias = tuple[ast.expr, bool]
# How far a name in a test is followed to what it was given, and how many statements a function has whose text counts.
_HOPS = 3
_SHORT = 6
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
        for part in walk(test):
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
    # A test that expects an error is not to be spared it.
    return name in ("suppress", "raises", "assertRaises") and any(_handles(kind, errors) for kind in call.args)


def _handles(kind: ast.expr | None, errors: tuple[str, ...]) -> bool:
    if kind is None:
        return "" in errors
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id in errors for one in kinds)


def tests_version(node: ast.AST, source: Source) -> bool:
    """Tell whether a node runs only after a test that tells Pipecat's releases apart: code written for several.

    It may ask for the version, what a module of Pipecat's has, or of what a member is taken from or called, what else
    that has, or takes. Or it asks whether an import from Pipecat has succeeded, and the node is not what runs then in
    the target release.
    """
    called = node.func if isinstance(node, ast.Call) else node
    member = called if isinstance(called, ast.Attribute) else None
    for test, _ in _tests(node, source):
        told = _told(test, source, _HOPS)
        text = told.lower()
        if "pipecat" in text and "version" in text:
            return True
        names = [part for part in walk(test) if isinstance(part, ast.Name)]
        given = [value for name in names if (value := value_of(name, source)) is not None]
        if any(_looks_into(part, member, source) for one in (test, *given) for part in walk(one)):
            return True
        if member is not None and "signature(" in text and member.attr in told:
            return True
    return any(_is_elsewhere(test, outcome, source) for test, outcome in conditions(node, source))


def _looks_into(part: ast.AST, member: ast.Attribute | None, source: Source) -> bool:
    """Tell whether an expression asks what a module of Pipecat's has, or what else the object of a member has."""
    match part:
        case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[asked, ast.Constant(value=str(name)), *_]):
            if (source.names.resolve(asked) or "").startswith("pipecat"):
                return True
            return member is not None and same(asked, member.value) and _is_of_pipecat(name, source)
        case _:
            return False


def _is_of_pipecat(name: str, source: Source) -> bool:
    from checks.pipecat.timeline import definers

    return not name.startswith("_") and bool(definers(name, source.project.target))


def _told(test: ast.expr, source: Source, hops: int) -> str:
    """Return a test as text, with what its names were given."""
    text = source.segment(test)
    for part in walk(test) if hops else ():
        if isinstance(part, (ast.Name, ast.Attribute)):
            text += f" {source.names.resolve(part) or ''}"
            for bound, home in _bound(part, source):
                text += "".join(f" {_told(given, home, hops - 1)}" for given in _values(bound, home))
    return text


def _bound(part: ast.Name | ast.Attribute, source: Source) -> Iterator[tuple[ast.AST, Source]]:
    """Yield what binds a name, also one of another file's of the project, with the file it stands in."""
    if isinstance(part, ast.Name):
        yield from ((binding.node, source) for binding in source.names.bindings(part))
    module, _, name = (source.names.resolve(part) or "").rpartition(".")
    path = source.project.find_module(module, source.path) if module else None
    home = source.project.readable(path) if path is not None and path != source.path else None
    if home is not None:
        yield from ((binding.node, home) for binding in home.names.table(home.tree).get(name, []))


def _values(bound: ast.AST, source: Source) -> Iterator[ast.expr]:
    """Yield what a name is given, or what a short function of that name is made of."""
    if isinstance(bound, (ast.FunctionDef, ast.AsyncFunctionDef)):
        parts = walk(bound) if len(bound.body) <= _SHORT else ()
        yield from (one.value for one in parts if isinstance(one, (ast.Assign, ast.Return)) and one.value is not None)
    elif (given := _given(bound, source)) is not None:
        yield given


def _given(bound: ast.AST, source: Source) -> ast.expr | None:
    """Return the value of the statement that binds a name, or several at once."""
    for above in (bound, *source.ancestors(bound)):
        if isinstance(above, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            return above.value
        if isinstance(above, ast.stmt):
            break
    return None


def _is_elsewhere(test: ast.expr, outcome: bool, source: Source) -> bool:
    """Tell whether a test of what an import from Pipecat bound, or left unbound, comes out otherwise in the target."""
    match test:
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
            test, outcome = left, not outcome
        case ast.Compare(left=left, ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
            test = left
        case _:
            pass
    if not isinstance(test, (ast.Name, ast.Attribute)):
        return False
    for bound, home in _bound(test, source):
        tried = _tried(bound, home)
        if tried:
            given = _given(bound, home)
            says_not = isinstance(given, ast.Constant) and not given.value
            return outcome == (says_not == _are_there(tried, source))
    return False


def _tried(bound: ast.AST, source: Source) -> list[str]:
    """Return what is imported from Pipecat on trial where a name is bound by that, or beside it."""
    child = bound
    for above in (bound, *source.ancestors(bound)):
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            break
        if isinstance(above, ast.Try) and child in (*above.body, *above.orelse):
            imports = [node for node in above.body if isinstance(node, (ast.Import, ast.ImportFrom))]
            return [name for node in imports if source.names.is_guarded(node) for name in _from_pipecat(node)]
        child = above
    return []


def _from_pipecat(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{name}" for name in names]
    return [name for name in names if name.partition(".")[0] == "pipecat"]


def _are_there(names: Sequence[str], source: Source) -> bool:
    from checks.pipecat.timeline import exists

    return all(exists(name, source.project.target) is not False for name in names)


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
