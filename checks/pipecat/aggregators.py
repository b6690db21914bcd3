"""The pair of aggregators that a file makes, and what the user's one is given beside what it has.

Facts from the wheels: ``LLMUserAggregatorParams`` takes ``user_turn_strategies`` and ``user_mute_strategies`` from
0.0.99 on, ``user_idle_timeout`` from 0.0.100, ``vad_analyzer`` from 0.0.101. ``UserTurnStrategies`` takes ``start``
and ``stop``, each with a default of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from checks.arguments import Argument, Arguments, Change, arguments_of, put_together
from checks.pipecat import timeline
from checks.pipecat.contexts import AGGREGATORS, PAIR
from checks.pipecat.keywords import called_name
from checks.source import Source
from checks.unclear import Unclear
from checks.values import works_on_the_way

USER_PARAMS = f"{AGGREGATORS}.LLMUserAggregatorParams"
# From how many characters on the strategies stand on lines of their own.
_LONG = 50
PIPELINE = "pipecat.pipeline.pipeline.Pipeline"
STRATEGIES = "pipecat.turns.user_turn_strategies.UserTurnStrategies"


class Wanted(NamedTuple):
    """What the user's aggregator is to be given: fields of its params, and arguments of its turn strategies.

    ``imports`` are the dotted names that the texts of both use.
    """

    fields: tuple[Argument, ...] = ()
    strategies: tuple[Argument, ...] = ()
    imports: tuple[str, ...] = ()


def pairs(source: Source) -> list[ast.Call]:
    """Return the calls of a file that make a pair of aggregators."""
    return [call for call in source.nodes(ast.Call) if called_name(call, source) == PAIR]


def one_for(node: ast.AST, source: Source) -> ast.Call:
    """Return the call that makes the pair of aggregators for what a node makes: the only one of its function.

    In a file with one pipeline it is the only one of the file.

    Raises:
        Unclear: there is none, or there are several.
    """
    found = pairs(source)
    function = source.names.enclosing_function(node)
    near = [pair for pair in found if function is not None and source.names.enclosing_function(pair) is function]
    if len(near) == 1:
        return near[0]
    pipelines = [call for call in source.nodes(ast.Call) if called_name(call, source) == PIPELINE]
    if len(found) == 1 and len(pipelines) < 2:
        return found[0]
    if found:
        raise Unclear("which pair of aggregators it is for is not seen")
    raise Unclear("this file makes no LLMContextAggregatorPair")


def check_exist(dotted: Sequence[str], source: Source) -> None:
    """Raise Unclear where a release that the project admits lacks one of some names."""
    for name in dotted:
        release = next((one for one in source.releases if not timeline.exists(name, one)), None)
        if release is not None:
            raise Unclear(f"{release}, which the project admits, has no {name.rpartition('.')[2]}")


def check_means_the_same(value: ast.expr, at: ast.expr, source: Source) -> None:
    """Raise Unclear unless a value can be worked out at another place with the same result."""
    if works_on_the_way(value):
        raise Unclear("it is worked out on the way")
    for part in ast.walk(value):
        if not isinstance(part, ast.Name):
            continue
        here, there = source.names.bindings(part), source.names.lookup(part.id, at)
        if here != there or len(here) > 1:
            raise Unclear(f"{part.id} means something else where it is to go")
        is_local = bool(here) and source.names.scope(here[0].node) is not source.tree
        if is_local and source.start(part) > source.start(at):
            raise Unclear(f"{part.id} may not be there yet where it is to go")


def given(pair: ast.Call, wanted: Wanted, source: Source) -> tuple[Change, tuple[str, ...]]:
    """Return the change that gives a pair's user aggregator what is wanted, and what it imports.

    Raises:
        Unclear: it has some of it already, not all that it is given is seen, or a release that the project admits does
            not take it.
    """
    arguments = arguments_of(pair, source)
    if any(one.arg is None for one in pair.keywords) or len(pair.args) > 1:
        raise Unclear("not all that the aggregators are given is seen")
    names = [_name(item) for item in wanted.fields] + ["user_turn_strategies"] * bool(wanted.strategies)
    release = timeline.lacking(USER_PARAMS, names, source.releases)
    if release is not None:
        raise Unclear(f"the aggregators of {release}, which the project admits, do not take it")
    params = next((one for one in pair.keywords if one.arg == "user_params"), None)
    if params is None:
        fields, imports = _fields(wanted, arguments.step)
        made = _made("user_params=LLMUserAggregatorParams", fields, arguments)
        return arguments.changed([*arguments.items, made], source), (USER_PARAMS, *imports)
    value = params.value
    if not isinstance(value, ast.Call) or called_name(value, source) != USER_PARAMS or value.args:
        raise Unclear("the user_params of the aggregators are made elsewhere")
    known = {one.arg: one.value for one in value.keywords}
    if None in known or any(_name(item) in known for item in wanted.fields):
        raise Unclear("the aggregators are given one too")
    if wanted.strategies and "user_turn_strategies" in known:
        if wanted.fields:
            raise Unclear("the aggregators are given user_turn_strategies too")
        return _joined(known["user_turn_strategies"], wanted, source), wanted.imports
    fields, imports = _fields(wanted, arguments.step)
    inner = arguments_of(value, source)
    if not inner.items:
        made = _made(f"user_params={source.segment(value.func)}", fields, arguments)
        items = [made if item.node is params else item for item in arguments.items]
        return arguments.changed(items, source), imports
    return inner.changed([*inner.items, *fields], source), imports


def given_to_each(made: Sequence[ast.Call], wanted: Wanted, source: Source) -> tuple[list[Change], tuple[str, ...]]:
    """Return the changes that give the user aggregator what is wanted, whichever call makes its pair.

    Raises:
        Unclear: as ``given``.
    """
    found = [given(pair, wanted, source) for pair in made]
    return [change for change, _ in found], tuple(dict.fromkeys(name for _, names in found for name in names))


def _name(item: Argument) -> str:
    return item.text.partition("=")[0]


def _fields(wanted: Wanted, step: str) -> tuple[list[Argument], tuple[str, ...]]:
    """Return the fields of the params, the turn strategies among them, and what to import."""
    if not wanted.strategies:
        return list(wanted.fields), wanted.imports
    above = tuple(line for item in wanted.strategies for line in item.above)
    behind = next((item.behind for item in wanted.strategies if item.behind), "")
    by_line = any("\n" in item.text or len(item.text) > _LONG for item in wanted.strategies)
    made = put_together("user_turn_strategies=UserTurnStrategies", wanted.strategies, step, by_line=by_line)
    strategies = made._replace(above=above, behind=behind)
    return [*wanted.fields, strategies], (*wanted.imports, STRATEGIES)


def _joined(value: ast.expr, wanted: Wanted, source: Source) -> Change:
    """Return the change that gives the turn strategies, where there are some, what they are not given yet."""
    if not isinstance(value, ast.Call) or called_name(value, source) != STRATEGIES or value.args:
        raise Unclear("the user_turn_strategies of the aggregators are made elsewhere")
    known = {one.arg for one in value.keywords}
    if None in known or any(_name(item) in known for item in wanted.strategies):
        raise Unclear("the aggregators are given such strategies too")
    inner = arguments_of(value, source)
    return inner.changed([*inner.items, *wanted.strategies], source)


def _made(head: str, new: Sequence[Argument], arguments: Arguments) -> Argument:
    if any(item.above or item.behind for item in new) and not arguments.by_line:
        raise Unclear("the comments on it have no place where the aggregators are made")
    return put_together(head, new, arguments.step, by_line=arguments.by_line or any("\n" in item.text for item in new))
