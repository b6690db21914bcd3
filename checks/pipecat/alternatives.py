"""A class among alternatives that can be left out: ``Old | New`` says no more than ``New`` once the one is the other.

Alternatives are a union in an annotation, the classes that ``isinstance`` is given, and those of an ``except``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from checks.arguments import Change, check_comments
from checks.source import Source
from checks.unclear import Unclear

_UNIONS = ("typing.Union", "typing_extensions.Union")
_CLASS_TESTS = ("isinstance", "issubclass")
_GAP = re.compile(r"\s*[,|]\s*")


class Alternatives(NamedTuple):
    """What they are written as, and each of them, in order."""

    whole: ast.expr
    each: list[ast.expr]


def left_out(use: ast.expr, new: str | None, source: Source) -> Change:
    """Return the change that leaves out a class: where ``new`` is given, only beside that.

    Raises:
        Unclear: it is no alternative, ``new`` is none beside it, or nothing can be cut from the way they are laid out.
    """
    found = alternatives_around(use, source)
    others = [one for one in found.each if one is not use] if found is not None else []
    if found is None or not others or isinstance(others[0], ast.Starred):
        raise Unclear(f"it is no alternative to another class in line {use.lineno}")
    twin = next((one for one in others if source.names.resolve(one) == new), others[-1])
    if new is not None and source.names.resolve(twin) != new:
        raise Unclear(f"{new.rpartition('.')[2]} does not stand beside it in line {use.lineno}")
    if len(others) == 1:
        change = Change(source.span(found.whole), source.segment(twin))
        check_comments(change, source)
        return change
    at = found.each.index(use)
    is_in_front = at < found.each.index(twin)
    first, second = found.each[at : at + 2] if is_in_front else found.each[at - 1 : at + 1]
    if not _GAP.fullmatch(source.text[source.end(first) : source.start(second)]):
        raise Unclear(f"the classes of line {use.lineno} are laid out in an odd way")
    if is_in_front:
        return Change(source.span_between(source.start(use), source.start(second)), "")
    return Change(source.span_between(source.end(first), source.end(use)), "")


def alternatives_around(use: ast.expr, source: Source) -> Alternatives | None:
    """Return the alternatives of which a class is one, None where it is none."""
    above = source.parent(use)
    if isinstance(above, ast.BinOp):
        while isinstance(outer := source.parent(above), ast.BinOp):
            above = outer
        each = list(_operands(above))
        return Alternatives(above, each) if use in each else None
    if not isinstance(above, ast.Tuple):
        return None
    match source.parent(above):
        case ast.Subscript(value=value) as whole if source.names.resolve(value) in _UNIONS:
            return Alternatives(whole, above.elts)
        case ast.Call(func=ast.Name(id=name), args=[_, second]) as call if second is above and name in _CLASS_TESTS:
            return Alternatives(above, above.elts) if not source.names.lookup(name, call) else None
        case ast.ExceptHandler():
            return Alternatives(above, above.elts)
        case _:
            return None


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a union written with ``|`` is of."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from _operands(node.left)
        yield from _operands(node.right)
    else:
        yield node
