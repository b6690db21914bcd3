"""What services took as arguments and take as ``settings=`` now: which call becomes which.

From 0.0.105 on a service has one ``Settings`` for what could be given as a keyword (``voice_id=``), or as a field of
``params=X.InputParams(…)`` and its likes. Upstream's registry says which keyword became which field; fields of a params
class keep their name. settings.tsv has the exceptions, read off the constructors of 1.0.0 to 1.14.0.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files

from checks.arguments import Argument, Arguments, Change, arguments_of, put_together
from checks.pipecat import timeline
from checks.pipecat.deprecations import Deprecation, of_member, of_name
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

_FIELD = re.compile(r"settings=[\w.]+\.Settings\((?:(\w+)=)?\.\.\.\)")
_NEVER_NONE = (ast.JoinedStr, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Moved:
    """An argument that is a field of the settings now, or holds several (``field`` is None)."""

    keyword: ast.keyword
    record: Deprecation
    field: str | None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The changes that give a service its settings, and whether it behaves the same then."""

    changes: tuple[Change, ...]
    fix: Fix


@dataclass(slots=True)
class _Outcome:
    """What a call's arguments come to: fields of the settings by name, and keywords of the constructor."""

    fields: dict[str, Argument] = field(default_factory=dict[str, Argument])
    keywords: list[Argument] = field(default_factory=list[Argument])
    fix: Fix = Fix.SAFE


@cache
def _exceptions() -> dict[tuple[str, str, str], str]:
    text = files("checks.pipecat").joinpath("settings.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {(service, keyword, name): becomes for service, keyword, name, becomes in rows}


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
    arguments = arguments_of(call, source)
    outcome = _Outcome()
    for one in moved:
        _settle(one, arguments.of(one.keyword), outcome, source)
    given = next((keyword for keyword in call.keywords if keyword.arg == "settings"), None)
    home = given or moved[0].keyword
    if given is not None and not _is_none(given.value):
        new = _merged(given, service, outcome, arguments, source)
    else:
        head = f"settings={_class_text(call, source)}.Settings"
        fields = list(outcome.fields.values())
        new = put_together(head, fields, by_line=arguments.by_line, gap=arguments.of(home).gap) if fields else None
    _check_fields(service, outcome, source)
    items: list[Argument] = []
    places = [one.keyword for one in moved]
    for item in arguments.items:
        if item.node is home:
            items += ([new] if new is not None else []) + outcome.keywords
        elif item.node not in places and item.node is not given:
            items.append(item)
    return Rewrite((arguments.changed(items, source),), outcome.fix)


def _merged(given: ast.keyword, service: str, outcome: _Outcome, arguments: Arguments, source: Source) -> Argument:
    """Return an existing ``settings=`` argument with more fields; those it has already win."""
    item = arguments.of(given)
    if not outcome.fields:
        return item
    value = given.value
    if not isinstance(value, ast.Call) or not _is_class(value.func, f"{service}.Settings", source):
        raise Unclear("the settings= given too are made elsewhere")
    inner = arguments_of(value, source)
    if any(keyword.arg is None for keyword in value.keywords) or value.args:
        raise Unclear("not all the fields of its settings= are seen")
    known = {keyword.arg for keyword in value.keywords}
    head = f"settings={source.segment(value.func)}"
    fields = [*inner.items, *(one for name, one in outcome.fields.items() if name not in known)]
    together = put_together(head, fields, by_line=inner.by_line or arguments.by_line, gap=item.gap)
    return replace(together, above=item.above, behind=item.behind)


def _settle(one: Moved, item: Argument, outcome: _Outcome, source: Source) -> None:
    """Work out what becomes of one argument."""
    keyword, value = one.keyword, one.keyword.value
    if _is_none(value):
        return
    owner = one.record.name.rpartition(".")[0]
    if one.field is not None:
        _settle_field(owner, str(keyword.arg), "", one.field, item, outcome, source)
    elif isinstance(value, ast.Call):
        _settle_params(value, owner, str(keyword.arg), outcome, source)
    else:
        raise Unclear(f"what {keyword.arg} holds is made elsewhere")


def _settle_params(value: ast.Call, owner: str, keyword: str, outcome: _Outcome, source: Source) -> None:
    """Work out what becomes of ``params=X.InputParams(…)``, field by field."""
    if not _is_params(value.func, owner, source):
        raise Unclear(f"what {keyword} holds is not seen")
    if value.args or any(one.arg is None for one in value.keywords):
        raise Unclear(f"not all the fields of {keyword} are seen")
    if any(service == owner and name == "*" for service, word, name in _exceptions() if word == keyword):
        raise Unclear(f"leaving out a field of {keyword} means something else in the settings")
    inner = arguments_of(value, source)
    if inner.tail:
        raise Unclear("a comment stands behind the last field")
    for one in value.keywords:
        if not _is_none(one.value):
            name = str(one.arg)
            _settle_field(owner, keyword, name, name, inner.of(one), outcome, source)


def _settle_field(
    owner: str, keyword: str, name: str, target: str, item: Argument, outcome: _Outcome, source: Source
) -> None:
    """Note one value as a field of the settings, or as a keyword of the constructor."""
    assert isinstance(item.node, ast.keyword)
    verdict = _exceptions().get((owner, keyword, name), f"settings:{target}")
    kind, _, new = verdict.partition(":")
    if kind == "human":
        raise Unclear(f"{name or keyword} has no counterpart there")
    if any(isinstance(part, (ast.Await, ast.Yield, ast.NamedExpr)) for part in ast.walk(item.node.value)):
        raise Unclear(f"{name or keyword} is worked out on the way")
    if _may_be_none(item.node.value, source):
        outcome.fix = Fix.UNSAFE
    if kind == "constructor":
        outcome.keywords.append(item.named(new, source))
    elif name or new not in outcome.fields:
        # The constructors read the keywords first, and the params over them.
        outcome.fields[new] = item.named(new, source)


def _check_fields(service: str, outcome: _Outcome, source: Source) -> None:
    """Raise Unclear unless every release concerned has these fields and keywords."""
    for release in {source.project.target, source.project.oldest}:
        takes = timeline.constructor(service, release)
        settings = timeline.constructor(f"{service}.Settings", release)
        if takes is None or settings is None or "settings" not in takes.keywords:
            raise Unclear(f"{release}, which the project admits, has no settings for it")
        for name in outcome.fields:
            if name not in settings.keywords:
                raise Unclear(f"the settings of {release} have no {name}")


def _class_text(call: ast.Call, source: Source) -> str:
    """Return how the file names the class that a call builds."""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
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


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _may_be_none(value: ast.expr, source: Source) -> bool:
    """Tell whether a value may be None, which an argument leaves out and a field of the settings does not."""
    match value:
        case ast.Constant(value=constant):
            return constant is None
        case ast.BoolOp(op=ast.Or(), values=[*_, last]):
            return _may_be_none(last, source)
        case ast.IfExp(body=body, orelse=orelse):
            return _may_be_none(body, source) or _may_be_none(orelse, source)
        case ast.Call(func=ast.Name(id="str" | "int" | "float" | "bool" | "list" | "dict")):
            return False
        case ast.Call(func=ast.Attribute(attr="getenv" | "get"), args=[_, default]):
            return _may_be_none(default, source)
        case ast.Call(func=called):
            return not source.segment(called).rpartition(".")[2][:1].isupper()
        case ast.Subscript(value=ast.Attribute(attr="environ")):
            return False
        case ast.Attribute() | ast.Name():
            return not _is_constant(value, source)
        case _:
            return not isinstance(value, (*_NEVER_NONE, ast.BinOp, ast.UnaryOp, ast.Compare))


def _is_constant(value: ast.Attribute | ast.Name, source: Source) -> bool:
    """Tell whether a name stands for an enumeration's member of Pipecat's, or for a plain constant of this file."""
    named = source.names.resolve(value)
    if named is not None and named.startswith("pipecat.") and isinstance(value, ast.Attribute):
        return named.rpartition(".")[2].isupper()
    if not isinstance(value, ast.Name):
        return False
    bound = [binding.node for binding in source.names.bindings(value)]
    assigned = [node.value for node in bound if isinstance(node, ast.Assign)]
    return len(bound) == len(assigned) == 1 and not _may_be_none(assigned[0], source)
