"""What of a pipeline is one half of a pair of aggregators, and which calls may have made the pair.

There are several where a function of the file, called for this pipeline alone, returns one pair or another.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from checks.guards import is_none
from checks.pipecat.aggregators import pairs
from checks.pipecat.contexts import is_taken_from
from checks.pipecat.moves import may_reach, naming
from checks.source import Source
from checks.unclear import Unclear
from checks.values import given_by

_SIDES = ("user", "assistant")
# A name is a step, and so is what a function returns.
_MOST_STEPS = 5


class Half(NamedTuple):
    """The calls of which one made the pair, and which half of it something is: 0 is the user's."""

    pairs: tuple[ast.Call, ...]
    side: int


def half_of(node: ast.expr, source: Source, steps: int = 0) -> Half | None:
    """Return of which pair an expression is one half, and which; None where it is not seen to be."""
    if steps > _MOST_STEPS:
        return None
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as pair, attr="user" | "assistant" as side), args=[]):
            made = _made(pair, source, steps + 1)
            return Half(made, _SIDES.index(side)) if made else None
        case ast.Name():
            return _unpacked(node, source) or _the_same(
                [half_of(one, source, steps + 1) for one in _values(node, source)]
            )
        case _:
            return None


def check_no_other(pair: ast.Call, source: Source) -> None:
    """Raise Unclear where another pair than one made in a function may be what that puts into a pipeline."""
    if _may_be_another(pair, source):
        raise Unclear(f"another pair of aggregators may take the place of that of line {pair.lineno}")
    function = source.names.enclosing_function(pair)
    for written in source.nodes(ast.List):
        if source.names.enclosing_function(written) is function:
            found = [half for one in written.elts if (half := half_of(one, source)) is not None]
            if any(half.pairs != (pair,) for half in found):
                raise Unclear(f"line {written.lineno} puts another pair of aggregators into a pipeline")


def _may_be_another(pair: ast.Call, source: Source) -> bool:
    """Tell whether what gets a pair may get something else: a choice, or a name that is given more than one."""
    above = source.parent(pair)
    if isinstance(above, (ast.BoolOp, ast.IfExp)):
        return True
    if not isinstance(above, (ast.Assign, ast.AnnAssign)):
        return False
    targets = above.targets if isinstance(above, ast.Assign) else [above.target]
    names = [
        one
        for target in targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    ]
    bound = {binding.node for name in names for binding in source.names.bindings(name)}
    return any(_gives_another(one, source) for one in bound if one is not above and one not in names)


def _gives_another(binding: ast.AST, source: Source) -> bool:
    """Tell whether what binds a name gives it more than None."""
    above = source.parent(binding)
    value = given_by(binding, source)
    return not is_none(value) and not (isinstance(above, ast.AnnAssign) and value is None)


def _the_same(found: list[Half | None]) -> Half | None:
    """Return the half that something is if it is one of these, all of the same side."""
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found) or len({one.side for one in known}) > 1:
        return None
    return Half(tuple(dict.fromkeys(pair for one in known for pair in one.pairs)), known[0].side)


def _made(node: ast.expr, source: Source, steps: int) -> tuple[ast.Call, ...]:
    """Return the calls of which one made the pair that an expression stands for; none where that is not seen."""
    if steps > _MOST_STEPS:
        return ()
    match node:
        case ast.Call() if node in pairs(source):
            return (node,)
        case ast.Call(func=called, args=[_, value], keywords=[]) if source.names.resolve(called) == "typing.cast":
            return _made(value, source, steps + 1)
        case ast.Name():
            found = [_made(one, source, steps + 1) for one in _values(node, source)]
            return tuple(dict.fromkeys(pair for one in found for pair in one)) if all(found) else ()
        case _:
            return ()


def _unpacked(name: ast.Name, source: Source) -> Half | None:
    """Return which half a name is that is given its part of a pair by ``user, assistant = pair``."""
    found = _part(name, source)
    if found is None or found[2] != 2:
        return None
    made = _made(found[0], source, 1)
    return Half(made, found[1]) if made else None


def _values(name: ast.Name, source: Source) -> list[ast.expr]:
    """Return the expressions of which one gave a name its only value: written there, or returned by a function."""
    bound = [binding.node for binding in source.names.bindings(name)]
    value = given_by(bound[0], source) if len(bound) == 1 else None
    if value is not None:
        returned = _returned(value, source)
        return returned if returned is not None else [value]
    found = _part(name, source)
    if found is None:
        return []
    whole, at, count = found
    returned = _returned(whole, source) or []
    tuples = [one.elts for one in returned if isinstance(one, ast.Tuple) and len(one.elts) == count]
    if len(tuples) < len(returned) or any(isinstance(one, ast.Starred) for elements in tuples for one in elements):
        return []
    return [elements[at] for elements in tuples]


def _part(name: ast.Name, source: Source) -> tuple[ast.expr, int, int] | None:
    """Return what a name is given its part of by ``first, second = whole``, the place of that part, and how many."""
    bound = [binding.node for binding in source.names.bindings(name)]
    names = source.parent(bound[0]) if len(bound) == 1 else None
    statement = source.parent(names) if isinstance(names, ast.Tuple) else None
    if not isinstance(names, ast.Tuple) or not isinstance(statement, ast.Assign):
        return None
    if any(isinstance(one, ast.Starred) for one in names.elts):
        return None
    return statement.value, [one is bound[0] for one in names.elts].index(True), len(names.elts)


def _returned(value: ast.expr, source: Source) -> list[ast.expr] | None:
    """Return the expressions of which a call returns one, where its function is called nowhere else; None else."""
    call = value.value if isinstance(value, ast.Await) else value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    bound = [binding.node for binding in source.names.bindings(call.func)]
    function = bound[0] if len(bound) == 1 else None
    kind = ast.AsyncFunctionDef if isinstance(value, ast.Await) else ast.FunctionDef
    if not isinstance(function, kind):
        return None
    uses = [one for one in source.named(ast.Name, (function.name,)) if function in _meant(one, source)]
    if len(uses) > 1 or function.decorator_list or _is_reached_elsewhere(function.name, source):
        return None
    inner = [one for one in ast.walk(function) if source.names.enclosing_function(one) is function]
    returns = [one.value for one in inner if isinstance(one, ast.Return) and one.value is not None]
    if any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in inner):
        return None
    return returns or None


def _meant(name: ast.Name, source: Source) -> list[ast.AST]:
    return [binding.node for binding in source.names.bindings(name)]


def _is_reached_elsewhere(name: str, source: Source) -> bool:
    """Tell whether another file may call a function of this one, by an import, by its module, or by a string."""
    return is_taken_from(name, source) or any(may_reach(user, name) for user in naming(name, source))
