"""Analyzers of speech and turns given to a transport, and the aggregator that takes them from 1.0.0 on.

Facts from the wheels: ``TransportParams`` took ``vad_analyzer`` and ``turn_analyzer`` until 0.0.108, and ignores both
since. ``LLMUserAggregatorParams`` takes ``vad_analyzer`` from 0.0.101 on, and strategies to tell when a turn ends, by
default that of a plain ``LocalSmartTurnAnalyzerV3``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from checks.arguments import Argument, Arguments, Change, Rewrite, arguments_of, put_together
from checks.guards import is_none
from checks.pipecat import timeline
from checks.pipecat.keywords import Unknown, called_name, unknown_keywords
from checks.pipecat.realtime import REALTIME
from checks.source import Source
from checks.unclear import Unclear
from checks.values import works_on_the_way

TRANSPORT_PARAMS = "pipecat.transports.base_transport.TransportParams"
ANALYZERS = ("vad_analyzer", "turn_analyzer")
_AGGREGATORS = "pipecat.processors.aggregators.llm_response_universal"
_PAIR = f"{_AGGREGATORS}.LLMContextAggregatorPair"
_USER_PARAMS = f"{_AGGREGATORS}.LLMUserAggregatorParams"
_STRATEGIES = "pipecat.turns.user_turn_strategies.UserTurnStrategies"
_STRATEGY = "pipecat.turns.user_stop.TurnAnalyzerUserTurnStopStrategy"
_DEFAULT_ANALYZER = "pipecat.audio.turn.smart_turn.local_smart_turn_v3.LocalSmartTurnAnalyzerV3"
# What a file mentions that has its own way of telling when somebody speaks.
_OWN_WAYS = ("VADProcessor", "VADController", "ExternalUserTurnStrategies")


@dataclass(slots=True)
class _Aggregator:
    """The call that makes the pair of aggregators, and what its user's one is to be given."""

    call: ast.Call
    imports: list[str] = field(default_factory=list[str])


def misplaced(source: Source) -> list[Unknown]:
    """Return the analyzers that transports in a file are given and ignore."""
    return [one for one in unknown_keywords(source) if is_misplaced(one, source)]


def is_misplaced(unknown: Unknown, source: Source) -> bool:
    """Tell whether a keyword is one of the analyzers that transports took."""
    target = source.project.target
    return unknown.keyword.arg in ANALYZERS and TRANSPORT_PARAMS in timeline.lineage(unknown.built, target)


def moved(found: Sequence[Unknown], source: Source) -> Rewrite:
    """Return the changes that give the analyzers of a file to its one user aggregator.

    Raises:
        Unclear: it cannot be told which aggregator or which analyzer, or whether one is wanted.
    """
    own = next((word for word in _OWN_WAYS if word in source.text), None)
    if own is not None:
        raise Unclear(f"the file has {own}, which tells by itself when somebody speaks")
    if any(_is_realtime(name, source) for name in _called_classes(source)):
        raise Unclear("a realtime service tells by itself when somebody speaks; whether it is to is yours to say")
    aggregator = _Aggregator(_pair(source))
    new: list[Argument] = []
    for analyzer in ANALYZERS:
        given = [one for one in found if one.keyword.arg == analyzer]
        value = _value(given, aggregator.call, source)
        if value is not None:
            new += _given(analyzer, value, aggregator, source)
    changes = [_without(call, found, source) for call in {one.call: None for one in found}]
    if new:
        changes.append(_with(aggregator, new, source))
    return Rewrite(tuple(changes), imports=tuple(aggregator.imports))


def _called_classes(source: Source) -> set[str]:
    return {name for call in source.nodes(ast.Call) if (name := called_name(call, source)) is not None}


def _is_realtime(name: str, source: Source) -> bool:
    return not REALTIME.isdisjoint(timeline.lineage(name, source.project.target))


def _pair(source: Source) -> ast.Call:
    """Return the one call of a file that makes aggregators."""
    pairs = [call for call in source.nodes(ast.Call) if called_name(call, source) == _PAIR]
    if len(pairs) != 1:
        many = "several" if pairs else "no"
        raise Unclear(f"this file makes {many} LLMContextAggregatorPair; its user_params take it, or a VADProcessor")
    return pairs[0]


def _value(given: Sequence[Unknown], at: ast.Call, source: Source) -> Argument | None:
    """Return the one analyzer that is given, as an argument of that name; None where none is."""
    real = [one for one in given if not is_none(one.keyword.value)]
    if not real:
        return None
    if len({source.segment(one.keyword.value) for one in real}) > 1 or len(real) < len(given):
        raise Unclear("the transports of this file are given different ones")
    first = real[0]
    _check_means_the_same(first.keyword.value, at, source)
    return replace(arguments_of(first.call, source).of(first.keyword), gap=", ")


def _check_means_the_same(value: ast.expr, at: ast.Call, source: Source) -> None:
    """Raise Unclear unless a value can be worked out at another place with the same result."""
    if works_on_the_way(value):
        raise Unclear("it is worked out on the way")
    for part in ast.walk(value):
        if not isinstance(part, ast.Name):
            continue
        here, there = source.names.bindings(part), source.names.lookup(part.id, at)
        if here != there or len(here) > 1:
            raise Unclear(f"{part.id} means something else where the aggregators are made")
        is_local = bool(here) and source.names.scope(here[0].node) is not source.tree
        if is_local and source.start(part) > source.start(at):
            raise Unclear(f"{part.id} may not be there yet where the aggregators are made")


def _given(analyzer: str, item: Argument, aggregator: _Aggregator, source: Source) -> list[Argument]:
    """Return the arguments of the user aggregator's params that stand for an analyzer."""
    assert isinstance(item.node, ast.keyword)
    if analyzer == "vad_analyzer":
        return [item]
    value = item.node.value
    if isinstance(value, ast.Call) and not value.args and not value.keywords:
        named = source.project.resolve(value.func, source)
        if named == _DEFAULT_ANALYZER:
            return []  # which is what the aggregator uses by itself
    aggregator.imports += [_STRATEGIES, _STRATEGY]
    stop = f"TurnAnalyzerUserTurnStopStrategy({item.text})"
    return [replace(item, text=f"user_turn_strategies=UserTurnStrategies(stop=[{stop}])")]


def _with(aggregator: _Aggregator, new: Sequence[Argument], source: Source) -> Change:
    """Return the change that gives the user aggregator its analyzers."""
    call = aggregator.call
    arguments = arguments_of(call, source)
    if any(one.arg is None for one in call.keywords) or len(call.args) > 1:
        raise Unclear("not all that the aggregators are given is seen")
    params = next((one for one in call.keywords if one.arg == "user_params"), None)
    names = [item.text.partition("=")[0] for item in new]
    release = timeline.lacking(_USER_PARAMS, names, source.project.releases)
    if release is not None:
        raise Unclear(f"the aggregators of {release}, which the project admits, do not take it")
    if params is None:
        aggregator.imports.append(_USER_PARAMS)
        made = _made("user_params=LLMUserAggregatorParams", new, arguments, source)
        return arguments.changed([*arguments.items, made], source)
    value = params.value
    if not isinstance(value, ast.Call) or called_name(value, source) != _USER_PARAMS or value.args:
        raise Unclear("the user_params of the aggregators are made elsewhere")
    known = {one.arg for one in value.keywords}
    if None in known or any(name in known for name in names):
        raise Unclear("the aggregators are given one too")
    inner = arguments_of(value, source)
    if not inner.items:
        made = _made(f"user_params={source.segment(value.func)}", new, arguments, source)
        return arguments.changed([made if item.node is params else item for item in arguments.items], source)
    return inner.changed([*inner.items, *new], source)


def _made(head: str, new: Sequence[Argument], arguments: Arguments, source: Source) -> Argument:
    if any(item.above or item.behind for item in new) and not arguments.by_line:
        raise Unclear("the comments on it have no place where the aggregators are made")
    return put_together(head, new, by_line=arguments.by_line)


def _without(call: ast.Call, found: Sequence[Unknown], source: Source) -> Change:
    """Return the change that takes the analyzers out of one transport's params."""
    arguments = arguments_of(call, source)
    doomed = [one.keyword for one in found]
    return arguments.changed([item for item in arguments.items if item.node not in doomed], source)
