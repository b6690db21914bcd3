"""What is called otherwise now: another method or function does it, with other arguments, or nothing has to.

Each row of calls.tsv names a method or function, the arguments of a call it is about, what is called instead from a
release on (nothing: the statement goes), and whether the program behaves the same then. Facts of the wheels: what the
old one's body does, and what takes the frame that is sent instead.

The arguments are those of a signature: ``name``; ``name=value``, written just so; ``*all`` by place, one at least;
``**some`` by keyword, one at least, and ``**given`` if none of them is None. What is called is Python, in which these
names stand for what is given, and ``it`` for the object that is asked.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from checks.arguments import USUAL_WIDTH, Change, Rewrite, check_comments
from checks.guards import same
from checks.pipecat import tables, timeline
from checks.pipecat.direct_functions import Needless
from checks.pipecat.releases import Release, parse
from checks.pipecat.remedies import as_imported, check_imports
from checks.receivers import is_instance_parameter
from checks.rule import Finding, Fix, Rule
from checks.source import NEWLINE, Source
from checks.unclear import Unclear
from checks.values import may_be_none

Given = dict[str, Sequence[ast.expr | ast.keyword]]

_QUEUE = "queue_frame"
_PLAIN = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant)


class Row(NamedTuple):
    """What is called instead, in the words of calls.tsv."""

    given: tuple[str, ...]
    becomes: str
    since: Release
    fix: Fix


class _Asked(NamedTuple):
    """A call, of a method by the class that the object is known by, and what its names in a row stand for."""

    call: ast.Call
    owner: str | None
    given: Given


@cache
def _rows() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for called, given, becomes, since, tier in tables.rows("calls.tsv"):
        parts = tuple(given.split(", ")) if given else ()
        found.setdefault(called, []).append(Row(parts, becomes, parse(since), Fix(tier)))
    return found


def is_called_otherwise(name: str, release: Release) -> bool:
    """Tell whether something else is called in a release in the place of a function or class."""
    return any(row.since <= release for row in _rows().get(name, ()))


def method_called(node: ast.Attribute, owner: str, source: Source) -> Rewrite | Needless | None:
    """Return what becomes of the call of a method that is to go; None where the table does not know the method.

    Raises:
        Unclear: the call is not one that the table speaks of, or not all releases that the project admits have the new.
    """
    names = (f"{ancestor}.{node.attr}" for ancestor in timeline.lineage(owner, source.project.target))
    rows = next((_rows()[name] for name in names if name in _rows()), None)
    if rows is None:
        return None
    call = source.parent(node)
    if not isinstance(call, ast.Call) or call.func is not node:
        raise Unclear("here it is not called")
    row, asked = _row_for(rows, call, owner, source)
    if not row.becomes:
        return Needless(source.span(_statement(asked, source)), row.fix)
    if f"it.{_QUEUE}(" in row.becomes and _is_oneself(node.value, source):
        raise Unclear("a frame that a service sends itself waits behind what it is at work on")
    return _rewritten([(row, asked)], source)


def told_by_use(rule: Rule, node: ast.ImportFrom, alias: ast.alias, message: str, source: Source) -> Finding:
    """Return the finding about an imported function or class that no name takes the place of, but other calls do."""
    try:
        facts = function_called(f"{node.module}.{alias.name}", node, alias, source)
    except Unclear as reason:
        return rule.finding(source, alias, f"{message}; {reason}")
    return rule.finding(source, alias, message, facts=facts, fix=facts.fix)


def function_called(dotted: str, node: ast.ImportFrom, alias: ast.alias, source: Source) -> Rewrite:
    """Return what becomes of all calls of an imported function, or class, that is to go.

    Raises:
        Unclear: it is used otherwise too, or called as the table does not know it.
    """
    uses = uses_of(node, alias, source)
    calls = [source.parent(use) for use in uses]
    found: list[tuple[Row, _Asked]] = []
    for use, call in zip(uses, calls, strict=True):
        if not isinstance(call, ast.Call) or call.func is not use:
            raise Unclear("not all its uses are calls")
        found.append(_row_for(_rows()[dotted], call, None, source))
    return _rewritten(found, source)


def uses_of(node: ast.ImportFrom, alias: ast.alias, source: Source) -> list[ast.Name]:
    """Return where an imported name is used.

    Raises:
        Unclear: nowhere, or not only by that name, or the name means something else too.
    """
    local = alias.asname or alias.name
    uses = list(source.named(ast.Name, (local,)))
    if not uses or any(node not in [one.node for one in source.names.bindings(use)] for use in uses):
        raise Unclear("where it is used is not seen")
    if _is_in_a_string(local, source):
        raise Unclear("a string names it")
    return uses


def _is_in_a_string(local: str, source: Source) -> bool:
    """Tell whether a string of the project's names a name, as ``patch`` and ``__all__`` do."""
    texts = (one.value for user in source.project.mentioning(local) for one in user.strings_with(local))
    return any(isinstance(text, str) and text.rpartition(".")[2] == local for text in texts)


def _row_for(rows: list[Row], call: ast.Call, owner: str | None, source: Source) -> tuple[Row, _Asked]:
    for row in rows:
        given = _bound(row.given, call)
        if given is not None:
            oldest = source.oldest
            if oldest < row.since:
                raise Unclear(f"in {oldest}, which the project admits, nothing takes its place")
            return row, _Asked(call, owner, given)
    raise Unclear("it is given other arguments than are known")


def _bound(parts: tuple[str, ...], call: ast.Call) -> Given | None:
    """Return which arguments each name of a row stands for; None if the call gives others."""
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        return None
    by_place, by_keyword = list(call.args), {str(one.arg): one for one in call.keywords}
    found: Given = {}
    for part in parts:
        name, _, written = part.partition("=")
        if part.startswith("**"):
            found[part], by_keyword = list(by_keyword.values()), {}
        elif part.startswith("*"):
            found[part], by_place = list(by_place), []
        elif by_place:
            found[name] = [by_place.pop(0)]
        elif name in by_keyword:
            found[name] = [by_keyword.pop(name).value]
        some = found.get(name)
        if not some or (written and not same(some[0], ast.parse(written, mode="eval").body)):
            return None
        if written:
            del found[name]
    return found if not by_place and not by_keyword else None


def _statement(asked: _Asked, source: Source) -> ast.Expr:
    """Return the statement that a call is all of.

    Raises:
        Unclear: it is not, or working out what it is given does something.
    """
    above = source.parent(asked.call)
    statement = source.parent(above) if isinstance(above, ast.Await) else above
    if not isinstance(statement, ast.Expr) or not source.begins_line(statement):
        raise Unclear("the call is not a statement of its own")
    _check_let_go(asked.given)
    return statement


def _rewritten(found: list[tuple[Row, _Asked]], source: Source) -> Rewrite:
    changes: list[Change] = []
    imports: dict[str, None] = {}
    for row, asked in found:
        text, wanted = as_imported(_filled_in(row, asked, source))
        check_imports(wanted, asked.call, source)
        imports |= dict.fromkeys(wanted)
        change = Change(source.span(asked.call), _laid_out(text, asked.call, source))
        check_comments(change, source)
        changes.append(change)
    fixes = {row.fix for row, _ in found}
    return Rewrite(tuple(changes), Fix.UNSAFE if Fix.UNSAFE in fixes else Fix.SAFE, tuple(imports))


def _laid_out(text: str, call: ast.Call, source: Source) -> str:
    """Return a call with its arguments on lines of their own, where its line would be longer than is usual."""
    span, tree = source.span(call), ast.parse(text, mode="eval").body
    line = source.line(span.line)
    width = span.column - 1 + len(text) + len(source.line(span.end_line)) - span.end_column + 1
    if width <= max(USUAL_WIDTH, len(line)) or "\n" in text or not isinstance(tree, ast.Call):
        return text
    indent = line[: len(line) - len(line.lstrip())]
    parts = [str(ast.get_source_segment(text, one)) for one in (*tree.args, *tree.keywords)]
    if not parts:
        return text
    head = f"{ast.get_source_segment(text, tree.func)}(\n"
    inner = indent + source.step(span.line)
    together = f"{inner}{', '.join(parts)}\n"
    apart = "".join(f"{inner}{part},\n" for part in parts)
    return f"{head}{together if len(together) <= USUAL_WIDTH + 1 else apart}{indent})"


def _filled_in(row: Row, asked: _Asked, source: Source) -> str:
    """Return what is called instead, with what is given in the place of the names for it."""
    tree = ast.parse(row.becomes, mode="eval")
    outer = {inner: node for node in ast.walk(tree) for inner in ast.iter_child_nodes(node)}
    places: list[tuple[int, str, str]] = []
    left = dict(asked.given)
    for part in ast.walk(tree):
        match part:
            case ast.Name(id="it"):
                places.append((part.col_offset, "it", _receiver(outer[part], asked, row, source)))
            case ast.Name(id=name) if name in left:
                value = left.pop(name)[0]
                if isinstance(outer[part], ast.Attribute) and not isinstance(value, _PLAIN):
                    raise Unclear("what it is given is worked out on the way")
                places.append((part.col_offset, name, _joined([value], source)))
            case ast.Starred(value=ast.Name(id=name)):
                places.append((part.col_offset, f"*{name}", _joined(left.pop(f"*{name}"), source)))
            case ast.Call(keywords=[*_, ast.keyword(arg=None, value=ast.Name(id=name)) as rest]):
                some = left.pop(f"**{name}")
                _check_keywords(some, name, part.func, asked, source)
                places.append((rest.col_offset, f"**{name}", _joined(some, source)))
            case _:
                pass
    _check_dropped(left, asked, source)
    text = row.becomes
    for at, name, new in sorted(places, reverse=True):
        text = text[:at] + new + text[at + len(name) :]
    return text


def _receiver(use: ast.AST, asked: _Asked, row: Row, source: Source) -> str:
    """Return the object that is asked as it is written; it has what the row asks it for."""
    assert isinstance(asked.call.func, ast.Attribute)
    assert isinstance(use, ast.Attribute)
    value = asked.call.func.value
    if row.becomes.count("it.") > 1 and not isinstance(value, (ast.Name, ast.Attribute)):
        raise Unclear("the object is worked out on the way")
    for release in source.releases:
        if timeline.member(str(asked.owner), use.attr, release) is None:
            raise Unclear(f"{str(asked.owner).rpartition('.')[2]} of {release} has no {use.attr}")
    return source.segment(value)


def _check_keywords(
    some: Sequence[ast.expr | ast.keyword], name: str, called: ast.expr, asked: _Asked, source: Source
) -> None:
    """Raise Unclear where keywords are handed on to a class that does not take them, or not such values."""
    for one in some:
        if name == "given" and isinstance(one, ast.keyword) and may_be_none(one.value, source):
            raise Unclear(f"its {one.arg} may be None, which leaves things as they are")
    built = ast.unparse(called).replace("it.", f"{asked.owner}.", 1) if asked.owner else ast.unparse(called)
    names = [str(one.arg) for one in some if isinstance(one, ast.keyword)]
    release = timeline.lacking(built, names, source.releases)
    if release is not None:
        raise Unclear(f"{built.rpartition('.')[2]} of {release} does not take all that it is given")


def _check_dropped(left: Given, asked: _Asked, source: Source) -> None:
    """Raise Unclear where something is no longer given, and something was to happen to it."""
    above = source.parent(asked.call)
    statement = source.parent(above) if isinstance(above, ast.Await) else above
    if left and isinstance(statement, ast.Expr):
        raise Unclear("what it returns is what counts now, and here it is not used")
    _check_let_go(left)


def _check_let_go(given: Given) -> None:
    """Raise Unclear where working out what is given does something."""
    parts = (part for some in given.values() for one in some for part in ast.walk(one))
    if any(isinstance(part, (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)) for part in parts):
        raise Unclear("what it is given is worked out on the way")


def _joined(some: Sequence[ast.expr | ast.keyword], source: Source) -> str:
    return ", ".join(NEWLINE.sub("\n", source.segment(one)) for one in some)


def _is_oneself(value: ast.expr, source: Source) -> bool:
    """Tell whether an object is ``self`` or ``super()``."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "super"
    bound = source.names.bindings(value) if isinstance(value, ast.Name) else []
    return any(isinstance(one.node, ast.arg) and is_instance_parameter(one.node, source) for one in bound)
