"""Members of Pipecat's classes that tests name in strings, to put something else in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.guards import asks_for, tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.members import Gone, gone_above, is_below, is_defined_below, is_own
from checks.pipecat.objects import Object, object_of, of_class
from checks.source import Source

_MONKEYPATCH = ("monkeypatch", "mp")
# Keywords of ``patch.multiple`` that are no members.
_OF_PATCH = ("autospec", "create", "new_callable", "spec", "spec_set", "target", None)


class _Named(NamedTuple):
    """A member that a call names, where it names it, and of what."""

    at: ast.expr | ast.keyword
    owner: Object | None
    member: str
    # How the owner is written, None if in a string.
    written: ast.expr | None = None


def gone_in_strings(source: Source) -> Iterator[tuple[ast.expr | ast.keyword, Gone]]:
    """Yield each place where ``patch`` or ``monkeypatch`` is told by name of a member that is gone.

    Not where it may be there, nor where the call or the code around it allows for its absence.
    """
    if any(word in source.text for word in ("patch", "setattr", "delattr")):
        for call in source.nodes(ast.Call):
            for named in _named(call, source):
                gone = _gone(named, source)
                if gone is not None and not _is_allowed_for(named.member, call, source) and not _is_put(named, source):
                    yield named.at, gone


def _gone(named: _Named, source: Source) -> Gone | None:
    found, member = named.owner, named.member
    gone = gone_above(found.lineage, member, source) if found is not None else None
    if found is None or gone is None or is_own(found.lineage, member):
        return None
    if not found.is_exact and (is_below(gone.owner, member, source) or is_defined_below(gone.owner, member, source)):
        return None
    return gone


def _named(call: ast.Call, source: Source) -> Iterator[_Named]:
    """Yield the members that a call names."""
    kind = _kind(call.func)
    match call.args:
        case [ast.Constant(value=str(text)) as given, *_] if kind in ("patch", "set"):
            owner, _, member = text.rpartition(".")
            yield _Named(given, _class_in(owner, source), member)
        case [owner, ast.Constant(value=str(member)) as given, *_] if kind in ("object", "set"):
            yield _Named(given, _object(owner, source), member, owner)
        case [owner, *_] if kind == "multiple":
            is_text = isinstance(owner, ast.Constant)
            found = _class_in(str(owner.value), source) if is_text else _object(owner, source)
            named = (one for one in call.keywords if one.arg not in _OF_PATCH)
            yield from (_Named(one, found, str(one.arg), None if is_text else owner) for one in named)
        case _:
            pass


def _is_put(named: _Named, source: Source) -> bool:
    """Tell whether the function itself sets the member on what is written like the owner, further up."""
    if named.written is None:
        return False
    owner, line, scope = ast.dump(named.written), source.span(named.written).line, source.names.scope(named.written)
    return any(
        isinstance(one.ctx, ast.Store) and source.span(one).line < line and ast.dump(one.value) == owner
        for one in source.named(ast.Attribute, (named.member,))
        if source.names.scope(one) is scope
    )


def _class_in(dotted: str, source: Source) -> Object | None:
    """Return an object of the class that a text names, if it is Pipecat's."""
    at = timeline.place(dotted)
    if at is None or not at.name or not is_of_library(dotted, source):
        return None
    return of_class(source.project.definition(dotted, source.path), source, is_exact=True)


def _object(owner: ast.expr, source: Source) -> Object | None:
    """Return what is known of the class that an expression names, or of the object that it stands for."""
    named = source.project.resolve(owner, source)
    return of_class(named, source, is_exact=True) if named is not None else object_of(owner, source)


def _kind(function: ast.expr) -> str:
    """Return which of mock's or pytest's functions that replace what a string names one is, by what it is called."""
    match function:
        case ast.Attribute(value=ast.Name(id=holder), attr="setattr" | "delattr") if holder in _MONKEYPATCH:
            return "set"
        case ast.Attribute(
            value=ast.Name(id="patch") | ast.Attribute(attr="patch"), attr="object" | "multiple" as kind
        ):
            return kind
        case ast.Name(id="patch") | ast.Attribute(attr="patch"):
            return "patch"
        case _:
            return ""


def _is_allowed_for(member: str, call: ast.Call, source: Source) -> bool:
    """Tell whether a call says that a member need not be there, or may say so, or the code around it has looked."""
    if any(one.arg in ("create", "raising", None) for one in call.keywords):
        return True
    return asks_for(member, call, source) or tests_version(call, source)
