"""What a service's own attributes held, and its settings hold now.

Each row of kept.tsv is a class, a member, and the field of ``self._settings`` that took its place. Facts from the
wheels: until 0.0.103 ``set_voice`` did nothing but set ``_voice_id``, and ``set_model_name`` set ``_model_name`` and
told the metrics. From 0.0.104 on ``AIService.__init__`` takes its ``settings`` or makes an object with these fields,
each ``NOT_GIVEN`` until somebody sets it; frames and traces find the voice and the model there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache

from checks.arguments import Change, Rewrite, check_comments
from checks.pipecat import tables, timeline
from checks.pipecat.hierarchy import Lineage, method
from checks.pipecat.members import heirs
from checks.pipecat.own_settings import (
    SETTINGS,
    has_plain_bases,
    is_replaced,
    is_to_be_renamed,
    line_of,
    since,
)
from checks.receivers import is_self_attribute, is_super_call, self_attributes
from checks.rule import Fix
from checks.source import NEWLINE, Source
from checks.unclear import Unclear
from checks.values import works_on_the_way

Function = ast.FunctionDef | ast.AsyncFunctionDef

_INIT = "__init__"
_SERVICE = "pipecat.services.ai_service.AIService"


class NotYet(Unclear):
    """What stands in the way goes with the mend of something else."""


@cache
def _fields() -> dict[tuple[str, str], str]:
    return {(owner, member): field for owner, member, field in tables.rows("kept.tsv")}


def stored(node: ast.Attribute, source: Source, *, anywhere: bool = False) -> Rewrite:
    """Return the change that has a constructor put into the settings what it gives a method that put it elsewhere.

    ``anywhere``: other methods too, all of which Pipecat's constructor runs before.

    Raises:
        Unclear: it is not certain that Pipecat's constructor has run by then, or that the settings are still Pipecat's.
    """
    field, line = _field(node, source)
    call = source.parent(node)
    assert isinstance(call, ast.Call)
    assert isinstance(node.value, ast.Name)
    statement, function = source.parent(call), source.names.enclosing_function(node)
    is_inside = isinstance(function, ast.FunctionDef) and function.name == _INIT
    if not isinstance(statement, ast.Expr) or not isinstance(function, Function) or not (is_inside or anywhere):
        raise Unclear("")
    value = _only_argument(call)
    is_before = is_inside and not _is_made(function, statement, line, source)
    if is_before or not all(_leads_up(one, line, home) for home, one in line.own):
        raise Unclear("it is not certain that Pipecat's constructor has run by then")
    if any(_is_mixed(member, line) for (_, member), one in _fields().items() if one == field):
        raise Unclear("what it set the class sets itself too, and asks for")
    if is_replaced(line):
        if is_to_be_renamed(line):
            raise NotYet(f"once {SETTINGS} is Pipecat's again, the settings take it")
        raise Unclear(f"{SETTINGS} is not what Pipecat puts there")
    text = source.segment(value)
    if NEWLINE.search(text):
        text = f"({text})"
    span = source.span_between(source.start(call), source.end(call))
    change = Change(span, f"{node.value.id}.{SETTINGS}.{field} = {text}")
    check_comments(change, source)
    return Rewrite((change,), Fix.UNSAFE)


def read(node: ast.Attribute, source: Source) -> Rewrite:
    """Return the change that reads off the settings what an attribute held.

    Raises:
        Unclear: it is not certain that the settings hold it.
    """
    field, line = _field(node, source)
    if is_replaced(line) or not _is_filled(field, node, line, source):
        raise Unclear("")
    end = source.end(node)
    return Rewrite((Change(source.span_between(end - len(node.attr), end), f"{SETTINGS}.{field}"),))


def _field(node: ast.Attribute, source: Source) -> tuple[str, Lineage]:
    """Return the field that took a member's place, and the lineage of the project's own service it is asked of."""
    line = line_of(node, source)
    owner = next((one for one in line.names if (one, node.attr) in _fields()), None) if line is not None else None
    if line is None or owner is None or not has_plain_bases(line, source.project.target):
        raise Unclear("")
    oldest = source.oldest
    if since(oldest) is None:
        raise Unclear(f"{oldest}, which the project admits, does not keep it in {SETTINGS}")
    return _fields()[owner, node.attr], line


def _only_argument(call: ast.Call) -> ast.expr:
    """Return what a call is given, the parameters of all these methods being one."""
    given = [*call.args, *(one.value for one in call.keywords if one.arg is not None)]
    if len(given) != len(call.args) + len(call.keywords) or len(given) != 1:
        raise Unclear("")
    if isinstance(given[0], (ast.Starred, ast.GeneratorExp)) or works_on_the_way(given[0]):
        raise Unclear("")
    return given[0]


def _is_made(init: Function, statement: ast.stmt, line: Lineage, source: Source) -> bool:
    """Tell whether a constructor has its bases' make the settings above one of its statements, and not again below."""
    start = source.start(statement)
    is_run = method(line.own[0][1], _INIT) is init
    return is_run and all(source.start(one) < start for one in _base_calls(init, line, source))


def _is_mixed(member: str, line: Lineage) -> bool:
    """Tell whether the project's classes ask for a member that they set, but not always in a constructor."""
    lines = (line, *heirs(line.own[0][1], line.own[0][0]))
    classes = {owner: home for each in lines for home, owner in each.own}
    asked = [(one, home) for owner, home in classes.items() for one in self_attributes(owner, member, home)]
    stores = [home.parent(one) for one, home in asked if not isinstance(one.ctx, ast.Load)]
    inits = [init for _, owner in line.own if (init := method(owner, _INIT)) is not None]
    is_always = any(one in init.body for init in inits for one in stores)
    return 0 < len(stores) < len(asked) and not is_always


def _leads_up(owner: ast.ClassDef, line: Lineage, source: Source) -> bool:
    """Tell whether a class's constructor, if it has one, calls its bases' whatever happens, and gives no settings."""
    init = method(owner, _INIT)
    if init is None:
        return True
    calls = _base_calls(init, line, source)
    returns = [one.lineno for one in ast.walk(init) if isinstance(one, ast.Return)]
    leaves = any(first <= one.lineno for one in calls for first in returns)
    return bool(calls) and not leaves and not any(_gives_settings(one) for one in calls)


def _base_calls(init: Function, line: Lineage, source: Source) -> list[ast.Call]:
    """Return the calls of constructors that lead to Pipecat's services; none if one of them may not be made."""
    found = [one for one in ast.walk(init) if isinstance(one, ast.Call) and _is_base_call(one, line, source)]
    always = [one.value for one in init.body if isinstance(one, ast.Expr)]
    return found if all(one in always for one in found) else []


def _is_base_call(call: ast.Call, line: Lineage, source: Source) -> bool:
    if is_super_call(call, _INIT) or not isinstance(call.func, ast.Attribute) or call.func.attr != _INIT:
        return is_super_call(call, _INIT)
    base = source.project.resolve(call.func.value, source)
    if isinstance(base, str):
        return _SERVICE in timeline.lineage(base, source.project.target)
    return base is not None and any(base[1] is one for _, one in line.own)


def _gives_settings(call: ast.Call) -> bool:
    return any(one.arg == "settings" for one in call.keywords)


def _is_filled(field: str, node: ast.Attribute, line: Lineage, source: Source) -> bool:
    """Tell whether a field is given something, by the constructor that is run, when an attribute is read."""
    function = source.names.enclosing_function(node)
    for at, (home, one) in enumerate(line.own):
        init = method(one, _INIT)
        if init is None:
            continue
        calls = _base_calls(init, line, home)
        if not calls or any(isinstance(part, ast.Return) for part in ast.walk(init)):
            return False
        given = next((part for part in init.body if _gives(part, field, calls, home)), None)
        if given is not None:
            if getattr(function, "name", "") == _INIT:
                return function is init and node.lineno > (given.end_lineno or given.lineno)
            early = [(home, part) for part in init.body[: init.body.index(given)]]
            above = [(here, method(base, _INIT)) for here, base in line.own[at + 1 :]]
            return _method_around(node, source) not in _asked([*early, *above], line)
        if any(_gives_settings(call) for call in calls):
            return False
    return False


def _method_around(node: ast.AST, source: Source) -> str:
    """Return the name of the method that a node stands in."""
    part = next((one for one in source.ancestors(node) if isinstance(source.parent(one), ast.ClassDef)), None)
    return getattr(part, "name", "")


def _asked(parts: Iterable[tuple[Source, ast.AST | None]], line: Lineage) -> set[str]:
    """Return the names that parts of constructors ask ``self`` for, and those that the methods so named do."""
    todo, found = [(home, part) for home, part in parts if part is not None], set[str]()
    while todo:
        home, part = todo.pop()
        names = {one.attr for one in ast.walk(part) if is_self_attribute(one, home) and isinstance(one, ast.Attribute)}
        known = ((here, method(one, name)) for name in names - found for here, one in line.own)
        todo += [(here, one) for here, one in known if one is not None]
        found |= names
    return found


def _gives(statement: ast.stmt, field: str, calls: list[ast.Call], source: Source) -> bool:
    """Tell whether a statement puts something into a field of the settings, or has Pipecat's constructor do so."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Attribute(attr=attribute) as kept, attr=name)]):
            is_kept = attribute == SETTINGS and name == field and is_self_attribute(kept, source)
            return is_kept and all(one.lineno < statement.lineno for one in calls)
        case ast.Expr(value=ast.Call(keywords=keywords) as call) if call is calls[-1]:
            given = next((one.value for one in keywords if one.arg == "settings"), None)
            if not isinstance(given, ast.Call) or not ast.unparse(given.func).rpartition(".")[2][:1].isupper():
                return False  # a function may do anything with what it is given
            return any(one.arg == field for one in given.keywords)
        case _:
            return False
