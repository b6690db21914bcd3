"""Who derives from what: through the project's own classes first, then through the target release's.

A project that carries its own copy of Pipecat answers for itself: its ``pipecat.utils.base_object`` decides, not the
release's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.pipecat import timeline
from checks.source import Source

BASE_OBJECT = "pipecat.utils.base_object.BaseObject"
BASE_OBSERVER = "pipecat.observers.base_observer.BaseObserver"
FRAME_PROCESSOR = "pipecat.processors.frame_processor.FrameProcessor"


class Lineage(NamedTuple):
    """A class with what it derives from.

    ``own``: the project's classes, the class itself first, each with its file. ``outside``: the dotted names of the
    first bases that are not the project's. ``names``: every dotted Pipecat name among the ancestors, itself included.
    ``is_whole``: none of its bases is one that cannot be told.
    """

    own: tuple[tuple[Source, ast.ClassDef], ...]
    outside: tuple[str, ...]
    names: frozenset[str]
    is_whole: bool = True

    def above(self) -> Lineage:
        """Return what ``super()`` in the class leads to: the same without the class itself."""
        first = {str(pipecat_name(source, node)) for source, node in self.own[:1]}
        return Lineage(self.own[1:], self.outside, self.names - first, self.is_whole)

    def method(self, name: str) -> tuple[Source, ast.ClassDef, ast.FunctionDef | ast.AsyncFunctionDef] | None:
        """Return the nearest definition of a method among the project's classes."""
        for source, node in self.own:
            found = method(node, name)
            if found is not None:
                return source, node, found
        return None

    def vendored(self, name: str) -> ast.ClassDef | None:
        """Return the project's own copy of a Pipecat class the lineage runs through."""
        return next((node for source, node in self.own if pipecat_name(source, node) == name), None)


def lineage(node: ast.ClassDef, source: Source) -> Lineage:
    """Return a class's ancestors as far as they can be told without importing anything."""
    known: dict[ast.ClassDef, Lineage] = source.project.memo.setdefault("lineages", {})
    if node not in known:
        known[node] = _lineage(node, source)
    return known[node]


def _lineage(node: ast.ClassDef, source: Source) -> Lineage:
    own: list[tuple[Source, ast.ClassDef]] = []
    outside: list[str] = []
    names: set[str] = set()
    is_whole = True
    todo: list[tuple[Source, ast.ClassDef]] = [(source, node)]
    while todo:
        here, one = todo.pop(0)
        if any(one is known for _, known in own):
            continue
        own.append((here, one))
        name = pipecat_name(here, one)
        if name:
            names.add(name)
        for base in one.bases:
            target = here.project.resolve(_without_arguments(base), here)
            if isinstance(target, str):
                outside.append(target)
                names |= timeline.ancestors(target, source.project.target)
            elif target is not None and isinstance(target[1], ast.ClassDef):
                todo.append((target[0], target[1]))
            else:
                is_whole = False
    pipecat = frozenset(name for name in names if name.startswith("pipecat."))
    return Lineage(tuple(own), tuple(outside), pipecat, is_whole)


def is_of_library(dotted: str | None, source: Source) -> bool:
    """Tell whether a name is the installed Pipecat's: not of a copy of it in the project."""
    if dotted is None or (not dotted.startswith("pipecat.") and dotted != "pipecat"):
        return False
    return source.project.find_module("pipecat", source.path) is None


def library_attributes(source: Source) -> list[tuple[ast.Attribute, str]]:
    """Return each attribute that a file reads off something of the library's, with the dotted name of that."""
    known: dict[Source, list[tuple[ast.Attribute, str]]] = source.project.memo.setdefault("library attributes", {})
    if source not in known:
        known[source] = list(_library_attributes(source))
    return known[source]


def _library_attributes(source: Source) -> Iterator[tuple[ast.Attribute, str]]:
    if not is_of_library("pipecat", source):
        return
    for name in source.named(ast.Name, source.names.reaching("pipecat")):
        node = source.parent(name)
        if not isinstance(node, ast.Attribute):
            continue
        base = source.names.resolve(name)
        inner: ast.expr = name
        while base is not None and isinstance(node, ast.Attribute) and node.value is inner:
            if isinstance(node.ctx, ast.Load) and is_of_library(base, source):
                yield node, base
            inner, node, base = node, source.parent(node), f"{base}.{node.attr}"


def pipecat_name(source: Source, node: ast.ClassDef) -> str | None:
    """Return the dotted name a class has within Pipecat if its file is a copy of one of Pipecat's modules.

    A copy is known by its path: ``vendor/pipecat/utils/base_object.py`` is ``pipecat.utils.base_object``.
    """
    parts = source.module.split(".")
    if "pipecat" not in parts:
        return None
    at = len(parts) - 1 - parts[::-1].index("pipecat")
    if at == len(parts) - 1:
        return None
    return ".".join([*parts[at:], node.name])


def method(node: ast.ClassDef, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the method of that name in a class body; the last one, as at run time."""
    found = [
        statement
        for statement in node.body
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == name
    ]
    return found[-1] if found else None


def _without_arguments(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base
