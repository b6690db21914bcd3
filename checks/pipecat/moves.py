"""Names that moved: which import has to change for the target release, and what it becomes."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from checks.arguments import Change
from checks.guards import tests_version
from checks.importable import imported_as, is_free
from checks.parted import leaving
from checks.pipecat import tables, timeline
from checks.pipecat.alternatives import left_out
from checks.pipecat.called_alike import as_used
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.releases import Release, parse
from checks.pipecat.renames import NewName, successor
from checks.project import Project
from checks.rule import Finding, Fix, Rule
from checks.source import Source, Span
from checks.unclear import Unclear, if_clear

# Where a string begins that may be a dotted name of Pipecat's.
_BEGUN = re.compile(rb"""["'](?:\\\r?\n?)?pipecat""")
_TAKES_A_NAME = ("patch", "object", "import_module", "dict", "multiple", "setattr", "delattr")


class Move(NamedTuple):
    """A module that is gone ``since`` a release, and where its names are from then on."""

    module: str
    since: Release
    names: Mapping[str, str]


class NewHome(NamedTuple):
    """One imported name and its new home: ``from module import name as local``.

    ``local`` is the name the file uses from now on; ``uses`` are the places that must change to it. ``left_out`` are
    the changes where the old name goes, as the new one stands beside it.
    """

    old: str
    module: str
    name: str
    local: str
    uses: tuple[Span, ...]
    left_out: tuple[Change, ...] = ()


class MovedImport(NamedTuple):
    """Facts of an import statement: the names in it that move. ``whole``: all of them do, to one module."""

    statement: Span
    homes: tuple[NewHome, ...]
    whole: bool


@cache
def moves() -> tuple[Move, ...]:
    """Return the table of moves."""
    table = tomllib.loads(tables.text("moves.toml"))
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
    lacking = next(
        (name for name in (move.names[alias.name] for alias in node.names) if not timeline.exists(name, source.oldest)),
        None,
    )
    if lacking is not None:
        return f"{lacking} is not yet in {source.oldest}, which the project admits"
    try:
        return moved_names(node, {alias: move.names[alias.name] for alias in node.names}, source)
    except Unclear as reason:
        return str(reason)


def moved_names(node: ast.ImportFrom, new: Mapping[ast.alias, str], source: Source) -> MovedImport:
    """Return the import with some of its names from elsewhere, by their new dotted names.

    Raises:
        Unclear: comments stand in it of which it cannot be told where they go, or it is written in an odd way.
    """
    kept = {alias: f"{node.module}.{alias.name}" for alias in node.names}
    homes = tuple(_new_home(alias, node, {**kept, **new}[alias], source) for alias in node.names)
    start, names = source.start(node), source.start(node.names[0])
    if str(node.module) not in source.text[start:names]:
        raise Unclear("the module's name is not written in one piece")
    facts = MovedImport(source.span(node), homes, len({home.module for home in homes}) == 1)
    if not facts.whole and source.has_comment(start, source.end(node)):
        staying = staying_module(node, homes)
        gone = [alias for alias, home in zip(node.names, homes, strict=True) if home.module != staying]
        for _ in leaving(node, gone, source):
            pass
    return facts


def paired(node: ast.ImportFrom, homes: Iterable[NewHome]) -> list[tuple[ast.alias, NewHome]]:
    """Return the names of an import with the new home of each, which may stand in another order and with new ones."""
    by_name: dict[str, list[NewHome]] = {}
    for home in homes:
        by_name.setdefault(home.old, []).append(home)
    return [(alias, by_name[alias.name].pop(0)) for alias in node.names]


def staying_module(node: ast.ImportFrom, homes: Iterable[NewHome]) -> str:
    """Return which of the new homes an import with comments goes on to be of: its own module if it can."""
    modules = [home.module for _, home in paired(node, homes)]
    return str(node.module) if node.module in modules else modules[0]


class DottedUse(NamedTuple):
    """Facts of a use ``module.name``: what stands there from now on, imported from ``module`` if that is given."""

    whole: Span
    module: str | None
    text: str


def place_taken(dotted: str, source: Source) -> NewName | None:
    """Return what took a name's place in the target release and every other one the project admits.

    Its fix is ``Fix.NONE`` where the file uses the old one in a way that the new one does not allow. None too where
    something else stands against it, see ``why_kept``.
    """
    new = successor(dotted, *source.releases)
    return as_used(dotted, new, source) if new is not None and not _hindrance(dotted, new, source) else None


def why_kept(dotted: str, source: Source) -> str:
    """Return why a name does not get the new one of which upstream speaks; empty where there is none, or it does.

    The file expects the new one to be missing; a string of the project's names the old one, as ``patch`` is given; or
    the oldest release that the project admits does not have the new one, or less in it than in the old.
    """
    new = successor(dotted, *source.releases)
    if new is not None:
        return _hindrance(dotted, new, source)
    new = successor(dotted, source.project.target, source.project.target)
    if new is None:
        return ""
    name = new.leaf if new.leaf != dotted.rpartition(".")[2] else new.dotted
    return f"{source.oldest}, which the project admits, has no {name} yet"


def _hindrance(dotted: str, new: NewName, source: Source) -> str:
    if _is_tried(new.dotted, source):
        return f"the file tries to import from {new.dotted.rpartition('.')[0]}"
    lost = _lost_members(dotted, new.dotted, source)
    if lost:
        return f"{new.leaf} of {source.oldest}, which the project admits, has no {lost[0]}"
    return _string_naming(dotted, new, source)


def _lost_members(dotted: str, new: str, source: Source) -> list[str]:
    """Return what a class has in the oldest release that is admitted and the one of the new name only got later."""
    oldest, target = source.oldest, source.project.target
    if oldest == target or timeline.constructor(dotted, oldest) is None:
        return []
    # What the new one has not got to this day was no reason to speak of a new name.
    last = target if timeline.exists(dotted, target) else timeline.last_with(dotted, target)
    return sorted(timeline.missing(dotted, new, oldest) - timeline.missing(dotted, new, last))


def _is_tried(dotted: str, source: Source) -> bool:
    """Tell whether a file imports from a name's module only on trial."""
    module = dotted.rpartition(".")[0]
    return any(node.module == module and source.names.is_guarded(node) for node in source.nodes(ast.ImportFrom))


def _string_naming(dotted: str, new: NewName, source: Source) -> str:
    """Return where a string of the project's names a name, as ``patch`` is given: it would patch what nobody uses."""
    target = source.project.target
    leaf, same = dotted.rpartition(".")[2], timeline.canonical(dotted, target)
    is_gone = timeline.exists(dotted, target) is False
    for user, node, named in _named_in_strings(source.project):
        if leaf in str(node.value) and named != new.dotted and timeline.canonical(named, target) == same:
            if not (is_gone and new_string(node, user) is not None):
                at_file = user.path.relative_to(source.project.root).as_posix()
                return f"a string in {at_file}:{user.span(node).line} names it"
    return ""


def _named_in_strings(project: Project) -> list[tuple[Source, ast.Constant, str]]:
    """Return the strings of a project that are a dotted name of Pipecat's, each with what it names; collected once."""
    if "named in strings" not in project.memo:
        strings = ((user, node) for user in project.matching(_BEGUN) for node in user.strings_with("pipecat"))
        found = ((user, node, _of_module(node)) for user, node in strings)
        project.memo["named in strings"] = [(user, node, named) for user, node, named in found if named is not None]
    return project.memo["named in strings"]


def _of_module(node: ast.Constant) -> str | None:
    """Return what of a module a string names, whatever within that it goes on to."""
    is_one = isinstance(node.value, str) and node.value.startswith("pipecat")
    at = timeline.place(node.value) if is_one else None
    return f"{at.module}.{at.name.partition('.')[0]}" if at is not None else None


def string_given(call: ast.Call, source: Source) -> ast.Constant | None:
    """Return the string with a dotted name that ``patch`` or ``import_module`` is given."""
    first = call.args[0] if call.args else None
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called not in _TAKES_A_NAME or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return None
    return first if is_of_library(first.value, source) else None


def new_string(node: ast.Constant, source: Source) -> DottedUse | None:
    """Return what becomes of a string given to ``patch``, of which the first part has another name now; else None."""
    call = source.parent(node)
    if not isinstance(call, ast.Call) or string_given(call, source) is not node or tests_version(node, source):
        return None
    value = str(node.value)
    at = timeline.place(value)
    text = source.segment(node)
    if at is None or not at.name or text[1:-1] != value:
        return None
    owner = f"{at.module}.{at.name.partition('.')[0]}"
    new = successor(owner, *source.releases)
    if new is None or new.fix is not Fix.SAFE:
        return None
    return DottedUse(source.span(node), None, text[0] + new.dotted + value.removeprefix(owner) + text[-1])


def told(message: str, new: NewName | None) -> str:
    """Return a message with why what took a name's place cannot simply be used."""
    return f"{message}; {new.why}" if new is not None and new.why else message


def new_name_of(node: ast.Attribute, new: NewName, source: Source) -> DottedUse | None:
    """Return what becomes of a dotted use: the new name of the same module, or one imported from another.

    None where that name means something else at this place, or cannot be used as the old one is.
    """
    if new.fix is Fix.NONE:
        return None
    module = new.dotted.rpartition(".")[0]
    if source.names.resolve(node.value) == module:
        return DottedUse(source.span(node), None, f"{source.segment(node.value)}.{new.leaf}")
    if any(binding.qualified != new.dotted for binding in source.names.lookup(new.leaf, node)):
        return None
    whole = source.span(node)
    if imported_as(new.dotted, source) is None and not is_free(new.dotted, [whole], source):
        return None
    return DottedUse(whole, module, new.leaf)


def one_by_one(
    node: ast.ImportFrom,
    said: Mapping[ast.alias, str],
    new: Mapping[ast.alias, NewName],
    rule: Rule,
    source: Source,
) -> Iterator[Finding]:
    """Yield a finding for each name of an import there is something to say of, mended together where they move.

    What behaves the same under its new name does not wait for what may not.
    """
    said = {alias: told(message, new.get(alias)) for alias, message in said.items()}
    for fix in (Fix.SAFE, Fix.UNSAFE):
        moving = {alias: name.dotted for alias, name in new.items() if name.fix is fix and alias in said}
        if not moving:
            continue
        try:
            facts = moved_names(node, moving, source)
        except Unclear as reason:
            yield from (rule.finding(source, alias, f"{said[alias]}; {reason}") for alias in moving)
        else:
            yield from rule.together(source, [(alias, said[alias]) for alias in moving], facts, fix=fix)
    for alias, message in said.items():
        if alias not in new or new[alias].fix is Fix.NONE:
            yield rule.finding(source, alias, message)


def _new_home(alias: ast.alias, node: ast.ImportFrom, dotted: str, source: Source) -> NewHome:
    module, _, name = dotted.rpartition(".")
    local = alias.asname or alias.name
    if alias.asname or name == alias.name:
        return NewHome(alias.name, module, name, local, ())
    reads = list(reads_of_name(local, node, source))
    beside = {use: change for use in reads if (change := _beside(use, dotted, source)) is not None}
    uses = [*(source.span(use) for use in reads if use not in beside), *in_annotations(local, source)]
    # RTVIError less its namespace would be Error, which says less and may hide another.
    lost = local.removesuffix(name)
    is_vague = lost != local and lost.isupper()
    others = (use for use in source.named(ast.Name, (local,)) if use not in reads)
    is_read_otherwise = not all(_is_bound_outside_classes(use, source) for use in others)
    is_declared = any(local in one.names for one in source.nodes(ast.Global, ast.Nonlocal))
    if (
        is_vague
        or is_read_otherwise
        or is_declared
        or not _is_free_for(name, dotted, node, source)
        or is_known_elsewhere(local, node, source)
    ):
        return NewHome(alias.name, module, name, local, ())
    return NewHome(alias.name, module, name, name, tuple(uses), tuple(beside.values()))


def _beside(use: ast.Name, new: str, source: Source) -> Change | None:
    """Return the change that leaves a name out where the new one stands beside it among alternatives, if it does."""
    change, _ = if_clear(left_out, use, new, source)
    return change


def _is_bound_outside_classes(use: ast.Name, source: Source) -> bool:
    """Tell whether it is known what a name is: one bound in a class's body may be looked up outside."""
    bound = [binding.node for binding in source.names.bindings(use)]
    return bool(bound) and not any(isinstance(source.names.scope(one), ast.ClassDef) for one in bound)


def reads_of_name(local: str, node: ast.ImportFrom, source: Source) -> Iterator[ast.Name]:
    """Yield where an imported name is read, strings left out."""
    for name in source.named(ast.Name, (local,)):
        if isinstance(name.ctx, ast.Load) and node in [binding.node for binding in source.names.bindings(name)]:
            yield name


def _is_free_for(name: str, dotted: str, node: ast.ImportFrom, source: Source) -> bool:
    """Tell whether a name is not used in a file, or only for just what it is to mean."""
    twin = next((alias for alias in node.names if (alias.asname or alias.name) == name), None)
    if twin is not None:  # one of the two goes, and a comment may be about either
        has_comment = source.has_comment(source.start(node), source.line_start(source.span(node).end_line + 1))
        if f"{node.module}.{twin.name}" != dotted or has_comment:
            return False
    tables = (source.names.table(scope) for scope in source.names.scopes())
    bound = [binding.qualified for table in tables for binding in table.get(name, ())]
    if bound:
        return set(bound) == {dotted}
    return not any(True for _ in source.named(ast.Name, (name,)))


def in_annotations(name: str, source: Source) -> Iterator[Span]:
    """Yield where a name stands in the strings that are annotations."""
    for constant in source.strings_with(name):
        for start in _places_in_annotation(constant, name, source):
            yield source.span_between(start, start + len(name))


def _places_in_annotation(constant: ast.Constant, name: str, source: Source) -> Iterator[int]:
    """Yield the offsets at which a name stands in a string written out plainly that is (part of) an annotation."""
    text = constant.value
    if not isinstance(text, str) or name not in text or not is_annotation(constant, source):
        return
    start = source.start(constant)
    if source.segment(constant)[1:-1] == text:
        for match in re.finditer(rf"(?<![\w.]){re.escape(name)}\b", text):
            yield start + 1 + match.start()


def is_annotation(node: ast.expr, source: Source) -> bool:
    """Tell whether an expression is an annotation, or an argument of one."""
    child: ast.AST = node
    for above in source.ancestors(node):
        if child is getattr(above, "annotation", None) or child is getattr(above, "returns", None):
            return True
        if not isinstance(above, (ast.Subscript, ast.BinOp, ast.Tuple)) or _is_literal(above, source):
            return False
        child = above
    return False


def _is_literal(node: ast.AST, source: Source) -> bool:
    return isinstance(node, ast.Subscript) and source.segment(node.value).rpartition(".")[2] in ("Literal", "Annotated")


def _may_name(constant: ast.Constant, name: str, source: Source) -> bool:
    """Tell whether a string that is no annotation may be code that refers to a name; prose does not."""
    text = constant.value
    if not isinstance(text, str) or name not in text or isinstance(source.parent(constant), ast.Expr):
        return False
    if any(True for _ in _places_in_annotation(constant, name, source)):
        return False
    try:
        parsed = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    parts = list(ast.walk(parsed))
    if any(isinstance(part, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.IfExp)) for part in parts):
        return False  # "PipelineTask is up"
    return any(name in (getattr(part, "id", ""), getattr(part, "attr", "")) for part in parts)


def naming(name: str, source: Source) -> list[Source]:
    """Return the other files of the project that name both a name and the file's module."""
    users = source.project.mentioning(name, source.module.rpartition(".")[2])
    return [user for user in users if user.path != source.path]


def may_reach(user: Source, name: str) -> bool:
    """Tell whether one of them may take the name other than by importing it: ``bot.Name``, a string."""
    return (
        any(True for _ in user.named(ast.Attribute, (name,)))
        or name in user.strings
        or any(True for _ in user.named(ast.alias, ("*",)))
    )


def is_known_elsewhere(local: str, node: ast.ImportFrom, source: Source) -> bool:
    """Tell whether anything but plain code in this file may know the name: a string, or another file."""
    if source.is_package or isinstance(source.names.scope(node), ast.ClassDef):
        return True
    if any(True for _ in source.named(ast.alias, ("*",))):
        return True  # which may bring another object of the new name
    if any(_may_name(constant, local, source) for constant in source.strings_with(local)):
        return True
    bindings = source.names.table(source.names.scope(node)).get(local, [])
    if len(bindings) != 1:
        return True
    return any(_imports(user, local, source) or may_reach(user, local) for user in naming(local, source))


def _imports(user: Source, name: str, source: Source) -> bool:
    """Tell whether a file imports a name from another one."""
    for alias in user.named(ast.alias, (name,)):
        node = user.parent(alias)
        base = user.names.import_base(node) if isinstance(node, ast.ImportFrom) else None
        if base is not None and source.project.find_module(base, user.path) == source.path:
            return True
    return False
