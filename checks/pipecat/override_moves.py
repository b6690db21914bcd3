"""Overrides of a method in whose place Pipecat calls another one, with another argument.

Each row of override_moves.tsv is a class, its method that is gone, the one called now, what its parameter is called and
how what the old one was given is read off it, the class of what it is given, and what it returns. Facts of the wheels:

* 0.0.60 to 0.0.68 call ``write_raw_audio_frames(frame.audio)``, and for images ``write_frame_to_camera(frame)`` until
  0.0.65, then ``write_raw_video_frame(frame)``; 0.0.66 and later with a destination beside it. 0.0.69 and later ones
  call ``write_audio_frame(frame)`` and ``write_video_frame(frame)`` in the same places.
* Until 0.0.85 a frame goes on down the pipeline whatever is returned; from 0.0.86 on one of audio only where the method
  returns something true.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from checks.arguments import Change, Rewrite, check_comments
from checks.docstring import entry_lines
from checks.guards import leaves
from checks.importable import check_imports
from checks.names import COMPREHENSIONS, FUNCTIONS
from checks.pipecat import tables, timeline
from checks.pipecat.hierarchy import lineage
from checks.pipecat.members import Function, Gone, heirs, is_own, may_have
from checks.pipecat.releases import Release
from checks.rule import Fix
from checks.source import Located, Source
from checks.unclear import Unclear

_LATER_OR_AGAIN = (*FUNCTIONS, *COMPREHENSIONS, ast.For, ast.AsyncFor, ast.While)


class OverrideMove(NamedTuple):
    """A row of the table, without the class and its old method."""

    method: str
    parameter: str
    read: str
    kind: str
    returned: str


@cache
def rows() -> dict[tuple[str, str], OverrideMove]:
    """Return the table, by class and old method."""
    return {(owner, old): OverrideMove(*rest) for owner, old, *rest in tables.rows("override_moves.tsv")}


def move_of(gone: Gone, release: Release) -> OverrideMove | None:
    """Return what is called in a method's place."""
    known = timeline.lineage(gone.owner, release)
    return next((rows()[one, gone.member] for one in known if (one, gone.member) in rows()), None)


def moved(method: Function, gone: Gone, move: OverrideMove, owner: ast.ClassDef, source: Source) -> Rewrite:
    """Return the changes that make an override one of the method which is called now.

    Raises:
        Unclear: the override does more with what it is given than read it, or the class has the new one too.
    """
    _check_called(move, gone, source)
    _check_class(move, gone, owner, source)
    if not isinstance(method, ast.AsyncFunctionDef) or method.decorator_list:
        raise Unclear("that is async, and has no decorator")
    given = _given(method, source)
    changes = [Change(source.name_of(method), move.method), *_parameter(given, method, move, source)]
    changes += [Change(source.span(read), move.read) for read in _reads(given, method, move, source)]
    changes += [*_returns(method, move, source), *_described(given, method, move, source)]
    imports = (move.kind,) if given.annotation is not None else ()
    return check_imports(Rewrite(tuple(changes), Fix.UNSAFE, imports), source)


def _check_called(move: OverrideMove, gone: Gone, source: Source) -> None:
    for release in source.releases:
        if timeline.member(gone.owner, move.method, release) is None:
            raise Unclear(f"not in {release}, which the project admits")


def _check_class(move: OverrideMove, gone: Gone, owner: ast.ClassDef, source: Source) -> None:
    """Raise Unclear where the class has the new method too, or others of the project's lead to the old one."""
    lines = (lineage(owner, source), *heirs(owner, source))
    if any(is_own(line, move.method) for line in lines):
        raise Unclear("its class has that too")
    alike = {old for (_, old), other in rows().items() if other.method == move.method and old != gone.member}
    if any(is_own(line, old) for line in lines for old in alike):
        raise Unclear("its class has another in whose place that is called")
    if any(may_have(one, gone.member, home) for line in lines for home, one in line.own if one is not owner):
        raise Unclear("a class below has one of its own")
    for user in source.project.mentioning(gone.member):
        if any(True for _ in user.named(ast.Attribute, (gone.member,))):
            raise Unclear(f"{user.path.name} asks for the old one")


def _given(method: Function, source: Source) -> ast.arg:
    """Return the parameter that holds what the method is given; another one may only stand unread behind it."""
    taken = method.args
    by_place = [*taken.posonlyargs, *taken.args]
    if taken.vararg or taken.kwonlyargs or taken.kwarg or not 2 <= len(by_place) <= 3:
        raise Unclear("its own parameters are others")
    if len(taken.defaults) != len(by_place) - 2:
        raise Unclear("its own parameters are others")
    for other in by_place[2:]:
        if any(True for _ in _uses(other.arg, method, source)):
            raise Unclear(f"it uses its {other.arg}, which it is not given any more")
    return by_place[1]


def _parameter(given: ast.arg, method: Function, move: OverrideMove, source: Source) -> Iterator[Change]:
    last: Located = method.args.defaults[-1] if method.args.defaults else given
    kind = f": {move.kind.rpartition('.')[2]}" if given.annotation is not None else ""
    change = Change(source.span_between(source.start(given), source.end(last)), move.parameter + kind)
    check_comments(change, source)
    yield change


def _uses(name: str, method: Function, source: Source) -> Iterator[ast.Name]:
    for use in source.named(ast.Name, (name,)):
        if any(above is method for above in source.ancestors(use)):
            yield use


def _reads(given: ast.arg, method: Function, move: OverrideMove, source: Source) -> list[ast.Name]:
    """Return where the parameter is read, which is all that is done with it.

    Its new name may mean something else in the method only from where the old one is read for the last time.
    """
    reads = list(_uses(given.arg, method, source))
    for read in reads:
        above = source.parent(read)
        is_plain = isinstance(read.ctx, ast.Load) and not isinstance(getattr(above, "ctx", None), (ast.Store, ast.Del))
        if not is_plain or [binding.node for binding in source.names.bindings(read)] != [given]:
            raise Unclear(f"line {read.lineno} does more with its {given.arg} than read it")
    if move.parameter == given.arg:
        return reads if move.read != given.arg else []
    others = sorted(_uses(move.parameter, method, source), key=source.start)
    if _is_bound_otherwise(move.parameter, method) or (others and not _is_last_read(reads, others[0], method, source)):
        raise Unclear(f"{move.parameter} means something else in it")
    return reads


def _is_bound_otherwise(name: str, method: Function) -> bool:
    """Tell whether a name is given a meaning in a method by anything but an assignment."""
    parts = (part for part in ast.walk(method) if not isinstance(part, ast.keyword))
    return any(
        name in (getattr(part, "name", None), getattr(part, "asname", None), getattr(part, "arg", None))
        or name in getattr(part, "names", ())
        for part in parts
    )


def _is_last_read(reads: list[ast.Name], other: ast.Name, method: Function, source: Source) -> bool:
    """Tell whether a name gets its first value in a method where another is read for the last time, or later."""
    statement = source.parent(other)
    if not isinstance(statement, ast.Assign) or statement.targets != [other]:
        return False
    for node in (*reads, other):
        for above in source.ancestors(node):
            if above is method:
                break
            if isinstance(above, _LATER_OR_AGAIN):
                return False
    return all(source.start(read) < source.end(statement) for read in reads)


def _returns(method: Function, move: OverrideMove, source: Source) -> Iterator[Change]:
    """Yield the changes that have a method which returned nothing return what is expected of the new one."""
    if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(method)):
        raise Unclear("it yields")
    for one in source.nodes(ast.Return):
        if source.names.enclosing_function(one) is method:
            if one.value is not None and not (isinstance(one.value, ast.Constant) and one.value.value is None):
                raise Unclear("it returns something")
            yield Change(source.span(one), f"return {move.returned}")
    if method.returns is not None:
        if not (isinstance(method.returns, ast.Constant) and method.returns.value is None):
            raise Unclear("it returns something")
        yield Change(source.span(method.returns), "bool")
    if not leaves(method.body):
        yield _last_return(method.body[-1], move, source)


def _last_return(last: ast.stmt, move: OverrideMove, source: Source) -> Change:
    span = source.span(last)
    if not source.begins_line(last) or source.line(span.end_line)[span.end_column - 1 :].lstrip().startswith(";"):
        raise Unclear("it is written on one line")
    indent = source.text[source.line_start(span.line) : source.start(last)]
    at = source.line_start(span.end_line + 1)
    line = f"{indent}return {move.returned}"
    return Change(source.span_between(at, at), f"{line}\n" if source.text[at - 1 : at] in ("\n", "\r") else f"\n{line}")


def _described(given: ast.arg, method: Function, move: OverrideMove, source: Source) -> Iterator[Change]:
    """Yield the changes that give the parameter its new name where the docstring describes it, and leave out others."""
    for other in [*method.args.posonlyargs, *method.args.args][2:]:
        lines = entry_lines(method, other.arg, source)
        if lines is not None:
            yield Change(source.span_between(source.line_start(lines.start), source.line_start(lines.stop)), "")
    for number in entry_lines(method, given.arg, source) or ():
        found = re.match(rf"\s*(?::param\s+(?:\S+\s+)?)?({re.escape(given.arg)})\b", source.line(number))
        if found is not None and move.parameter != given.arg:
            at = source.line_start(number) + found.start(1)
            yield Change(source.span_between(at, at + len(given.arg)), move.parameter)
            return
