"""Where an expression can be computed in front of its statement, and under which name."""

from __future__ import annotations

import ast

from checks.names import COMPREHENSIONS, FUNCTIONS, parameters
from checks.source import Source


def hoistable(whole: ast.expr, subject: ast.expr, source: Source) -> ast.stmt | None:
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


def unused_name(stem: str, source: Source) -> str:
    """Return a name that nothing in the file uses yet: the stem, or the stem with a number."""
    used = {node.id for node in source.nodes(ast.Name)}
    used |= {p.arg for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef) for p in parameters(node.args)}
    name, number = stem, 2
    while name in used:
        name, number = f"{stem}_{number}", number + 1
    return name
