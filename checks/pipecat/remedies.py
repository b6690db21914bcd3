"""What takes the place of a keyword: another name or value for it, a field of a params class, or nothing.

Each row of keywords.tsv names a class, or a function or method, one of its keywords, and the value it is given as it is
written, ``*`` for any; then what becomes of it:

* nothing: it goes; ``name``: it is called so; ``name=value``: this is given instead, ``{}`` in it being the old value,
  and ``{content}`` the text of the one message that is the old value
* ``-``: it goes where nothing in the project reads it off such an object; ``=``: it stays, as only other
  values are to go; ``?``: nothing simply takes its place
* ``<statement``: that is put in front of the call's, ``>statement``: behind it (checks/pipecat/statements.py)
* ``… !other``: so where ``other`` is not given too
* ``^name``: the call that this one is an argument of is given it as ``name``; two lists are joined, which is unsafe
* ``name=package.module.Params(field)``: it is a field of the ``Params`` given as ``name``, together with others;
  ``Params()``: giving them says as much; ``Params(**)``: its value is a dict of their fields;
  ``Params(field=value)``: the field is made of it

A value that ends in ``*`` is one that begins so; a new value's names of Pipecat's are imported. The last column says
whether the program behaves the same then.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from checks.arguments import (
    Argument,
    Change,
    Rewrite,
    arguments_of,
    check_comments,
    elements_of,
    put_together,
)
from checks.guards import is_none
from checks.pipecat import tables, timeline
from checks.pipecat.advice import advice_on_keyword
from checks.pipecat.deprecations import deprecation
from checks.pipecat.objects import classes_of
from checks.pipecat.releases import Release
from checks.pipecat.role_messages import content
from checks.pipecat.statements import behind, in_front
from checks.rule import Finding, Fix, Rule
from checks.source import NEWLINE, Source
from checks.unclear import Unclear
from checks.values import may_be_none, works_on_the_way

_INTO = re.compile(r"(\w+)=(pipecat\.[\w.]+)\((\w*|\*\*|\w+=.+)\)")
_DOTTED = re.compile(r"\bpipecat(?:\.\w+)+")


class Row(NamedTuple):
    """What becomes of a keyword with a value, in the words of keywords.tsv."""

    value: str
    becomes: str
    fix: Fix
    unless: str

    def is_for(self, value: str) -> bool:
        """Tell whether the row is about a value, as it is written."""
        return value.startswith(self.value[:-1]) if self.value.endswith("*") else value == self.value


@cache
def _rows() -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for owner, keyword, value, becomes, tier in tables.rows("keywords.tsv"):
        becomes, _, unless = becomes.partition(" !")
        found.setdefault((owner, keyword), []).append(Row(value, becomes, Fix(tier), unless))
    # What is said of one value goes over what is said of any.
    return {key: sorted(some, key=lambda row: row.value == "*") for key, some in found.items()}


def rows_of(owner: str, keyword: str, release: Release) -> list[Row]:
    """Return what is known to become of a keyword of a class, its ancestors asked too, or of a function."""
    for name in (owner, *timeline.lineage(owner, release)):
        if (name, keyword) in _rows():
            return _rows()[name, keyword]
    return []


def row_for(owner: str, keyword: ast.keyword, source: Source) -> Row | None:
    """Return the row about a keyword with just this value."""
    value = source.segment(keyword.value)
    rows = rows_of(owner, str(keyword.arg), source.project.target)
    return next((row for row in rows if row.is_for(value)), None)


class Given(NamedTuple):
    """A keyword of a call; ``owner`` is the dotted name of the class, function or method called.

    ``since`` is the release from which on there is something to give instead, where that is known.
    """

    call: ast.Call
    keyword: ast.keyword
    owner: str
    since: Release | None = None


def stays(given: Given, source: Source) -> bool:
    """Tell whether a keyword is to go only with other values than it has."""
    row = row_for(given.owner, given.keyword, source)
    return row is not None and row.becomes == "="


def mended(rule: Rule, given: Given, message: str, source: Source, removed_in: str | None = None) -> Finding:
    """Return a finding about a keyword, with its mend where one is known."""
    try:
        facts, into, together = _decided(given, source)
    except Unclear as reason:
        why = f"; {reason}" if str(reason) else ""
        return rule.finding(source, given.keyword, message + why, removed_in=removed_in)
    call = given.call
    return rule.finding(
        source,
        given.keyword,
        message,
        facts=facts if given.keyword is together[0] else (),  # the first finding stands for all of them
        fix=facts.fix,
        group=f"{source.path}:{call.lineno}:{call.col_offset}:{into}" if into else None,
        group_size=len(together),
        removed_in=removed_in,
    )


def tier_of(given: Given, source: Source) -> Fix:
    """Return how far the program behaves the same once a keyword is mended; ``Fix.NONE`` where it cannot be."""
    try:
        return _decided(given, source)[0].fix
    except Unclear:
        return Fix.NONE


def _decided(given: Given, source: Source) -> tuple[Rewrite, str, list[ast.keyword]]:
    """Return the mend of a keyword, the params it goes into if any, and the keywords that are mended with it."""
    row = _row(given, source)
    into = _INTO.fullmatch(row.becomes)
    if into is None:
        return _remedy(given, row, source), "", [given.keyword]
    together = _together(given, into, source)
    return _put_into(given, together, into, source), into[1], together


def _row(given: Given, source: Source) -> Row:
    """Return what becomes of a keyword.

    Raises:
        Unclear: nothing is known to take its place, or the call does not tell.
    """
    row = row_for(given.owner, given.keyword, source)
    others = [one.arg for one in given.call.keywords]
    if row is None or row.becomes == "?" or row.unless in others:
        raise Unclear(advice_on_keyword(given.owner, str(given.keyword.arg), source.project.target) or "")
    if any(one.arg is None for one in given.call.keywords):
        raise Unclear("what the ** in the call holds is not seen")
    if works_on_the_way(given.keyword.value):
        raise Unclear("its value is worked out on the way")
    _check_oldest(given, source)
    name = "" if row.becomes[:1] in "^<>-" else row.becomes.partition("=")[0]
    # What is said of a class; of functions, methods and typed dicts the timeline knows no keywords.
    is_dict = "typing.TypedDict" in timeline.lineage(given.owner, source.project.target)
    releases = source.releases if not is_dict else ()
    having = [one for one in releases if timeline.constructor(given.owner, one) is not None]
    release = timeline.lacking(given.owner, [name], having) if name else None
    if release is not None:
        raise Unclear(f"{release}, which the project admits, takes no {name}")
    if name in timeline.positional(given.owner, source.project.target)[: len(given.call.args)]:
        raise Unclear(f"{name} is given too")
    return row


def _check_oldest(given: Given, source: Source) -> None:
    """Raise Unclear where the keyword still does something in the oldest release that the project admits."""
    oldest = source.oldest
    takes = timeline.constructor(given.owner, oldest)
    is_live = takes is not None and given.keyword.arg in takes.keywords and oldest < source.project.target
    if oldest < given.since if given.since is not None else is_live:
        raise Unclear(f"{oldest}, which the project admits, still takes it")


def _remedy(given: Given, row: Row, source: Source) -> Rewrite:
    """Return the change that takes a keyword out, or gives another one instead."""
    call, keyword = given.call, given.keyword
    if row.becomes.startswith("^"):
        return _handed_out(given, row, source)
    if row.becomes[:1] in ("<", ">"):
        return _told_beside(given, row, source)
    if row.becomes == "-":
        _check_unread(given, source)
    name, _, new = row.becomes.removeprefix("-").partition("=")
    other = next((one for one in call.keywords if one.arg == name), None)
    if name and other is not None and source.segment(other.value) != (new or source.segment(keyword.value)):
        raise Unclear(f"{name} is given too")
    if not name or other is not None:
        if row.value == "*" and any(isinstance(part, ast.Call) for part in ast.walk(keyword.value)):
            raise Unclear("its value is the result of a call, which would no longer be made")
        arguments = arguments_of(call, source)
        kept = [item for item in arguments.items if item.node is not keyword]
        return Rewrite((arguments.changed(kept, source),), row.fix)
    if new.count("{}") > 1 and not isinstance(keyword.value, (ast.Name, ast.Attribute)):
        raise Unclear("its value is worked out on the way")
    more = [one.arg for one in call.keywords if one is not keyword and f", {one.arg}=" in new]
    if more:
        raise Unclear(f"{more[0]} is given too")
    text, imports = as_imported(new)
    text = text.replace("{}", source.segment(keyword.value))
    if "{content}" in text:
        text = text.replace("{content}", content(keyword.value, source))
    check_imports(imports, call, source)
    start = source.start(keyword)
    end = source.end(keyword) if new else start + len(str(keyword.arg))
    change = Change(source.span_between(start, end), f"{name}={text}" if new else name)
    return Rewrite((change,), row.fix, imports)


def _told_beside(given: Given, row: Row, source: Source) -> Rewrite:
    """Return the changes that take a keyword out and have a statement beside the call's do what it did."""
    call, keyword = given.call, given.keyword
    others = (one for one in call.keywords if one is not keyword)
    method, target = given.owner, source.project.target
    for other in others:
        if deprecation(f"{method}.{other.arg}", ("parameter",), target) and row_for(method, other, source) is None:
            raise Unclear(f"{other.arg} is given too")
    place = in_front if row.becomes.startswith("<") else behind
    text, imports = as_imported(row.becomes[1:])
    check_imports(imports, call, source)
    arguments = arguments_of(call, source)
    left = arguments.changed([item for item in arguments.items if item.node is not keyword], source)
    check_comments(left, source)
    return Rewrite((left, place(text, call, keyword.value, source)), row.fix, imports)


def _check_unread(given: Given, source: Source) -> None:
    """Raise Unclear where something in the project may read what a keyword gives off the object."""
    name = str(given.keyword.arg)
    for user in source.project.mentioning(name):
        for use in user.nodes(ast.Attribute):
            kinds = classes_of(use.value, user) if use.attr == name else {""}
            if not kinds or given.owner in kinds:
                raise Unclear(f"the project reads {name} off such an object, or off one that it cannot be told of")
        if any(one.value == name for one in user.nodes(ast.Constant)):
            raise Unclear(f"the project names {name} in a string")


def _handed_out(given: Given, row: Row, source: Source) -> Rewrite:
    """Return the changes that give a keyword to the call around instead."""
    call, name = given.call, row.becomes[1:]
    above = source.parent(call)
    outer = source.parent(above) if isinstance(above, ast.keyword) else above
    built = source.project.resolve(outer.func, source) if isinstance(outer, ast.Call) else None
    if not isinstance(outer, ast.Call) or not isinstance(built, str):
        raise Unclear("where it goes is not a call around this one")
    release = timeline.lacking(built, [name], source.releases)
    if release is not None:
        raise Unclear(f"the call around this one does not take it in {release}")
    if any(one.arg is None for one in outer.keywords):
        raise Unclear(f"the call around this one may be given {name} too")
    other = next((one for one in outer.keywords if one.arg == name), None)
    if other is not None:
        return _joined(given, other, source)
    inner, around = arguments_of(call, source), arguments_of(outer, source)
    item = inner.of(given.keyword)
    kept = [other for other in inner.items if other is not item]
    if (item.above or item.behind) and not around.by_line:
        raise Unclear("the comments on it have no place in the call around")
    return Rewrite((inner.changed(kept, source), around.appended(item.named(name), source)), row.fix)


def _joined(given: Given, other: ast.keyword, source: Source) -> Rewrite:
    """Return the changes that give a list to the call around together with the one that it is given already."""
    value, into = given.keyword.value, other.value
    if not isinstance(value, ast.List) or not isinstance(into, ast.List) or not value.elts or not into.elts:
        raise Unclear(f"the call around this one is given {given.keyword.arg} too")
    inner, around = arguments_of(given.call, source), elements_of(into, source)
    gone = inner.changed([item for item in inner.items if item.node is not given.keyword], source)
    check_comments(gone, source)
    added = [Argument(source.segment(one)) for one in value.elts]
    if any("\n" in item.text for item in added):
        raise Unclear("its value is written over several lines")
    return Rewrite((gone, around.changed([*around.items, *added], source)), Fix.UNSAFE)


def as_imported(value: str) -> tuple[str, tuple[str, ...]]:
    """Return a value with the names of Pipecat's in it as they are once imported, and what to import."""
    imports: list[str] = []

    def within(dotted: re.Match[str]) -> str:
        package, _, leaf = dotted[0].rpartition(".")
        at = timeline.place(dotted[0])
        # A package may pass on an object under the name of the module that makes it.
        module, name = (at.module, at.name) if at is not None and at.name else (package, leaf)
        imports.append(f"{module}.{name.partition('.')[0]}")
        return name

    return _DOTTED.sub(within, value), tuple(imports)


def check_imports(imports: Iterable[str], at: ast.expr, source: Source) -> None:
    """Raise Unclear where a name to be imported means something else at an expression."""
    for dotted in imports:
        imported = dotted.rpartition(".")[2]
        if any(one.qualified != dotted for one in source.names.lookup(imported, at)):
            raise Unclear(f"{imported} means something else there")


def _together(given: Given, into: re.Match[str], source: Source) -> list[ast.keyword]:
    """Return the keywords of a call that go into the same params.

    Raises:
        Unclear: what asks for the params is not among them.
    """
    found: dict[ast.keyword, str] = {}
    for keyword in given.call.keywords:
        row = row_for(given.owner, keyword, source)
        match = _INTO.fullmatch(row.becomes) if row is not None else None
        if match is not None and match[1] == into[1]:
            found[keyword] = match[3]
    switches = _switches(given, into, source)
    if switches and "" not in found.values():
        raise Unclear(f"without {switches[0]} it does nothing")
    return list(found)


def _switches(given: Given, into: re.Match[str], source: Source) -> list[str]:
    """Return the keywords without which a call does not ask for the params."""
    lineage = (given.owner, *timeline.lineage(given.owner, source.project.target))
    asking = f"{into[1]}={into[2]}()"
    found = [(owner, keyword) for (owner, keyword), rows in _rows().items() if asking in [row.becomes for row in rows]]
    return [keyword for owner, keyword in found if owner in lineage]


def _put_into(given: Given, together: list[ast.keyword], into: re.Match[str], source: Source) -> Rewrite:
    """Return the change that gives several keywords as fields of one params class."""
    name, dotted, _ = into.groups()
    if any(keyword.arg == name for keyword in given.call.keywords):
        raise Unclear(f"{name} is given too")
    if any(works_on_the_way(keyword.value) for keyword in together):
        raise Unclear("one of the values is worked out on the way")
    arguments = arguments_of(given.call, source)
    fix, fields = Fix.SAFE, list[Argument]()
    asks, imports = False, [dotted]
    for keyword in together:
        row = row_for(given.owner, keyword, source)
        match = _INTO.fullmatch(row.becomes) if row is not None else None
        if row is None or match is None or is_none(keyword.value):
            continue
        asks = True
        fix = Fix.UNSAFE if row.fix is Fix.UNSAFE and may_be_none(keyword.value, source) else fix
        if "=" in match[3]:
            field, wanted = _made_of(keyword, match[3], arguments.of(keyword), source)
            fields.append(field)
            imports += wanted
        elif match[3] == "**":
            fields += _from_dict(keyword.value, dotted, source)
        elif match[3]:
            fields.append(arguments.of(keyword).named(match[3]))
    home = arguments.of(together[0])
    new = put_together(
        f"{name}={dotted.rpartition('.')[2]}", fields, arguments.step, by_line=arguments.by_line, gap=home.gap
    )
    items = [
        new if item is home else item
        for item in arguments.items
        if (item is home and asks) or item.node not in together
    ]
    change = arguments.changed(items, source)
    check_comments(change, source)
    return Rewrite((change,), fix, tuple(imports))


def _made_of(keyword: ast.keyword, becomes: str, old: Argument, source: Source) -> tuple[Argument, tuple[str, ...]]:
    """Return a field of params that is made of a keyword's value, and what to import for it."""
    if may_be_none(keyword.value, source):
        raise Unclear("its value may be None")
    name, _, new = becomes.partition("=")
    value = old.named(name).text.partition("=")[2]
    plain = isinstance(keyword.value, (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.JoinedStr))
    text, imports = as_imported(new)
    check_imports(imports, keyword.value, source)
    return old._replace(text=f"{name}={text.replace('{}', value if plain else f'({value})')}"), imports


def _from_dict(value: ast.expr, dotted: str, source: Source) -> list[Argument]:
    """Return the items of a dict as fields of params.

    Raises:
        Unclear: it is not a plain dict, or one of its keys is no field of theirs.
    """
    if not isinstance(value, ast.Dict) or not value.values:
        raise Unclear("its value is not a dict written out")
    fields: list[Argument] = []
    for key, item in zip(value.keys, value.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) else None
        if not isinstance(name, str) or NEWLINE.search(source.segment(item)):
            raise Unclear("its value is not a dict written out")
        called = next((row.becomes for row in rows_of(dotted, name, source.project.target)), name)
        if called == "extra" or any(field.text.startswith(f"{called}=") for field in fields):
            raise Unclear(f"what becomes of its {name} is not plain")
        release = timeline.lacking(dotted, [called], source.releases)
        if release is not None:
            raise Unclear(f"{dotted.rpartition('.')[2]} of {release} has no {name}")
        fields.append(Argument(f"{called}={source.segment(item)}"))
    return fields
