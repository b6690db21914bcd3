"""What a loop over a list or dictionary that is written out gives to its variables."""

from __future__ import annotations

import ast
from typing import NamedTuple

from checks.source import Source


class Looped(NamedTuple):
    """The values that a loop's variable takes, in order; ``is_for_it``: nothing else reads what it goes over."""

    values: tuple[ast.expr, ...]
    is_for_it: bool


def looped(name: ast.Name, source: Source) -> Looped | None:
    """Return the values of a name that only a loop gives any, all of them written out; None where they are not seen."""
    bound = [binding.node for binding in source.names.bindings(name)]
    target = bound[0] if len(bound) == 1 else None
    if not isinstance(target, ast.Name):
        return None
    above = source.parent(target)
    at = above.elts.index(target) if isinstance(above, ast.Tuple) and target in above.elts else None
    whole = above if at is not None else target
    loop = source.parent(whole) if whole is not None else None
    if not isinstance(loop, ast.For) or loop.target is not whole:
        return None
    listed, how = _listed(loop.iter)
    display = _written_out(listed, source)
    values = _values(display, how, at)
    if values is None:
        return None
    return Looped(values, display is listed or _is_only_looped_over(listed, source))


def _listed(node: ast.expr) -> tuple[ast.expr, str]:
    """Return what a loop goes over, and how it is asked for its items, if by a method of a dictionary's."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="items" | "values" as how), args=[], keywords=[]):
            return inner, how
        case _:
            return node, ""


def _written_out(node: ast.expr, source: Source) -> ast.expr | None:
    """Return a display as it is, or the one that a name was given and no other."""
    if not isinstance(node, ast.Name):
        return node
    bound = [binding.node for binding in source.names.bindings(node)]
    only = bound[0] if len(bound) == 1 else None
    return only.value if isinstance(only, ast.Assign) else None


def _values(display: ast.expr | None, how: str, at: int | None) -> tuple[ast.expr, ...] | None:
    match display, how, at:
        case ast.Dict(keys=keys, values=values), "items", 1:
            return tuple(values) if None not in keys else None
        case ast.Dict(keys=keys, values=values), "values", None:
            return tuple(values) if None not in keys else None
        case ((ast.List(elts=elements) | ast.Tuple(elts=elements)), "", None):
            return tuple(elements) if not any(isinstance(one, ast.Starred) for one in elements) else None
        case ((ast.List(elts=elements) | ast.Tuple(elts=elements)), "", int(index)):
            found = [one.elts for one in elements if isinstance(one, (ast.Tuple, ast.List))]
            if len(found) < len(elements) or any(len(one) <= index for one in found):
                return None
            if any(isinstance(part, ast.Starred) for one in found for part in one):
                return None
            return tuple(one[index] for one in found)
        case _:
            return None


def _is_only_looped_over(name: ast.expr, source: Source) -> bool:
    """Tell whether a name is known in this file only, and is asked for nothing but its items, by loops."""
    if not isinstance(name, ast.Name) or any(one != source.path for one in source.project.paths_mentioning(name.id)):
        return False
    for use in source.named(ast.Name, (name.id,)):
        if not isinstance(use.ctx, ast.Load):
            continue
        asked, called = source.parent(use), None
        if isinstance(asked, ast.Attribute) and asked.attr in ("items", "values"):
            called = source.parent(asked)
        loop = source.parent(called) if called is not None else asked
        if not isinstance(loop, ast.For) or loop.iter not in (use, called):
            return False
    return True
