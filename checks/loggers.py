"""What a module reports trouble to."""

from __future__ import annotations

import ast

from checks.source import Source


def module_logger(source: Source) -> str | None:
    """Return the name of a module's logger if it is loguru's or one of ``logging``'s, and nothing else of that name."""
    bound = [scope for scope in source.names.scopes() if "logger" in source.names.table(scope)]
    bindings = source.names.table(source.tree).get("logger", [])
    if bound != [source.tree] or len(bindings) != 1:
        return None
    value = bindings[0].node.value if isinstance(bindings[0].node, ast.Assign) else None
    made = value is not None and "getLogger" in source.segment(value)
    return "logger" if made or bindings[0].qualified == "loguru.logger" else None
