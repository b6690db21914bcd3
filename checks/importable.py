"""Whether a file can import a name at its top level for the code that an edit puts somewhere in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from checks.arguments import Rewrite
from checks.source import Source, Span
from checks.unclear import Unclear


def check_imports(rewrite: Rewrite, source: Source) -> Rewrite:
    """Return the changes as they are.

    Raises:
        Unclear: one of the names they import means something else where they use it.
    """
    places = [change.span for change in rewrite.changes]
    for dotted in rewrite.imports:
        if imported_as(dotted, source) is None and not is_free(dotted, places, source):
            raise Unclear(f"{dotted.rpartition('.')[2]} means something else in this file")
    return rewrite


def imported_as(dotted: str, source: Source) -> str | None:
    """Return what a file calls a name, or module, that it imports at the top of its top level; None if it does not."""
    for local, bindings in source.names.table(source.tree).items():
        here = [binding for binding in bindings if source.names.runs_first(binding.node)]
        if [binding.qualified for binding in here] == [dotted]:
            return local
    return None


def is_free(dotted: str, places: Iterable[Span], source: Source, *, local: str | None = None) -> bool:
    """Tell whether a name can be imported at the top level and mean just that at some places.

    ``local`` is what it is to be called, by default its last part. A function may import the same for itself, but not
    one that holds a place: its own import may come later.
    """
    name = local or dotted.rpartition(".")[2]
    names = source.names
    top = names.table(source.tree).get(name, [])
    if any(binding.qualified != dotted for binding in top):
        return False
    if not top and any(node.id == name and names.resolve(node) != dotted for node in source.nodes(ast.Name)):
        return False
    scopes = [one for one in names.scopes() if not isinstance(one, ast.Module) and name in names.table(one)]
    return not any(_holds(source.span(scope), place) for scope in scopes for place in places)


def _holds(outer: Span, inner: Span) -> bool:
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    return starts and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
