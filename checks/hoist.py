"""Where an expression can be computed in front of its statement, and under which name."""

from __future__ import annotations

import ast

from checks.names import COMPREHENSIONS, FUNCTIONS
from checks.source import Source

# Within these an expression may not be evaluated at all, or more than once.
_CONDITIONAL = (ast.Lambda, *COMPREHENSIONS, ast.While, *FUNCTIONS, ast.ClassDef, ast.BoolOp, ast.IfExp)


def hoistable(whole: ast.expr, subject: ast.expr, source: Source) -> ast.stmt | None:
    """Return the statement in front of which the value can be computed, or None.

    The subject must be a plain name of the function, so that reading it earlier changes nothing, bound outside the
    statement, and the statement must evaluate the expression exactly once.
    """
    if not isinstance(subject, ast.Name):
        return None
    bindings = source.names.bindings(subject)
    function = source.names.enclosing_function(subject)
    if function is None or source.names.scope(whole) is not function or _is_shared(subject.id, source):
        return None
    for above in source.ancestors(whole):
        if isinstance(above, _CONDITIONAL):
            return None
        if isinstance(above, ast.stmt):
            is_elif = source.text.startswith("elif", source.start(above))
            bound_here = any(above in source.ancestors(binding.node) for binding in bindings)
            return above if source.begins_line(above) and not is_elif and not bound_here else None
    return None


def _is_shared(name: str, source: Source) -> bool:
    """Tell whether another function may rebind a name."""
    return any(name in node.names for node in source.nodes(ast.Global, ast.Nonlocal))


def unused_name(stem: str, source: Source) -> str:
    """Return a name that nothing in the file uses yet: the stem, or the stem with a number."""
    used = {node.id for node in source.nodes(ast.Name)}
    used |= {name for scope in source.names.scopes() for name in source.names.table(scope)}
    used |= {name for node in source.nodes(ast.Global, ast.Nonlocal) for name in node.names}
    name, number = stem, 2
    while name in used:
        name, number = f"{stem}_{number}", number + 1
    return name
