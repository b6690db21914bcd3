"""Functions registered as tools by hand, which the context that lists them registers by itself.

Facts from the wheels: from 1.4.0 on an LLM service registers each function among the tools of the context it is given,
and forgets it when the tools no longer list it; one registered by hand stays.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from checks.pipecat.releases import Release
from checks.rule import Fix
from checks.source import Source, Span
from checks.unclear import Unclear

REGISTER = "register_direct_function"
_BY_ITSELF_SINCE = Release(1, 4, 0)
_LISTS = ("standard_tools", "tools")


class Needless(NamedTuple):
    """Facts of a statement that goes, and whether the program behaves the same without it."""

    statement: Span
    fix: Fix = Fix.UNSAFE


def needless(node: ast.Attribute, source: Source) -> Needless:
    """Return the statement that registers a function which a context of the file lists among its tools.

    Raises:
        Unclear: the call says more than that, or where the function is listed is not seen.
    """
    call, oldest = source.parent(node), source.oldest
    statement = source.parent(call) if call is not None else None
    if not isinstance(call, ast.Call) or call.func is not node or not isinstance(statement, ast.Expr):
        raise Unclear("")
    if oldest < _BY_ITSELF_SINCE:
        raise Unclear(f"{oldest}, which the project admits, does not register functions by itself")
    if len(call.args) != 1 or call.keywords:
        raise Unclear("what it is told beside the function goes into a decorator tool_options")
    function = source.project.resolve(call.args[0], source)
    if not isinstance(call.args[0], ast.Name) or function is None or not _is_listed(call.args[0], source):
        raise Unclear("list the function among the tools of the context")
    if not source.begins_line(statement):
        raise Unclear("the statement shares its line")
    return Needless(source.span(statement))


def _is_listed(function: ast.Name, source: Source) -> bool:
    """Tell whether a function stands in a list of tools that a call of the file is given."""
    bound = source.names.bindings(function)
    return any(
        isinstance(one, ast.Name) and one.id == function.id and source.names.bindings(one) == bound
        for keyword in source.nodes(ast.keyword)
        if keyword.arg in _LISTS and isinstance(keyword.value, ast.List)
        for one in keyword.value.elts
    )
