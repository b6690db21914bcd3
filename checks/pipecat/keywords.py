"""Keywords given to Pipecat's constructors that the target release has no use for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from checks.guards import tests_version, value_of
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.releases import Release
from checks.pipecat.remedies import rows_of
from checks.pipecat.renames import predecessors
from checks.receivers import is_super_call
from checks.source import Source

# task-manager-argument knows more of this one.
_OWNED = ("task_manager",)
# What in the body of a class has a say in how its objects are made, or what their settings are.
_OF_CONSTRUCTION = (
    "__init__",
    "__new__",
    "__post_init__",
    "__init_subclass__",
    "model_post_init",
    "model_config",
    "Config",
    "Settings",
)


class Unknown(NamedTuple):
    """A keyword of a call, the class it builds, since or until when that took it, and what becomes of it now.

    ``name`` is what the class does not take: the keyword's own, or one that its ``**`` unpacks.
    """

    call: ast.Call
    keyword: ast.keyword
    built: str
    story: str
    fate: Literal["swallowed", "refused"]
    name: str

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


def passed_on(source: Source) -> list[Unknown]:
    """Return what else a file has in store for a class that does not take it.

    A keyword given to ``partial(Class, …)``, and the ``**`` that unpacks a dictionary written out in the file and
    never changed.
    """
    memo = source.project.memo
    key = f"keywords passed on in {source.path}"
    if key not in memo:
        memo[key] = list(_passed_on(source))
    return memo[key]


def _passed_on(source: Source) -> Iterator[Unknown]:
    has_partial = "partial" in source.text
    for call in source.nodes(ast.Call):
        names = {keyword: _unpacked(keyword.value, source) for keyword in call.keywords if keyword.arg is None}
        called = _callee(call, source) if names else None
        if has_partial and call.args and source.names.resolve(call.func) == "functools.partial":
            called = call.args[0]
            names |= {keyword: (keyword.arg,) for keyword in call.keywords if keyword.arg is not None}
        given = [(keyword, name) for keyword, some in names.items() for name in some]
        if given and called is not None:
            yield from _unknown(call, called, given, source)


def _of_call(node: ast.Call, source: Source) -> Iterator[Unknown]:
    called = _callee(node, source) if node.keywords else None
    if called is not None:
        given = [(keyword, keyword.arg) for keyword in node.keywords if keyword.arg is not None]
        yield from _unknown(node, called, given, source)


def _unknown(
    node: ast.Call, called: ast.expr, given: Iterable[tuple[ast.keyword, str]], source: Source
) -> Iterator[Unknown]:
    """Yield what of that which a call gives to a class the target release has no use for."""
    target = source.project.target
    built, fields = _built(called, source)
    takes = timeline.constructor(built, target) if built is not None else None
    if built is None or takes is None or takes.others is None:
        return
    for keyword, name in given:
        if name in takes.keywords or name in fields or name in _OWNED:
            continue
        known = timeline.keyword_history(built, name) or _history_before(built, name)
        if known and not tests_version(node, source):
            earlier = [release for release in known if release < target]
            if target in known:  # the class that this one took the place of is still there, and takes it
                story = f"takes no {name}"
            elif earlier:
                gone = timeline.RELEASES[timeline.RELEASES.index(earlier[-1]) + 1]
                story = f"takes no {name} since {gone}"
            else:
                story = f"takes no {name} before {known[0]}"
            yield Unknown(node, keyword, built, story, takes.others, name)
        elif rows_of(built, name, target) and not tests_version(node, source):
            # It was a keyword of a class that this one took the place of.
            yield Unknown(node, keyword, built, f"takes no {name}", takes.others, name)


def _unpacked(value: ast.expr, source: Source) -> tuple[str, ...]:
    """Return the keys of a dictionary written out where it is unpacked, or where the name for it is bound for good."""
    if isinstance(value, ast.Name):
        written = value_of(value, source)
        if written is None or tests_version(written, source) or _may_change(value, source):
            return ()
        value = written
    match value:
        case ast.Dict(keys=keys):
            return tuple(key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return tuple(keyword.arg for keyword in keywords if keyword.arg is not None)
        case _:
            return ()


def _may_change(name: ast.Name, source: Source) -> bool:
    """Tell whether a dictionary is used otherwise than by unpacking it, or another file may use it."""
    if any(path != source.path for path in source.project.paths_mentioning(name.id)):
        return True
    uses = [use for use in source.nodes(ast.Name) if use.id == name.id and isinstance(use.ctx, ast.Load)]
    return not all(isinstance(above := source.parent(use), ast.keyword) and above.arg is None for use in uses)


def _history_before(built: str, keyword: str) -> list[Release]:
    """Return the releases in which a class that this one took the place of takes a keyword."""
    found = (timeline.keyword_history(old, keyword) for old in predecessors(built))
    return sorted({release for releases in found for release in releases})


def built_name(node: ast.Call, source: Source) -> str | None:
    """Return what ``called_name`` does; of a class of the project's, the one of Pipecat's whose constructor it has."""
    return _built(_callee(node, source), source)[0]


def _built(called: ast.expr | None, source: Source) -> tuple[str | None, frozenset[str]]:
    """Return the class of Pipecat's whose constructor builds what is called, and the fields that classes add to it."""
    found = source.project.resolve(called, source) if called is not None else None
    fields: frozenset[str] = frozenset()
    while found is not None and not isinstance(found, str):
        home, owner = found
        added = _added(owner) if isinstance(owner, ast.ClassDef) else None
        if not isinstance(owner, ast.ClassDef) or added is None:
            return None, fields
        fields |= added
        found = home.project.resolve(owner.bases[0], home)
    return (found if is_of_library(found, source) else None), fields


def _added(owner: ast.ClassDef) -> frozenset[str] | None:
    """Return the names in the body of a class that leaves its construction to its one base; None if it may not."""
    if len(owner.bases) != 1 or owner.keywords or owner.decorator_list:
        return None
    names: set[str] = set()
    for one in owner.body:
        match one:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if any("validat" in ast.unparse(how) for how in one.decorator_list):
                    return None
                names.add(one.name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _:
                return None
    return frozenset(names) if names.isdisjoint(_OF_CONSTRUCTION) else None


def called_name(node: ast.Call, source: Source) -> str | None:
    """Return the dotted name in Pipecat of what a call calls; ``super().__init__`` calls the one base class."""
    called = _callee(node, source)
    found = source.project.resolve(called, source) if called is not None else None
    return found if isinstance(found, str) and is_of_library(found, source) else None


def _callee(node: ast.Call, source: Source) -> ast.expr | None:
    called: ast.expr = node.func
    if is_super_call(node, "__init__"):
        owner = source.names.enclosing_class(node)
        if owner is None or len(owner.bases) != 1 or owner.keywords:
            return None
        called = owner.bases[0]
    return called.value if isinstance(called, ast.Subscript) else called
