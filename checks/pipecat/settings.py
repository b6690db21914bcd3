"""What services took as arguments and take as ``settings=`` now: which call becomes which.

From 0.0.105 on a service has one ``Settings`` for what could be given as a keyword (``voice_id=``), or as a field of
``params=X.InputParams(…)`` and its likes. Upstream's registry says which keywords. settings.tsv says what each became,
and each field of the params, as the constructors of 1.0.0 to 1.14.0 treat it; a row holds from ``since`` to ``until``:

* ``settings:a`` a field of the settings (``a,b``: of two fields), ``constructor:a`` a keyword of the constructor;
  ``drop``: it is never read; ``human``: nothing does the same
* ``default:a=1`` and ``default-constructor:a=1``: what leaving the field out stands for, and must be written out
* ``beside:a``: not to be mended where ``a`` is given too, in the params or the call

``none`` is what an old value of None did: ``same`` as in the settings, ``drop``: as if it was not given. ``needs`` is
what the value must be seen to be, where the params turned others into that and the settings do not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from checks.arguments import (
    Argument,
    Arguments,
    Rewrite,
    arguments_of,
    check_comments,
    put_together,
)
from checks.guards import is_none
from checks.pipecat import tables, timeline
from checks.pipecat.deprecations import Deprecation, of_member, of_name
from checks.pipecat.releases import Release, parse
from checks.receivers import is_super_call
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear
from checks.values import may_be_none, works_on_the_way

_FIELD = re.compile(r"settings=[\w.]+\.Settings\((?:(\w+)=)?\.\.\.\)")
_FIRST = Release(1, 0, 0)


class Moved(NamedTuple):
    """An argument that is a field of the settings now, or holds several (``field`` is None)."""

    keyword: ast.keyword
    record: Deprecation
    field: str | None


class _Row(NamedTuple):
    """What becomes of one argument or field, in the words of settings.tsv."""

    kind: str
    new: str
    since: Release | None
    until: Release | None
    none: str
    needs: str

    def holds(self, *releases: Release) -> bool:
        """Tell whether it is so in all of these releases."""
        return all((self.since or release) <= release <= (self.until or release) for release in releases)


@dataclass(slots=True)
class _Outcome:
    """What a call's arguments come to: fields of the settings by name, and keywords of the constructor."""

    service: str
    source: Source
    fields: dict[str, Argument] = field(default_factory=dict[str, Argument])
    keywords: dict[str, Argument] = field(default_factory=dict[str, Argument])
    imports: list[str] = field(default_factory=list[str])
    fix: Fix = Fix.SAFE


@cache
def _table() -> dict[tuple[str, str], dict[str, list[_Row]]]:
    found: dict[tuple[str, str], dict[str, list[_Row]]] = {}
    for service, keyword, name, becomes, since, until, none, needs in tables.rows("settings.tsv"):
        kind, _, new = becomes.partition(":")
        row = _Row(kind, new, parse(since) if since else None, parse(until) if until else None, none, needs)
        found.setdefault((service, keyword), {}).setdefault(name, []).append(row)
    return found


def _rows(outcome: _Outcome, keyword: str) -> dict[str, list[_Row]]:
    """Return by field what becomes of a keyword, by the nearest class that has something to say, as far as it holds."""
    source = outcome.source
    if source.oldest < _FIRST:
        raise Unclear(f"the project admits releases before {_FIRST}, where much of this differs")
    for service in timeline.lineage(outcome.service, source.project.target):
        if (service, keyword) in _table():
            rows = _table()[service, keyword].items()
            return {name: [row for row in some if row.holds(*source.releases)] for name, some in rows}
    raise Unclear(f"what becomes of {keyword} is not known")


def moved_arguments(call: ast.Call, service: str, source: Source) -> list[Moved]:
    """Return the arguments of a service's constructor that belong into its settings by the target release."""
    found: list[Moved] = []
    for keyword in call.keywords:
        record = of_member(service, keyword.arg, ("parameter",), source.project.target) if keyword.arg else None
        match = _FIELD.fullmatch(record.replacement or "") if record is not None else None
        if record is not None and match is not None:
            found.append(Moved(keyword, record, match[1]))
    return found


def rewritten(call: ast.Call, service: str, moved: Sequence[Moved], source: Source) -> Rewrite:
    """Return what becomes of a call with arguments that belong into the settings.

    Raises:
        Unclear: it cannot be told, or the project admits releases that have no such settings.
    """
    if any(keyword.arg is None for keyword in call.keywords):
        raise Unclear("what the ** in the call holds is not seen")
    if any(works_on_the_way(one) for one in (*call.args, *(keyword.value for keyword in call.keywords))):
        raise Unclear("an argument is worked out on the way, and the order would change")
    arguments = arguments_of(call, source)
    outcome = _Outcome(service, source)
    given_names = [str(keyword.arg) for keyword in call.keywords]
    for one in moved:
        _settle(one, arguments.of(one.keyword), outcome, given_names)
    given = next((keyword for keyword in call.keywords if keyword.arg == "settings"), None)
    home = given or moved[0].keyword
    if given is not None and not is_none(given.value):
        new = _merged(given, outcome, arguments)
    else:
        head = f"settings={_class_text(call, source)}.Settings"
        fields = list(outcome.fields.values())
        gap = arguments.of(home).gap
        new = put_together(head, fields, arguments.step, by_line=arguments.by_line, gap=gap) if fields else None
    _check_fields(outcome)
    items: list[Argument] = []
    places = [one.keyword for one in moved]
    for item in arguments.items:
        if item.node is home:
            items += [*([new] if new is not None else []), *outcome.keywords.values()]
        elif item.node not in places and item.node is not given:
            items.append(item)
    change = arguments.changed(items, source)
    check_comments(change, source)
    return Rewrite((change,), outcome.fix, tuple(outcome.imports))


def _merged(given: ast.keyword, outcome: _Outcome, arguments: Arguments) -> Argument:
    """Return an existing ``settings=`` argument with more fields; those it has already win."""
    item, source = arguments.of(given), outcome.source
    if not outcome.fields:
        return item
    value = given.value
    if not isinstance(value, ast.Call) or not _is_class(value.func, f"{outcome.service}.Settings", source):
        raise Unclear("the settings= given too are made elsewhere")
    inner = arguments_of(value, source)
    if any(keyword.arg is None for keyword in value.keywords) or value.args:
        raise Unclear("not all the fields of its settings= are seen")
    known = {keyword.arg for keyword in value.keywords}
    head = f"settings={source.segment(value.func)}"
    fields = [*inner.items, *(one for name, one in outcome.fields.items() if name not in known)]
    together = put_together(head, fields, inner.step, by_line=inner.by_line or arguments.by_line, gap=item.gap)
    return together._replace(above=item.above, behind=item.behind)


def _settle(one: Moved, item: Argument, outcome: _Outcome, given: Sequence[str]) -> None:
    """Work out what becomes of one argument of a call in which these keywords are given."""
    keyword, value = str(one.keyword.arg), one.keyword.value
    rows = _rows(outcome, keyword)
    for row in rows.get("", ()):
        if row.kind == "beside" and row.new in given:
            raise Unclear(f"{row.new} is given too")
    if is_none(value):
        return
    if one.field is not None:
        _settle_field(keyword, rows.get("", []), item, outcome)
    elif isinstance(value, ast.Call):
        _settle_params(value, keyword, rows, outcome, given)
    else:
        raise Unclear(f"what {keyword} holds is made elsewhere")


def _settle_params(
    value: ast.Call, keyword: str, rows: dict[str, list[_Row]], outcome: _Outcome, given: Sequence[str]
) -> None:
    """Work out what becomes of ``params=X.InputParams(…)``, field by field."""
    source = outcome.source
    if not _is_params(value.func, outcome.service, source):
        raise Unclear(f"what {keyword} holds is not seen")
    if value.args or any(one.arg is None for one in value.keywords):
        raise Unclear(f"not all the fields of {keyword} are seen")
    if any(row.kind == "human" for row in rows.get("*", ())):
        raise Unclear(f"the service does nothing with {keyword} in the target release")
    if "settings" in given:
        return  # which make the service pass over the params
    inner = arguments_of(value, source)
    if inner.tail:
        raise Unclear("a comment stands behind the last field")
    written = {str(one.arg) for one in value.keywords}
    for one in value.keywords:
        found = rows.get(str(one.arg)) or rows.get("*other") or []
        _settle_field(str(one.arg), found, inner.of(one), outcome, given)
    for name, some in rows.items():
        for row in some if name not in written else ():
            if row.kind.startswith("default"):
                _write_out(row, outcome, given)


def _write_out(row: _Row, outcome: _Outcome, given: Sequence[str]) -> None:
    """Note what leaving out a field of the params stood for."""
    name, _, value = row.new.partition("=")
    if row.kind == "default":
        outcome.fields.setdefault(name, Argument(row.new))
    elif name not in given:
        outcome.keywords[name] = Argument(row.new)
    if value.startswith("Language."):
        outcome.imports.append("pipecat.transcriptions.language.Language")


def _settle_field(
    name: str, rows: Sequence[_Row], item: Argument, outcome: _Outcome, given: Sequence[str] = ()
) -> None:
    """Note one value as a field of the settings, or as a keyword of the constructor."""
    assert isinstance(item.node, ast.keyword)
    row = next((row for row in rows if row.kind in ("settings", "constructor", "drop")), None)
    if row is None:
        raise Unclear(f"{name} has no counterpart in the settings")
    value, source = item.node.value, outcome.source
    if row.kind == "drop" or (is_none(value) and row.none == "drop"):
        return
    _check_value(name, row, value, outcome)
    if given and "environ" in source.segment(value).replace("getenv", "environ"):
        outcome.fix = Fix.UNSAFE  # a text, which the params turned into what the field takes
    if row.kind == "constructor":
        if row.new in given:
            raise Unclear(f"{row.new} is given too")
        outcome.keywords[row.new] = item.named(row.new)._replace(gap=", ")
        return
    first, *others = row.new.split(",")
    if others and not isinstance(value, (ast.Constant, ast.Name, ast.Attribute)):
        raise Unclear(f"{name} stands for {' and '.join([first, *others])}, and is worked out")
    # The constructors read the keywords first, and the params over them.
    outcome.fields[first] = item.named(first)
    for other in others:
        outcome.fields[other] = Argument(item.named(other).text)


def _check_value(name: str, row: _Row, value: ast.expr, outcome: _Outcome) -> None:
    """Raise Unclear for a value that the settings would not treat as the argument did; note where it may be so."""
    if _is_text_for_a_number(value):
        raise Unclear(f"the settings do not turn the text that {name} is given into a number")
    if is_none(value):
        if row.none == "human":
            raise Unclear(f"None for {name} has no counterpart in the settings")
        return
    if row.none != "same" and may_be_none(value, outcome.source):
        outcome.fix = Fix.UNSAFE
    if row.needs and not _is_seen_to_be(row.needs, value, outcome.source):
        if isinstance(value, (ast.Constant, ast.Dict, ast.List, ast.JoinedStr)) or _is_made(value):
            raise Unclear(f"the settings do not turn what {name} is given into what it takes")
        outcome.fix = Fix.UNSAFE


def _is_text_for_a_number(value: ast.expr) -> bool:
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return False
    return value.value.replace(".", "", 1).lstrip("-").isdigit()


def _is_seen_to_be(needs: str, value: ast.expr, source: Source) -> bool:
    """Tell whether a value is written so that it is what a field of the settings needs."""
    if isinstance(value, (ast.List, ast.Tuple)):
        return needs != "truthy" and all(_is_seen_to_be(needs, one, source) for one in value.elts)
    match needs:
        case "dict":
            return isinstance(value, ast.Dict)
        case "bool" | "str":
            return isinstance(value, ast.Constant) and type(value.value).__name__ == needs
        case "truthy":
            return (isinstance(value, ast.Constant) and bool(value.value)) or _is_made(value)
        case "list":
            return False
        case _:
            return _is_made(value)


def _is_made(value: ast.expr) -> bool:
    """Tell whether a value is a member of an enumeration, or the call of a class."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2][:1].isupper()
    return isinstance(value, ast.Attribute) and value.attr.isupper()


def _check_fields(outcome: _Outcome) -> None:
    """Raise Unclear unless every release concerned has these fields and keywords."""
    for release in outcome.source.releases:
        takes = timeline.constructor(outcome.service, release)
        settings = timeline.constructor(f"{outcome.service}.Settings", release)
        if takes is None or settings is None or "settings" not in takes.keywords:
            raise Unclear(f"{release}, which the project admits, has no settings for it")
        for name in outcome.keywords:
            if name not in takes.keywords:
                raise Unclear(f"{release} takes no {name}")
        for name in outcome.fields:
            if name not in settings.keywords:
                raise Unclear(f"the settings of {release} have no {name}")


def _class_text(call: ast.Call, source: Source) -> str:
    """Return how the file names the class that a call builds."""
    if is_super_call(call, "__init__"):
        owner = source.names.enclosing_class(call)
        assert owner is not None
        return source.segment(owner.bases[0])
    return source.segment(call.func)


def _is_params(node: ast.expr, owner: str, source: Source) -> bool:
    """Tell whether an expression is a class that holds what are settings of a service now."""
    named = source.project.resolve(node, source)
    record = of_name(named, source.project.target) if isinstance(named, str) else None
    if record is not None:
        return (record.replacement or "").endswith(".Settings")
    return _is_class(node, f"{owner}.InputParams", source)


def _is_class(node: ast.expr, dotted: str, source: Source) -> bool:
    named = source.project.resolve(node, source)
    target = source.project.target
    return isinstance(named, str) and timeline.canonical(named, target) == timeline.canonical(dotted, target)
