"""Names that moved: which import has to change for the target release, and what it becomes."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from checks.pipecat.releases import Release, parse
from checks.rule import Finding, Rule
from checks.source import Source, Span


@dataclass(frozen=True, slots=True)
class Move:
    """A module that is gone ``since`` a release, and where its names are from then on."""

    module: str
    since: Release
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NewHome:
    """One imported name and its new home: ``from module import name as local``.

    ``local`` is the name the file uses from now on; ``uses`` are the places that must change to it.
    """

    old: str
    module: str
    name: str
    local: str
    uses: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class MovedImport:
    """Facts of an import statement: the names in it that move. ``whole``: all of them do, to one module."""

    statement: Span
    homes: tuple[NewHome, ...]
    whole: bool


@cache
def moves() -> tuple[Move, ...]:
    """Return the table of moves."""
    table = tomllib.loads(files("checks.pipecat").joinpath("moves.toml").read_text("utf-8"))
    return tuple(Move(row["module"], parse(row["since"]), dict(row["names"])) for row in table["move"])


def move_of(module: str | None, source: Source) -> Move | None:
    """Return the move that concerns an imported module at the project's target, if any.

    A module the project has itself has not moved.
    """
    for move in moves():
        if move.module == module and source.project.target >= move.since:
            if source.project.find_module(move.module, source.path) is None:
                return move
    return None


def moved_import(node: ast.ImportFrom, move: Move, source: Source) -> MovedImport | str:
    """Return what an import becomes, or why it cannot be told."""
    strangers = [alias.name for alias in node.names if alias.name not in move.names]
    if strangers:
        return f"{', '.join(strangers)} has no new home"
    if not source.begins_line(node):
        return "the import does not stand on a line of its own"
    homes = tuple(_new_home(alias, node, move, source) for alias in node.names)
    return MovedImport(source.span(node), homes, len({home.module for home in homes}) == 1)


def moved_names(node: ast.ImportFrom, new: Mapping[ast.alias, str], source: Source) -> MovedImport | None:
    """Return the import with some of its names from elsewhere, by their new dotted names; None if it cannot be."""
    if not new or not source.begins_line(node):
        return None
    homes: list[NewHome] = []
    for alias in node.names:
        module, _, name = new.get(alias, f"{node.module}.{alias.name}").rpartition(".")
        homes.append(NewHome(alias.name, module, name, alias.asname or alias.name, ()))
    return MovedImport(source.span(node), tuple(homes), len({home.module for home in homes}) == 1)


def one_by_one(
    node: ast.ImportFrom, said: Mapping[ast.alias, str], new: Mapping[ast.alias, str], rule: Rule, source: Source
) -> Iterator[Finding]:
    """Yield a finding for each name of an import there is something to say of, mended together where they move."""
    facts: MovedImport | tuple[()] | None = moved_names(node, new, source)
    group = f"{source.path}:{node.lineno}"
    for alias, message in said.items():
        if facts is None or alias not in new:
            yield rule.finding(source, alias, message)
            continue
        yield rule.finding(source, alias, message, facts=facts, group=group, group_size=len(new))
        facts = ()  # the first finding stands for all of them


def _new_home(alias: ast.alias, node: ast.ImportFrom, move: Move, source: Source) -> NewHome:
    module, _, name = move.names[alias.name].rpartition(".")
    local = alias.asname or alias.name
    if alias.asname or name == alias.name:
        return NewHome(alias.name, module, name, local, ())
    uses = list(_uses(local, node, source))
    if name in _all_names(source) or _is_exported(local, node, source):
        return NewHome(alias.name, module, name, local, ())
    return NewHome(alias.name, module, name, name, tuple(source.span(use) for use in uses))


def _uses(local: str, node: ast.ImportFrom, source: Source) -> Iterator[ast.Name]:
    for name in source.nodes(ast.Name):
        if name.id == local and isinstance(name.ctx, ast.Load):
            if node in [binding.node for binding in source.names.bindings(name)]:
                yield name


def _all_names(source: Source) -> set[str]:
    bound = {name for scope in source.names.scopes() for name in source.names.table(scope)}
    return bound | {name.id for name in source.nodes(ast.Name)}


def _may_name(constant: ast.Constant, name: str, source: Source) -> bool:
    """Tell whether a string, other than a docstring or a comment-like one, may refer to a name."""
    if not isinstance(constant.value, str) or isinstance(source.parent(constant), ast.Expr):
        return False
    return re.search(rf"\b{re.escape(name)}\b", constant.value) is not None


def _is_exported(local: str, node: ast.ImportFrom, source: Source) -> bool:
    """Tell whether anything but plain code in this file may know the name: a string, or another file."""
    if source.is_package:
        return True
    if any(_may_name(constant, local, source) for constant in source.nodes(ast.Constant)):
        return True
    bindings = source.names.table(source.names.scope(node)).get(local, [])
    if len(bindings) != 1:
        return True
    return any(
        alias.name == local
        and user.names.import_base(other) is not None
        and source.project.find_module(str(user.names.import_base(other)), user.path) == source.path
        for user in source.project.mentioning(local)
        for other in user.nodes(ast.ImportFrom)
        for alias in other.names
    )
