"""Members of Pipecat's classes that tests name in strings, to put something else in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import asks_for, tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.members import Gone, gone_above, is_own
from checks.pipecat.objects import of_class
from checks.source import Source

_MONKEYPATCH = ("monkeypatch", "mp")


def gone_in_strings(source: Source) -> Iterator[tuple[ast.Constant, Gone]]:
    """Yield each string given to ``patch`` or ``monkeypatch`` that names a member of a class, which is gone.

    Not where it may be there, nor where the call or the code around it allows for its absence.
    """
    if any(word in source.text for word in ("patch", "setattr", "delattr")):
        for call in source.nodes(ast.Call):
            found = _gone_in_string(call, source)
            if found is not None:
                yield found


def _gone_in_string(call: ast.Call, source: Source) -> tuple[ast.Constant, Gone] | None:
    named = _named(call, source)
    if named is None:
        return None
    text, qualified, member = named
    found = of_class(source.project.definition(qualified, source.path), source, is_exact=True)
    gone = gone_above(found.lineage, member, source) if found is not None else None
    if found is None or gone is None or is_own(found.lineage, member):
        return None
    if asks_for(member, call, source) or tests_version(call, source) or _is_allowed_for(call):
        return None
    return text, gone


def _named(call: ast.Call, source: Source) -> tuple[ast.Constant, str, str] | None:
    """Return the string that names a member, the dotted name of the class, and the member."""
    match call:
        case ast.Call(func=function, args=[ast.Constant(value=str(text)) as given, *_]) if _patches(function):
            owner, _, member = text.rpartition(".")
            at = timeline.place(owner)
            is_of_class = at is not None and at.name and is_of_library(owner, source)
            return (given, owner, member) if is_of_class else None
        case ast.Call(func=function, args=[owner, ast.Constant(value=str(member)) as given, *_]) if _patches(
            function, of_an_object=True
        ):
            qualified = source.names.resolve(owner)
            return (given, qualified, member) if qualified is not None else None
        case _:
            return None


def _patches(function: ast.expr, *, of_an_object: bool = False) -> bool:
    """Tell whether a function is one of mock's or pytest's that replace what a string names, by what it is called."""
    match function:
        case ast.Attribute(value=ast.Name(id=holder), attr="setattr" | "delattr") if holder in _MONKEYPATCH:
            return True
        case ast.Attribute(value=ast.Name(id="patch") | ast.Attribute(attr="patch"), attr="object"):
            return of_an_object
        case ast.Name(id="patch") | ast.Attribute(attr="patch"):
            return not of_an_object
        case _:
            return False


def _is_allowed_for(call: ast.Call) -> bool:
    """Tell whether a call says that the member need not be there, or may say so."""
    return any(one.arg in ("create", "raising", None) for one in call.keywords)
