"""Where a project, by its tests for one, puts something else in the place of an object of Pipecat's or of its class.

What stands in need not do what the class does: of a mock only that can be awaited which it was told to be so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

from checks.pipecat.objects import Object
from checks.receivers import is_self_attribute
from checks.source import Source

_SETTERS = ("patch", "object", "setattr", "multiple")
_LOADERS = ("import_module", "importorskip", "find_spec", "__import__")


def why_replaced(node: ast.expr, found: Object, classes: Collection[str], source: Source) -> str:
    """Return where something else may be put in the place of an object or its class; empty where nothing is.

    ``node`` is what stands for the object, ``classes`` are the dotted names that its class has in Pipecat.
    """
    names = {one.rpartition(".")[2] for one in classes} | {one.name for _, one in found.lineage.own}
    top = {name: source.names.resolve_text(name, source.tree) or "" for name in source.names.table(source.tree)}
    names |= {name for name, dotted in top.items() if dotted.rpartition(".")[2] in names}
    variable = _variable(node, source)
    asked = [(name, _class_set) for name in sorted(names)]
    asked += [(module, _module_set) for module in sorted({one.rpartition(".")[0] for one in classes})]
    asked += [(variable, _set)] if variable else []
    for name, places in asked:
        for user in source.project.mentioning(name.rpartition(".")[2]):
            for place in places(name, user):
                if not (found.is_exact and _is_of_another(place, name, user, source)):
                    at_file = user.path.relative_to(source.project.root).as_posix()
                    return f"{at_file}:{user.span(place).line} may put something else in the place of {name}"
    return ""


def _variable(node: ast.expr, source: Source) -> str:
    """Return the name under which an object is kept where others reach it."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) and node.id in source.names.table(source.tree) else ""


def _set(name: str, user: Source) -> Iterator[ast.expr | ast.keyword]:
    """Yield where something is put under a name: from outside, or by what is given the name in a string."""
    for attribute in user.named(ast.Attribute, (name,)):
        if isinstance(attribute.ctx, ast.Store) and not is_self_attribute(attribute, user):
            yield attribute
    for keyword in user.named(ast.keyword, (name,)):
        if _called(user.parent(keyword)) == "multiple":
            yield keyword
    for constant in _strings(user):
        if str(constant.value).rpartition(".")[2] == name and _called(user.parent(constant)) in _SETTERS:
            yield constant


def _class_set(name: str, user: Source) -> Iterator[ast.expr | ast.keyword]:
    """Yield the same for a class, and where any string leads through it."""
    yield from _set(name, user)
    for constant in _strings(user):
        if name in str(constant.value).split(".") and constant.value != name:
            yield constant


def _module_set(name: str, user: Source) -> Iterator[ast.expr | ast.keyword]:
    """Yield the strings that name a module, as ``sys.modules`` is given, but for those that import it."""
    for constant in _strings(user):
        if constant.value == name and _called(user.parent(constant)) not in _LOADERS:
            yield constant


def _strings(user: Source) -> Iterator[ast.Constant]:
    for constant in user.nodes(ast.Constant):
        if isinstance(constant.value, str) and re.fullmatch(r"\w+(?:\.\w+)*", constant.value):
            yield constant


def _called(node: ast.AST | None) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_of_another(place: ast.expr | ast.keyword, name: str, user: Source, source: Source) -> bool:
    """Tell whether a string names what another of the project's modules has, of which a file knows nothing."""
    value = str(place.value) if isinstance(place, ast.Constant) else ""
    module = re.split(rf"\.{re.escape(name)}(?:\.|$)", value)[0]
    path = source.project.find_module(module, user.path) if module and module != value else None
    if path is None or path == source.path:
        return False
    return re.search(rf"\b{re.escape(module.rpartition('.')[2])}\b", source.text) is None
