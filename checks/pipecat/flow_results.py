"""``FlowResult``, a typed dict of what a flow's function comes to, which nothing takes the place of.

Facts of the wheels: from 1.5.0 on no handler's type names it, any value will do; it has two texts that need not be
there. A plain dict is as good, and a dict that derives from it can have the two for itself.
"""

from __future__ import annotations

import ast

from checks.arguments import Change, Rewrite
from checks.pipecat.moves import is_annotation
from checks.source import Source
from checks.unclear import Unclear

DOTTED = ("pipecat.flows.FlowResult", "pipecat.flows.types.FlowResult")
_FIELDS = ("status", "error")
_PLAIN, _NAMES = "dict[str, Any]", ("typing.Any",)
_BASE, _BASE_NAMES = "TypedDict", ("typing.TypedDict", "typing.NotRequired")


def without(uses: list[ast.Name], source: Source) -> Rewrite:
    """Return the changes that put a plain dict, or a typed one, where the name of the class stands.

    Raises:
        Unclear: it stands where neither will do.
    """
    kinds = {isinstance(source.parent(use), ast.ClassDef) for use in uses}
    if len(kinds) > 1:
        raise Unclear("a dict derived from it may stand where it is expected, and a plain dict is none")
    changes: list[Change] = []
    imports: dict[str, None] = {}
    for use in uses:
        above = source.parent(use)
        if is_annotation(use, source):
            changes.append(Change(source.span(use), _PLAIN))
            imports |= dict.fromkeys(_NAMES)
        elif isinstance(above, ast.Call) and above.func is use:
            changes.append(Change(source.span(use), "dict"))
        elif isinstance(above, ast.ClassDef) and above.bases == [use] and not above.keywords:
            added = _fields(above, source)
            changes += [Change(source.span(use), _BASE), *added]
            imports |= dict.fromkeys(_BASE_NAMES if added else _BASE_NAMES[:1])
        else:
            raise Unclear("it is not only an annotation or a base")
    return Rewrite(tuple(changes), imports=tuple(sorted(imports)))


def _fields(node: ast.ClassDef, source: Source) -> list[Change]:
    """Return the change that gives a class the fields it had from its base."""
    own = {one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}
    missing = [name for name in _FIELDS if name not in own]
    fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
    if not missing:
        return []
    if not fields or not source.begins_line(fields[-1]):
        raise Unclear("a class derived from it has no fields of its own")
    last = source.span(fields[-1])
    if source.line(last.end_line)[last.end_column - 1 :].lstrip().startswith(";"):
        raise Unclear("its fields share their lines")
    at = source.line_start(last.end_line + 1)
    lead = "" if source.text[at - 1] in "\r\n" else "\n"
    indent = source.text[source.line_start(last.line) : source.start(fields[-1])]
    text = "".join(f"{indent}{name}: NotRequired[str]\n" for name in missing)
    return [Change(source.span_between(at, at), lead + text)]
