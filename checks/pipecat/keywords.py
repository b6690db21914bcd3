"""Keywords given to Pipecat's constructors that the target release has no use for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from checks.guards import tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library, lineage
from checks.pipecat.releases import Release
from checks.pipecat.remedies import rows_of
from checks.pipecat.renames import predecessors
from checks.receivers import is_super_call
from checks.source import Source

# task-manager-argument knows more of this one.
_OWNED = ("task_manager",)
# What in a class has a say in what it can be built with.
_CONSTRUCTS = ("__init__", "__new__", "__post_init__", "__init_subclass__", "model_post_init")
_CONFIGURES = {"model_config", "__init__", "__new__"}
_PLAIN_DECORATORS = ("dataclass", "dataclasses.dataclass")


class Unknown(NamedTuple):
    """A keyword of a call, the class it builds, since or until when that took it, and what becomes of it now."""

    call: ast.Call
    keyword: ast.keyword
    built: str
    story: str
    fate: Literal["swallowed", "refused"]

    @property
    def owner(self) -> str:
        """The name of the class."""
        return self.built.rpartition(".")[2]


def unknown_keywords(source: Source) -> list[Unknown]:
    """Return the keywords in a file that the target release does not take, worked out once for all who ask."""
    memo = source.project.memo
    key = f"unknown keywords of {source.path}"
    if key not in memo:
        memo[key] = [unknown for node in source.nodes(ast.Call) for unknown in _of_call(node, source)]
    return memo[key]


def _of_call(node: ast.Call, source: Source) -> Iterator[Unknown]:
    if not node.keywords:
        return
    built, own = called_name(node, source), ()
    if built is None:
        built, own = _inherited(node, source)
    target = source.project.target
    takes = timeline.constructor(built, target) if built is not None else None
    if built is None or takes is None or takes.others is None:
        return
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in takes.keywords or keyword.arg in _OWNED or keyword.arg in own:
            continue
        known = timeline.keyword_history(built, keyword.arg) or _history_before(built, keyword.arg)
        if known and not tests_version(node, source):
            earlier = [release for release in known if release < target]
            if earlier:
                gone = timeline.RELEASES[timeline.RELEASES.index(earlier[-1]) + 1]
                story = f"takes no {keyword.arg} since {gone}"
            else:
                story = f"takes no {keyword.arg} before {known[0]}"
            yield Unknown(node, keyword, built, story, takes.others)
        elif rows_of(built, keyword.arg, target) and not tests_version(node, source):
            # It was a keyword of a class that this one took the place of.
            yield Unknown(node, keyword, built, f"takes no {keyword.arg}", takes.others)


def _history_before(built: str, keyword: str) -> list[Release]:
    """Return the releases in which a class that this one took the place of takes a keyword."""
    found = (timeline.keyword_history(old, keyword) for old in predecessors(built))
    return sorted({release for releases in found for release in releases})


def _inherited(node: ast.Call, source: Source) -> tuple[str | None, frozenset[str]]:
    """Return whose constructor a call of one of the project's classes runs, and what the project's classes add to it.

    None where they have a say in it.
    """
    found = source.project.resolve(node.func, source)
    if not isinstance(found, tuple) or not isinstance(found[1], ast.ClassDef):
        return None, frozenset()
    line = lineage(found[1], found[0])
    if not line.is_whole or len(line.outside) != 1 or not is_of_library(line.outside[0], source):
        return None, frozenset()
    if not all(_leaves_construction(cls) for _, cls in line.own):
        return None, frozenset()
    return line.outside[0], frozenset(name for _, cls in line.own for name in _fields(cls))


def _leaves_construction(cls: ast.ClassDef) -> bool:
    """Tell whether a class is built as its base is, but for more fields."""
    if cls.keywords or any(ast.unparse(one) not in _PLAIN_DECORATORS for one in cls.decorator_list):
        return False
    for statement in cls.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if statement.name in _CONSTRUCTS or any(ast.unparse(one) != "property" for one in statement.decorator_list):
                return False
        elif not isinstance(statement, (ast.AnnAssign, ast.Assign, ast.Expr, ast.Pass)):
            return False
    return not _CONFIGURES & set(_fields(cls))


def _fields(cls: ast.ClassDef) -> Iterator[str]:
    for statement in cls.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def called_name(node: ast.Call, source: Source) -> str | None:
    """Return the dotted name in Pipecat of what a call calls; ``super().__init__`` calls the one base class."""
    called: ast.expr = node.func
    if is_super_call(node, "__init__"):
        owner = source.names.enclosing_class(node)
        if owner is None or len(owner.bases) != 1 or owner.keywords:
            return None
        called = owner.bases[0]
    if isinstance(called, ast.Subscript):
        called = called.value
    found = source.project.resolve(called, source)
    return found if isinstance(found, str) and is_of_library(found, source) else None
