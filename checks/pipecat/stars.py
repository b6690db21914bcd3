"""Names that nothing but ``from module import *`` brings, and that it brings no more, in a file or through it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import asks_for, catches, tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library
from checks.source import Source


def lost_names(node: ast.ImportFrom, source: Source) -> Iterator[tuple[ast.Name, str]]:
    """Yield the first use in a file of each name that is lost with a star import of it, and its dotted name."""
    gone = set(_gone(str(node.module), source))
    for use in source.nodes(ast.Name):
        if use.id in gone and isinstance(use.ctx, ast.Load) and not source.names.bindings(use):
            gone.remove(use.id)
            if _lost_at(use.id, source) is node and not catches(use, source, "NameError"):
                if not tests_version(use, source):
                    yield use, f"{node.module}.{use.id}"


def lost_elsewhere(node: ast.ImportFrom, source: Source) -> Iterator[tuple[str, Source, int]]:
    """Yield each dotted name lost with a star import that others take from its file, and who first, in which line."""
    for name in _gone(str(node.module), source):
        takers = ((user, line) for user in source.project.mentioning(name) for line in _taken(name, node, source, user))
        first = next(takers, None)
        if first is not None:
            yield f"{node.module}.{name}", *first


def _gone(module: str, source: Source) -> Iterator[str]:
    for name in sorted(set(timeline.names_of(module))):
        if "." not in name and timeline.exists(f"{module}.{name}", source.project.target) is False:
            yield name


def _taken(name: str, star: ast.ImportFrom, source: Source, user: Source) -> Iterator[int]:
    """Yield the lines in which another file takes a name that a star import brought to this one."""
    if user is source:
        return
    for node in user.nodes(ast.ImportFrom):
        if any(alias.name == name for alias in node.names) and not user.names.is_guarded(node):
            if _comes_from(user.names.import_base(node), name, star, user) and not tests_version(node, user):
                yield node.lineno
    for use in user.named(ast.Attribute, (name,)):
        if isinstance(use.ctx, ast.Load) and _comes_from(user.names.resolve(use.value), name, star, user):
            if not asks_for(name, use, user) and not tests_version(use, user):
                yield use.lineno
    for use in user.named(ast.Name, (name,)):
        if isinstance(use.ctx, ast.Load) and not user.names.bindings(use) and _lost_at(name, user) is star:
            if not catches(use, user, "NameError") and not tests_version(use, user):
                yield use.lineno


def _comes_from(module: str | None, name: str, star: ast.ImportFrom, user: Source) -> bool:
    path = user.project.find_module(module, user.path) if module else None
    own = user.project.readable(path) if path is not None else None
    return own is not None and _lost_at(name, own) is star


def _lost_at(name: str, source: Source) -> ast.ImportFrom | None:
    """Return the star import that brought a name to a file or through others, where nothing may bring it any more."""
    lost: ast.ImportFrom | None = None
    todo, seen = [source], {source.path}
    while todo:
        one = todo.pop(0)
        bound = one.names.table(one.tree)
        if name in bound or "__getattr__" in bound or "globals" in one.text:
            return None
        if one.is_package and one.project.find_module(f"{one.module}.{name}", one.path) is not None:
            return None
        for node in one.nodes(ast.ImportFrom):
            if node.names[0].name != "*":
                continue
            base = one.names.import_base(node)
            if base is None or one.names.is_guarded(node) or tests_version(node, one):
                return None
            if is_of_library(base, one):
                exists = timeline.exists(f"{base}.{name}", one.project.target)
                if exists or timeline.exists(base, one.project.target) is not True:
                    return None  # of a module that is gone, its import tells
                lost = lost or (node if exists is False else None)
                continue
            path = one.project.find_module(base, one.path)
            own = one.project.readable(path) if path is not None else None
            if own is None:
                return None
            if own.path not in seen:
                seen.add(own.path)
                todo.append(own)
    return lost
