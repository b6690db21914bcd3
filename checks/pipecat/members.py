"""What Pipecat's classes have no more, and what took the place of a method, property or field.

Each row of members.tsv is a class, a member, the one that means the same, and whether code behaves the same with it.
The rows are facts of the wheels: while both are there, the old one only hands on to the new one; where there is no
release that has both, the new one is filled with the same object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from checks.arguments import Change, Rewrite
from checks.guards import asks_for, catches, tests_version
from checks.pipecat import tables, timeline
from checks.pipecat.hierarchy import Lineage, is_of_library, lineage
from checks.pipecat.objects import Object, object_of, owner_of
from checks.pipecat.realtime import OPENAI_REALTIME
from checks.pipecat.releases import RELEASES, Release
from checks.pipecat.renames import predecessors
from checks.receivers import is_self_attribute
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

Function = ast.FunctionDef | ast.AsyncFunctionDef

_METHOD_DECORATORS = ("property", "staticmethod", "classmethod", "override", "typing.override")
_PLAIN_DECORATORS = ("dataclass", "dataclasses.dataclass")
# task-manager-argument and dead-audio-done-override know more of these.
_OWNED = frozenset(
    {
        *(("pipecat.pipeline.worker_observer.WorkerObserver", name) for name in ("start", "stop")),
        (OPENAI_REALTIME, "_handle_evt_audio_done"),
    }
)


class Gone(NamedTuple):
    """A member that a class of Pipecat's had: the class, the last release with it, and the first without."""

    owner: str
    member: str
    last: Release
    since: Release

    @property
    def story(self) -> str:
        """What to say of it."""
        return f"{self.owner.rpartition('.')[2]} has no {self.member} since {self.since}"


@cache
def renames() -> dict[tuple[str, str], tuple[str, Fix]]:
    """Return the table, by class and member."""
    return {(owner, member): (new, Fix(tier)) for owner, member, new, tier in tables.rows("members.tsv")}


def renamed(node: ast.Attribute, owner: str, found: Object, source: Source) -> Rewrite:
    """Return the change that asks an object for what took a member's place.

    Raises:
        Unclear: nothing is known to, or not in all releases that the project admits.
    """
    target = source.project.target
    rows = (renames().get((ancestor, node.attr)) for ancestor in timeline.lineage(owner, target))
    new, fix = next((row for row in rows if row is not None), ("", Fix.NONE))
    if not new:
        raise Unclear("")
    for release in source.releases:
        if timeline.member(owner, new, release) is None:
            raise Unclear(f"{release}, which the project admits, has no {new}")
    if is_own(found.lineage, new):
        raise Unclear(f"{new} is something else in its class")
    _check_call(node, owner, new, source)
    end = source.end(node)
    return Rewrite((Change(source.span_between(end - len(node.attr), end), new),), fix)


def _check_call(node: ast.Attribute, owner: str, new: str, source: Source) -> None:
    """Raise Unclear where the new member is a method, and the old one is not called with arguments it takes."""
    signature = timeline.signature(owner, new, source.project.target)
    call = source.parent(node)
    if signature is None:
        return
    if not isinstance(call, ast.Call) or call.func is not node:
        raise Unclear(f"it is {new} now, but here it is not called")
    names = {one.arg for one in call.keywords}
    if len(call.args) > len(signature.by_place) or not names <= {*signature.by_place, *signature.by_keyword}:
        raise Unclear(f"{new} does not take these arguments")


def gone_from(found: Object, name: str, source: Source) -> Gone | None:
    """Return the member an object does not have in the target release and had before; None where that is not certain.

    It is certain where every ancestor is known, and nothing of the project's gives the object one of its own.
    """
    gone = gone_above(found.lineage, name, source)
    if gone is None:
        return None
    if not found.lineage.own:
        is_there = is_given(found, gone.owner, name, source)
        return None if is_there or (not found.is_exact and is_below(gone.owner, name, source)) else gone
    home, first = found.lineage.own[0]
    lines = [found.lineage, *(() if found.is_exact else heirs(first, home))]
    if is_set_from_outside(name, source) or any(is_own(line, name) for line in lines):
        return None
    return gone if all(gone_above(line, name, source) is not None for line in lines) else None


def gone_at(node: ast.Attribute, source: Source) -> tuple[Object, Gone] | None:
    """Return the object and the member that is gone where one is read; None too where that is looked into there."""
    found = owner_of(node, source) if isinstance(node.ctx, ast.Load) else None
    gone = gone_from(found, node.attr, source) if found is not None else None
    if found is None or gone is None or asks_for(node.attr, node, source) or tests_version(node, source):
        return None
    return found, gone


def refused_at(node: ast.Attribute, source: Source) -> Gone | None:
    """Return the field that is gone where a model of pydantic's is to be given it, which takes only those it has."""
    found = object_of(node.value, source) if isinstance(node.ctx, ast.Store) else None
    gone = gone_above(found.lineage, node.attr, source) if found is not None else None
    if found is None or gone is None or timeline.BASE_MODEL not in timeline.lineage(gone.owner, source.project.target):
        return None
    lines = [found.lineage]
    if found.lineage.own and not found.is_exact:
        home, first = found.lineage.own[0]
        lines += heirs(first, home)
    elif not found.is_exact and is_below(gone.owner, node.attr, source):
        return None
    if any(is_own(line, node.attr) for line in lines) or is_defined_below(gone.owner, node.attr, source):
        return None
    if asks_for(node.attr, node, source) or tests_version(node, source) or catches(node, source, "ValueError"):
        return None
    return gone


def is_given(found: Object, owner: str, name: str, source: Source) -> bool:
    """Tell whether the project may give an object a member of its own in place of its class's, in whatever way."""
    if is_own(found.lineage, name) or _is_set(owner, name, source):
        return True
    return not found.is_exact and is_defined_below(owner, name, source)


def gone_above(line: Lineage, name: str, source: Source) -> Gone | None:
    """Return the member that the Pipecat classes of a lineage had, and none of its other bases may have."""
    if not line.is_whole or not is_of_library("pipecat", source):
        return None
    known: dict[tuple[tuple[str, ...], str], Gone | None] = source.project.memo.setdefault("gone above", {})
    key = line.outside, name
    if key not in known:
        known[key] = _gone_above(line.outside, name, source.project.target)
    return known[key]


def _gone_above(bases: tuple[str, ...], name: str, target: Release) -> Gone | None:
    if name.startswith("__") or timeline.is_of_python(name):
        return None
    if any(not timeline.answers_for_itself(one, target) for one in bases):
        return None
    owners = [one for one in bases if one.startswith("pipecat.")]
    if any(timeline.member(one, name, target) is not None for one in owners):
        return None
    for owner in owners:
        last = _last_member(owner, name, target)
        if last is not None and last[1] != "class" and not last[1].startswith("="):
            if any((one, name) in _OWNED for one in timeline.lineage(owner, target)):
                return None
            return Gone(owner, name, last[0], RELEASES[RELEASES.index(last[0]) + 1])
    return None


def _last_member(owner: str, name: str, release: Release) -> tuple[Release, str] | None:
    """Return the last release before one in which a class had a member; a model's also by the names it had before."""
    last = timeline.last_member(owner, name, release)
    if last is None and timeline.BASE_MODEL in timeline.lineage(owner, release):
        found = (timeline.last_member(old, name, release) for old in predecessors(owner))
        last = max((one for one in found if one is not None), default=None)
    return last


def is_bound(name: str, node: ast.ClassDef, source: Source) -> bool:
    """Tell whether the body of a class, not only its methods, may make a member of that name."""
    known: dict[ast.ClassDef, frozenset[str]] = source.project.memo.setdefault("bound in classes", {})
    if node not in known:
        known[node] = frozenset(name for statement in node.body for name in _bound(statement))
    return name in known[node]


def is_own(line: Lineage, name: str) -> bool:
    """Tell whether one of the project's classes may have a member of that name."""
    return any(_may_have(node, name, source) for source, node in line.own)


def _may_have(node: ast.ClassDef, name: str, source: Source) -> bool:
    names = _names_of(node, source)
    return names is None or name in names


def _names_of(node: ast.ClassDef, source: Source) -> frozenset[str] | None:
    """Return the names of all that a class may give its objects, None if it may be anything; worked out once."""
    known: dict[ast.ClassDef, frozenset[str] | None] = source.project.memo.setdefault("members of classes", {})
    if node not in known:
        known[node] = None if node.keywords or not _is_plain(node) else _given(node, source)
    return known[node]


def _given(node: ast.ClassDef, source: Source) -> frozenset[str] | None:
    names = set(_stored(source).get(node, ()))
    for statement in node.body:
        names |= _bound(statement)
    return None if {"__dict__", "__getattr__", "__getattribute__"} & names else frozenset(names)


def _stored(source: Source) -> dict[ast.ClassDef, set[str]]:
    """Return by class the names of attributes set anywhere in it; ``__dict__`` among them: under any name."""
    known: dict[Source, dict[ast.ClassDef, set[str]]] = source.project.memo.setdefault("stored in classes", {})
    if source not in known:
        known[source] = {}
        stored = [one for one in source.nodes(ast.Attribute) if isinstance(one.ctx, ast.Store)]
        by_name = [*source.named(ast.Attribute, ("__dict__",)), *source.named(ast.Name, ("setattr",))]
        for one in (*stored, *by_name):
            name = one.attr if isinstance(one, ast.Attribute) else "__dict__"
            for above in source.ancestors(one):
                if isinstance(above, ast.ClassDef):
                    known[source].setdefault(above, set()).add(name)
    return known[source]


def _is_set(owner: str, member: str, source: Source) -> bool:
    """Tell whether the project gives an object that may be of a class such an attribute, from outside or by name."""
    if is_set_from_outside(member, source):
        return True
    above = timeline.canonical(owner, source.project.target)
    for user in source.project.mentioning(member):
        for one in user.named(ast.Attribute, (member,)):
            if isinstance(one.ctx, ast.Store):
                setter = user.names.enclosing_class(one)
                if setter is not None and _leads_below(setter, user, above):
                    return True
    return False


def is_set_from_outside(member: str, source: Source) -> bool:
    """Tell whether the project sets such an attribute on any object but a method's own, or by its name in a string."""
    known: dict[str, bool] = source.project.memo.setdefault("set from outside", {})
    if member not in known:
        known[member] = _sets_from_outside(member, source)
    return known[member]


def _sets_from_outside(member: str, source: Source) -> bool:
    for user in source.project.mentioning(member):
        for one in user.named(ast.Attribute, (member,)):
            if isinstance(one.ctx, ast.Store) and not is_self_attribute(one, user):
                return True
        for one in user.strings_with(member):
            if str(one.value).rpartition(".")[2] == member:
                call = user.parent(one)
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(
                    ("setattr", "__setattr__", "patch", "object")
                ):
                    return True
    return False


def heirs(node: ast.ClassDef, source: Source) -> list[Lineage]:
    """Return the lineages of the project's classes that derive from one of its classes."""
    found: dict[ast.ClassDef, Lineage] = {}
    todo = [(node, source)]
    while todo:
        one, home = todo.pop()
        for user in home.project.mentioning(one.name):
            for other in user.nodes(ast.ClassDef):
                line = lineage(other, user)
                if other not in (node, *found) and any(one is above for _, above in line.own):
                    found[other] = line
                    todo.append((other, user))
    return list(found.values())


def is_below(owner: str, name: str, source: Source) -> bool:
    """Tell whether a class of Pipecat's that derives from one has a member of its own."""
    target = source.project.target
    above = timeline.canonical(owner, target)
    return any(above in timeline.lineage(one, target) for one in timeline.definers(name, target))


def is_defined_below(owner: str, name: str, source: Source) -> bool:
    """Tell whether a class of the project's that derives from one of Pipecat's may have such a member of its own."""
    above = timeline.canonical(owner, source.project.target)
    for user in source.project.mentioning(name):
        for node in user.nodes(ast.ClassDef):
            if is_bound(name, node, user) and _leads_below(node, user, above):
                return True
    return False


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement of a class body may make members of."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    parts = list(ast.walk(statement))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {p.name for p in parts if isinstance(p, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}


def _leads_below(node: ast.ClassDef, source: Source, above: str) -> bool:
    """Tell whether a class, or one that has it among its bases, derives from a class of Pipecat's."""
    todo, seen = [(node, source)], set[ast.ClassDef]()
    while todo:
        one, home = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        if above in lineage(one, home).names:
            return True
        for user in home.project.mentioning(one.name):
            for other in user.nodes(ast.ClassDef):
                if any(one.name in ast.unparse(base) for base in other.bases):
                    todo.append((other, user))
    return False


def is_in_dead_override(node: ast.AST, source: Source) -> bool:
    """Tell whether a node is in an override that is never called."""
    owner, function = source.names.enclosing_class(node), source.names.enclosing_function(node)
    return owner is not None and any(method is function for method, _ in dead_overrides(owner, source))


def dead_overrides(node: ast.ClassDef, source: Source) -> Iterator[tuple[Function, Gone]]:
    """Yield the methods of a class that override one of Pipecat's that is gone, and that nothing else mentions."""
    methods = [one for one in node.body if isinstance(one, Function) and not one.name.startswith("__")]
    line = lineage(node, source) if methods and node.bases else None
    if line is None or node.keywords or any(not _is_plain(one) for _, one in line.own):
        return
    for method in methods:
        gone = gone_above(line, method.name, source)
        if gone is None or any(_may_have(one, method.name, home) for home, one in line.own[1:]):
            continue
        was = timeline.member(gone.owner, method.name, gone.last) or ""
        if was != "property" and "(" not in was:
            continue
        if all(ast.unparse(one) in _METHOD_DECORATORS for one in method.decorator_list):
            if not _is_mentioned(method.name, source) and not any(_asks_by_made_up_name(home) for home, _ in line.own):
                yield method, gone


def _asks_by_made_up_name(source: Source) -> bool:
    """Tell whether a file asks an object for a member whose name it puts together."""
    calls = (source.parent(one) for one in source.named(ast.Name, ("getattr",)))
    asked = (call.args[1] for call in calls if isinstance(call, ast.Call) and len(call.args) > 1)
    return any(isinstance(one, (ast.JoinedStr, ast.BinOp)) for one in asked)


def _is_plain(node: ast.ClassDef) -> bool:
    return all(ast.unparse(one).partition("(")[0] in _PLAIN_DECORATORS for one in node.decorator_list)


def _is_mentioned(name: str, source: Source) -> bool:
    """Tell whether anything in the project names a method but methods of that name themselves."""
    for user in source.project.mentioning(name):
        for part in user.named(ast.Attribute, (name,)):
            function = user.names.enclosing_function(part)
            above = isinstance(part.value, ast.Call) and ast.unparse(part.value) == "super()"
            if not above or getattr(function, "name", None) != name:
                return True
        if any(True for kind in (ast.Name, ast.Constant) for _ in user.named(kind, (name,))):
            return True
        if any(alias.name == name for alias in user.nodes(ast.alias)):
            return True
    return False
