"""Environment variables that Pipecat read once, and no more: variables.tsv.

Facts are the wheels': the last release before ``since`` reads the old one in the modules told as readers, no later one
does; the new one, where there is one, is read there instead, for the same, from ``since`` on.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from checks.pipecat import tables
from checks.pipecat.releases import Release, parse
from checks.project import Project
from checks.source import Source

_SETTERS = ("putenv", "setdefault", "setenv")


class Unread(NamedTuple):
    """A variable, the one read in its place if there is one, since when, and what to say of it.

    ``readers``: the beginnings of the dotted names of what read it.
    """

    name: str
    new: str
    since: Release
    readers: tuple[str, ...]
    advice: str


@cache
def unread() -> dict[str, Unread]:
    """Return the table, by the variable's name."""
    rows = (
        Unread(name, new, parse(since), tuple(readers.split()), advice)
        for name, new, since, readers, advice in tables.rows("variables.tsv")
    )
    return {row.name: row for row in rows}


def is_pipecats(one: Unread, project: Project) -> bool:
    """Tell whether a project's variable is there for Pipecat: it uses what read it, and never reads it itself."""
    known: dict[str, bool] = project.memo.setdefault("variables for Pipecat", {})
    if one.name not in known:
        known[one.name] = any(True for _ in users(one, project)) and not is_read(one.name, project)
    return known[one.name]


def users(one: Unread, project: Project) -> Iterator[Source]:
    """Yield the files of a project that use what read a variable."""
    names = b"|".join(re.escape(name.encode()) for name in one.readers)
    return project.matching(re.compile(rb"(?<![\w.])(?:" + names + rb")\b"))


def is_read(name: str, project: Project) -> bool:
    """Tell whether a project's code may read a variable: it names it otherwise than to set it, or in small letters."""
    if project.paths_mentioning(name.lower()):
        return True  # as a field of pydantic's settings
    named = list(project.mentioning(name))
    if len(named) < len(project.paths_mentioning(name)):
        return True  # by a file that cannot be read
    # As in what a shell is given, or expandvars().
    within = re.compile(rf"(?:\$\{{?|\{{|%\(){name}\b")
    for user in named:
        if within.search(user.strings):
            return True
        if any(not is_set(text, user) for text in user.named(ast.Constant, (name,))):
            return True
        if any(True for kind in (ast.Name, ast.Attribute, ast.keyword) for _ in user.named(kind, (name,))):
            return True
    return False


def is_set(text: ast.Constant, source: Source) -> bool:
    """Tell whether a string is the name of a variable that the code gives the environment, its own or a child's."""
    parent = source.parent(text)
    match parent:
        case ast.Subscript(value=holder, slice=name, ctx=ast.Store()):
            return name is text and _is_environment(holder)
        case ast.Call(func=ast.Attribute(attr=called), args=[first, _, *_]) if called in _SETTERS:
            return first is text and (called != "setdefault" or _is_environment(parent.func))
        case ast.Dict(keys=keys, values=values):
            return any(key is text for key in keys) and (
                any(key is None and _is_environment(value) for key, value in zip(keys, values, strict=True))
                or _is_handed_to_environment(parent, source)
            )
        case _:
            return False


def _is_handed_to_environment(given: ast.Dict, source: Source) -> bool:
    """Tell whether a dictionary is for ``os.environ.update`` or ``patch.dict(os.environ, …)``."""
    call = source.parent(given)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or given not in call.args:
        return False
    return _is_environment(call.func) if call.func.attr == "update" else any(map(_is_environment, call.args[:1]))


def _is_environment(node: ast.expr) -> bool:
    """Tell whether an expression is the environment, or a member of it, by how it is written."""
    if isinstance(node, ast.Constant):
        return node.value == "os.environ"
    written = ast.unparse(node).split(".")
    return "environ" in written[-2:]
