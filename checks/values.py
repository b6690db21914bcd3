"""What can be told of a value from how it is written."""

from __future__ import annotations

import ast

from checks.source import Source

_NEVER_NONE = (ast.JoinedStr, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp, ast.Lambda)


def works_on_the_way(value: ast.expr) -> bool:
    """Tell whether working out a value does more than that: waits, yields or binds a name."""
    return any(isinstance(part, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)) for part in ast.walk(value))


def given_by(binding: ast.AST, source: Source) -> ast.expr | None:
    """Return the value that what binds a name gives it alone, with an annotation or without; None where it does not."""
    return None if isinstance(source.parent(binding), ast.Assign) else assigned(binding, source)


def assigned(binding: ast.AST, source: Source) -> ast.expr | None:
    """Return the value that what binds a name gives it, perhaps others too."""
    above = source.parent(binding) if isinstance(binding, ast.Name) else binding
    return above.value if isinstance(above, (ast.Assign, ast.AnnAssign)) else None


def may_be_none(value: ast.expr, source: Source) -> bool:
    """Tell whether a value may be None, as far as can be seen."""
    match value:
        case ast.Constant(value=constant):
            return constant is None
        case ast.BoolOp(op=ast.Or(), values=[*_, last]):
            return may_be_none(last, source)
        case ast.IfExp(body=body, orelse=orelse):
            return may_be_none(body, source) or may_be_none(orelse, source)
        case ast.Call(func=ast.Name(id="str" | "int" | "float" | "bool" | "list" | "dict")):
            return False
        case ast.Call(func=called, args=[_, default]) if source.segment(called).endswith(("getenv", "environ.get")):
            return may_be_none(default, source)
        case ast.Call(func=called):
            return not source.segment(called).rpartition(".")[2][:1].isupper()
        case ast.Subscript(value=ast.Attribute(attr="environ")):
            return False
        case ast.Attribute() | ast.Name():
            return not _is_constant(value, source)
        case _:
            return not isinstance(value, (*_NEVER_NONE, ast.BinOp, ast.UnaryOp, ast.Compare))


def _is_constant(value: ast.Attribute | ast.Name, source: Source) -> bool:
    """Tell whether a name stands for an enumeration's member of Pipecat's, or for a plain constant of this file."""
    named = source.names.resolve(value)
    if named is not None and named.startswith("pipecat.") and isinstance(value, ast.Attribute):
        return named.rpartition(".")[2].isupper()
    if not isinstance(value, ast.Name):
        return False
    bound = [binding.node for binding in source.names.bindings(value)]
    assigned = [node.value for node in bound if isinstance(node, ast.Assign)]
    return len(bound) == len(assigned) == 1 and not may_be_none(assigned[0], source)
