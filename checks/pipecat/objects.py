"""Of which class the object is that an expression stands for.

Known are: a constructor's call; a variable or an attribute of ``self`` that is given nothing else (``None`` beside it
allowed), or that ``with`` gives; what a method or property of such an object of Pipecat's gives, or the object itself
where it is unpacked (the aggregators of a pair); a parameter by its annotation, and an attribute of ``self`` by that in
the class's own body, if what it is given tells nothing; ``self`` and ``super()`` in a class's own methods; and what a
test with ``isinstance`` has narrowed. A class is the project's own or one of Pipecat's.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from checks.guards import conditions, is_none, same
from checks.names import MOST_BINDINGS, Binding
from checks.pipecat import timeline
from checks.pipecat.hierarchy import Lineage, is_of_library, lineage
from checks.project import Definition
from checks.receivers import Receiver, assigned, is_instance_parameter, is_self_attribute, self_attributes
from checks.source import Source

# A variable is a step, and so is a call: a pair of aggregators that a service makes has more than most.
_MOST_STEPS = 6


class Object(NamedTuple):
    """What is known of an object: its class's lineage, and whether it is of just that class or may be of a subclass.

    ``past`` is the class in which ``super()`` stands: what that and its heirs have, it does not lead to.
    """

    lineage: Lineage
    is_exact: bool
    past: tuple[Source, ast.ClassDef] | None = None


def classes_of(node: ast.expr, source: Source) -> frozenset[str]:
    """Return the dotted names in Pipecat of an object's class and its ancestors; none where it cannot be told."""
    found = object_of(node, source)
    return found.lineage.names if found is not None else frozenset()


def object_of(node: ast.expr, source: Source) -> Object | None:
    """Return what is known of the object an expression stands for, None where its class cannot be told."""
    known: dict[ast.expr, Object | None] = source.project.memo.setdefault("objects", {})
    if node not in known:
        known[node] = _narrowed(node, source) or _object(node, source, 0)
    return known[node]


def owner_of(node: ast.Attribute, source: Source) -> Object | None:
    """Return what is known of the object that an attribute is asked of; a class that is named counts as its object."""
    named = source.project.resolve(node.value, source)
    if isinstance(named, str) or (named is not None and isinstance(named[1], ast.ClassDef)):
        return of_class(named, source, is_exact=True)
    return object_of(node.value, source)


def _object(node: ast.expr | None, source: Source, steps: int) -> Object | None:
    if steps > _MOST_STEPS:
        return None
    match node:
        case ast.Call(func=ast.Name(id="super"), args=[]):
            owner = source.names.enclosing_class(node)
            if owner is None:
                return None
            return Object(lineage(owner, source).above(), is_exact=False, past=(source, owner))
        case ast.Call(func=ast.Attribute() as method):
            return _built(node, source) or _given(method.value, method.attr, "(", source, steps)
        case ast.Call():
            return _built(node, source)
        case ast.Name():
            return _named(node, source, steps)
        case ast.Attribute() if is_self_attribute(node, source):
            owner = source.names.enclosing_class(node)
            return _kept_in(node, owner, source, steps) if owner is not None else None
        case ast.Attribute():
            return _given(node.value, node.attr, "property", source, steps)
        case _:
            return None


def _given(giver: ast.expr, name: str, kind: str, source: Source, steps: int) -> Object | None:
    """Return what an object gives by a member of a kind: a method (``(``), a property, or (``""``) unpacked.

    It must be of just one of Pipecat's classes: one below may have such a member of its own.
    """
    found = _object(giver, source, steps + 1)
    if found is None or not found.is_exact or found.lineage.own:
        return None
    (owner,), target = found.lineage.outside, source.project.target
    given = timeline.given(owner, name, target) if is_of_library(owner, source) else None
    if given is None or not (timeline.member(owner, name, target) or "").startswith(kind):
        return None
    return of_class(given.name, source, is_exact=given.is_exact)


def _unpacked(target: ast.AST, source: Source, steps: int) -> Object | None:
    """Return what a name or attribute stands for that is given its part of an object by ``first, second = whole``."""
    parts = source.parent(target)
    match source.parent(parts) if parts is not None else None:
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=whole) if target in names:
            if not any(isinstance(name, ast.Starred) for name in names):
                at = [name is target for name in names].index(True)
                return _given(whole, f"[{at}]", "", source, steps)
        case _:
            pass
    return None


def _kept_in(node: ast.Attribute, owner: ast.ClassDef, source: Source, steps: int) -> Object | None:
    """Return what is known of the object in an attribute of ``self``."""
    known: dict[tuple[ast.ClassDef, str], list[ast.expr | None]] = source.project.memo.setdefault("attributes", {})
    key = owner, node.attr
    if key not in known:
        known[key] = list(assigned(Receiver(node, owner), source))
    if known[key] == [None]:
        stored = [one for one in self_attributes(owner, node.attr, source) if isinstance(one.ctx, ast.Store)]
        found = _unpacked(stored[0], source, steps)
    else:
        found = _only(known[key], source, steps) if len(known[key]) <= MOST_BINDINGS else None
    return found or _declared(node.attr, owner, source)


def _declared(name: str, owner: ast.ClassDef, source: Source) -> Object | None:
    """Return what a class's own body says of an attribute by its annotation, if nothing else there bears its name."""
    bindings = source.names.table(owner).get(name, [])
    statement = source.parent(bindings[0].node) if len(bindings) == 1 else None
    return _of_annotation(statement.annotation, owner, source) if isinstance(statement, ast.AnnAssign) else None


def _built(call: ast.Call, source: Source) -> Object | None:
    return of_class(source.project.resolve(call.func, source), source, is_exact=True)


def _named(name: ast.Name, source: Source, steps: int) -> Object | None:
    """Return what a name stands for: a parameter, or a variable by what it is given."""
    bindings = source.names.bindings(name)
    if len(bindings) > MOST_BINDINGS:
        return None
    only = bindings[0].node if len(bindings) == 1 else None
    if isinstance(only, ast.arg):
        if is_instance_parameter(only, source) and only.annotation is None:
            owner = source.names.enclosing_class(only)
            return Object(lineage(owner, source), is_exact=False) if owner is not None else None
        return _annotated(only, source)
    if only is not None and (one := _entered(only, source) or _unpacked(only, source, steps)) is not None:
        return one
    return _only([_value(binding, source) for binding in bindings], source, steps)


def _only(values: Sequence[ast.expr | None], source: Source, steps: int) -> Object | None:
    """Return what the one value among several is that is not None as written."""
    given = [value for value in values if not is_none(value)]
    return _object(given[0], source, steps + 1) if len(given) == 1 else None


def _value(binding: Binding, source: Source) -> ast.expr | None:
    """Return what a variable is given by a plain assignment; None where it cannot be told."""
    if isinstance(binding.node, ast.Assign):
        return binding.node.value
    parent = source.parent(binding.node)
    if isinstance(parent, ast.AnnAssign):
        return parent.value or ast.Constant(None)
    return None


def _entered(target: ast.AST, source: Source) -> Object | None:
    """Return what ``with X() as target`` gives: of Pipecat's classes each gives itself."""
    item = source.parent(target)
    if not isinstance(item, ast.withitem) or not isinstance(item.context_expr, ast.Call):
        return None
    found = _built(item.context_expr, source)
    if found is None or any(found.lineage.method(name) for name in ("__enter__", "__aenter__")):
        return None
    return found


def _narrowed(node: ast.expr, source: Source) -> Object | None:
    """Return the class that a test with ``isinstance`` has found a variable to be of; it must be bound once."""
    if not isinstance(node, ast.Name) or node.id not in _tested(source) or len(source.names.bindings(node)) != 1:
        return None
    for test, outcome in conditions(node, source):
        match test:
            case ast.Call(func=ast.Name(id="isinstance"), args=[subject, kind]) if outcome and same(subject, node):
                return of_class(source.project.resolve(kind, source), source, is_exact=False)
            case _:
                continue
    return None


def _tested(source: Source) -> set[str]:
    """Return the names that a file tests with ``isinstance``."""
    known: dict[Source, set[str]] = source.project.memo.setdefault("tested names", {})
    if source not in known:
        calls = (source.parent(one) for one in source.named(ast.Name, ("isinstance",)))
        subjects = (call.args[0] for call in calls if isinstance(call, ast.Call) and call.args)
        known[source] = {subject.id for subject in subjects if isinstance(subject, ast.Name)}
    return known[source]


def _annotated(parameter: ast.arg, source: Source) -> Object | None:
    annotation = parameter.annotation
    function = source.parent(source.parent(parameter) or parameter)
    if annotation is None or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    if parameter in (function.args.vararg, function.args.kwarg):
        return None
    return _of_annotation(annotation, function, source)


def _of_annotation(annotation: ast.expr, place: ast.AST, source: Source) -> Object | None:
    """Return an object of the class that an annotation at a place names."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return None
    kind = _beside_none(annotation)
    dotted = source.names.resolve_text(ast.unparse(kind), place) if kind is not None else None
    found = source.project.definition(dotted, source.path) if dotted is not None else None
    return of_class(found, source, is_exact=False)


def _beside_none(annotation: ast.expr) -> ast.expr | None:
    """Return the one class of an annotation, ``None`` beside it and its own arguments left out."""
    match annotation:
        case ast.BinOp(op=ast.BitOr()):
            sides = [side for side in (annotation.left, annotation.right) if not is_none(side)]
            return _beside_none(sides[0]) if len(sides) == 1 else None
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional")):
            return _beside_none(annotation.slice)
        case ast.Subscript(value=ast.Name(id="Union") | ast.Attribute(attr="Union"), slice=ast.Tuple(elts=sides)):
            sides = [side for side in sides if not is_none(side)]
            return _beside_none(sides[0]) if len(sides) == 1 else None
        case ast.Subscript():
            return annotation.value
        case ast.Constant(value=str(written)):
            return ast.parse(written, mode="eval").body if written.replace(".", "").isidentifier() else None
        case _:
            return annotation


def of_class(found: tuple[Source, Definition] | str | None, source: Source, *, is_exact: bool) -> Object | None:
    """Return an object of the class that a name stands for."""
    if isinstance(found, str):
        known = timeline.ancestors(found, source.project.target)
        names = frozenset(name for name in known if name.startswith("pipecat."))
        return Object(Lineage((), (found,), names), is_exact)
    if found is None or not isinstance(found[1], ast.ClassDef):
        return None
    return Object(lineage(found[1], found[0]), is_exact)
