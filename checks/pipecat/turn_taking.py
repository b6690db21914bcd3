"""Analyzers of speech and turns given to a transport, and the aggregator that takes them from 1.0.0 on.

Facts from the wheels: ``TransportParams`` took ``vad_analyzer`` and ``turn_analyzer`` until 0.0.108, and ignores both
since. ``LLMUserAggregatorParams`` takes ``vad_analyzer`` from 0.0.101 on, and strategies to tell when a turn ends, by
default that of a plain ``LocalSmartTurnAnalyzerV3``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from checks.arguments import Argument, Change, Rewrite, arguments_of
from checks.guards import is_none
from checks.pipecat import timeline
from checks.pipecat.aggregators import Wanted, check_means_the_same, given_to_each, pairs
from checks.pipecat.contexts import check_may_import
from checks.pipecat.halves import check_no_other
from checks.pipecat.keywords import Unknown, called_name, unknown_keywords
from checks.pipecat.realtime import makes_one
from checks.pipecat.stages import all_of_one_pipeline
from checks.pipecat.voice_processor import DIFFERENCE, PROCESSOR, own_pipelines, pipeline_of, told_of
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear
from checks.values import given_by

TRANSPORT_PARAMS = "pipecat.transports.base_transport.TransportParams"
ANALYZERS = ("vad_analyzer", "turn_analyzer")
_TRANSPORT = "pipecat.transports.base_transport.BaseTransport"
_STRATEGY = "pipecat.turns.user_stop.TurnAnalyzerUserTurnStopStrategy"
_DEFAULT_ANALYZER = "pipecat.audio.turn.smart_turn.local_smart_turn_v3.LocalSmartTurnAnalyzerV3"
# What a file mentions that has its own way of telling when somebody speaks.
_OWN_WAYS = ("VADProcessor", "VADController", "ExternalUserTurnStrategies")
# What a file mentions that has aggregators, or is about to.
_AGGREGATE = ("create_context_aggregator", "LLMContext", "LLMUserAggregator")


class Decision(NamedTuple):
    """What is decided on some analyzers together: the changes, if any, and what is to be said of them."""

    found: Sequence[Unknown]
    facts: Rewrite | None
    why: str = ""


def misplaced(source: Source) -> list[Unknown]:
    """Return the analyzers that transports in a file are given and ignore."""
    return [one for one in unknown_keywords(source) if is_misplaced(one, source)]


def is_misplaced(unknown: Unknown, source: Source) -> bool:
    """Tell whether a keyword is one of the analyzers that transports took."""
    target = source.project.target
    return unknown.keyword.arg in ANALYZERS and TRANSPORT_PARAMS in timeline.lineage(unknown.built, target)


def decisions(source: Source) -> Iterator[Decision]:
    """Yield what is decided on all analyzers of a file together or, where that is unclear, on those of one function."""
    found = misplaced(source)
    if not found:
        return
    try:
        made = _pairs(source)
        _check_for(made, found, source)
        yield _decided(found, made, source)
        return
    except Unclear as reason:
        why = str(reason)
    left = found
    for pair, some in _beside_pairs(found, source):
        try:
            check_no_other(pair, source)
            decision = _decided(some, (pair,), source)
        except Unclear:
            continue
        left = [one for one in left if one not in some]
        yield decision
    for elements, some in _beside_pipelines(left, source):
        decision = _told_behind_input(some, elements, source)
        if decision is not None:
            left = [one for one in left if one not in some]
            yield decision
    if left and left is found:
        yield _told_by_processor(found, source) or Decision(found, None, why)
    elif left:
        yield Decision(left, None, why)


def _told_by_processor(found: Sequence[Unknown], source: Source) -> Decision | None:
    """Return the decision to have a processor tell of the voice, in a file without aggregators; None if unclear."""
    if pairs(source) or any(word in source.text for word in (*_OWN_WAYS, *_AGGREGATE)):
        return None
    try:
        elements = pipeline_of(source)
        _check_for([elements], found, source)
        return _told_behind_input(found, elements, source)
    except Unclear:
        return None


def _told_behind_input(found: Sequence[Unknown], elements: ast.List, source: Source) -> Decision | None:
    """Return the decision to have a processor tell of the voice behind the input of a pipeline; None if unclear."""
    try:
        check_may_import(source)
        value = _value(found, elements, source)
        if value is None or any(one.keyword.arg != ANALYZERS[0] for one in found):
            return None
        changes = [_without(call, found, source) for call in {one.call: None for one in found}]
        changes.append(told_of(value, elements, source))
    except Unclear:
        return None
    return Decision(found, Rewrite(tuple(changes), Fix.UNSAFE, (PROCESSOR,)), DIFFERENCE)


def _decided(found: Sequence[Unknown], made: Sequence[ast.Call], source: Source) -> Decision:
    """Return the decision to give analyzers to the user aggregator of a pair, whichever of some calls makes it.

    Raises:
        Unclear: it cannot be told which analyzer, or whether one is wanted.
    """
    own = next((word for word in _OWN_WAYS if word in source.text), None)
    if own is not None:
        raise Unclear(f"the file has {own}, which tells by itself when somebody speaks")
    wanted = Wanted()
    for analyzer in ANALYZERS:
        some = [one for one in found if one.keyword.arg == analyzer]
        values = [_value(some, pair, source) for pair in made]
        value = values[0]
        if value is not None:
            wanted = _with(analyzer, value, wanted, source)
    changes = [_without(call, found, source) for call in {one.call: None for one in found}]
    imports: tuple[str, ...] = ()
    if wanted.fields or wanted.strategies:
        told, imports = given_to_each(made, wanted, source)
        changes += told
    if makes_one(source):
        why = "the aggregators take it, which may tell turns beside the realtime service then, as the transport did"
        return Decision(found, Rewrite(tuple(changes), Fix.UNSAFE, imports), why)
    return Decision(found, Rewrite(tuple(changes), imports=imports))


def _beside_pairs(found: Sequence[Unknown], source: Source) -> Iterator[tuple[ast.Call, list[Unknown]]]:
    """Yield each pair that is the only one of its function, with the analyzers of the one transport used there."""
    made = pairs(source)
    for pair in made:
        function = source.names.enclosing_function(pair)
        if function is None or sum(source.names.enclosing_function(one) is function for one in made) > 1:
            continue
        inputs = _inputs(function, source)
        if len(inputs) == 1 and None not in inputs:
            some = [one for one in found if _transport_of(one.call, source) in inputs]
            if some:
                yield pair, some


def _check_for(made: Sequence[ast.expr], found: Sequence[Unknown], source: Source) -> None:
    """Raise Unclear where a pair, or a pipeline, may have another transport than one that is given an analyzer."""
    told = {_transport_of(one.call, source) for one in found}
    is_only = sum(_is_transport(call, source) for call in source.nodes(ast.Call)) < 2
    asked = {(source.names.enclosing_function(call), source.segment(call)) for call in _asks_for_input(source)}
    for one in made:
        function = source.names.enclosing_function(one)
        own = _inputs(function, source) if function is not None else {None}
        if len(own) == 1 and None not in own:
            if not told - ({None} if is_only else set()) <= own:
                raise Unclear("the aggregators of this file are for another transport")
        elif len(asked) > 1:
            raise Unclear("which transport the aggregators of this file are for is not seen")


def _beside_pipelines(found: Sequence[Unknown], source: Source) -> Iterator[tuple[ast.List, list[Unknown]]]:
    """Yield each pipeline without aggregators of a function, with the analyzers of the one transport made for it."""
    # A VADProcessor of another pipeline is no matter of this one.
    if any(word in source.text for word in _OWN_WAYS if word != "VADProcessor"):
        return
    for elements, transport in own_pipelines(source):
        function = source.names.enclosing_function(elements)
        made = _made_by(transport, function, source) if function is not None else None
        some = [one for one in found if made is not None and _transport_of(one.call, source) is made]
        if some and _is_for_one(transport, source):
            yield elements, some


def _is_for_one(transport: ast.Name, source: Source) -> bool:
    """Tell whether a transport is asked for its input once, and handed on nowhere."""
    bound = source.names.bindings(transport)
    uses = [use for use in source.named(ast.Name, (transport.id,)) if source.names.bindings(use) == bound]
    asked = [source.parent(use) for use in uses if isinstance(use.ctx, ast.Load)]
    inputs = [one for one in asked if isinstance(one, ast.Attribute) and one.attr == "input"]
    return len(inputs) == 1 and all(isinstance(one, ast.Attribute) for one in asked)


def _inputs(function: ast.AST, source: Source) -> set[ast.AST | None]:
    """Return what makes the transports of which a function asks for their input; None for one not made there."""
    calls = (call for call in _asks_for_input(source) if source.names.enclosing_function(call) is function)
    return {_made_by(call.func.value, function, source) for call in calls if isinstance(call.func, ast.Attribute)}


def _asks_for_input(source: Source) -> list[ast.Call]:
    """Return the calls of a file that ask a transport for its input."""
    calls = [call for call in source.nodes(ast.Call) if not call.args and not call.keywords]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "input"]


def _made_by(node: ast.expr, function: ast.AST, source: Source) -> ast.AST | None:
    """Return the call that makes the transport which a name of a function is given, where that is the only one."""
    value = _only_value(node, source)
    if value is None or not _is_transport(value, source):
        return None
    return value if source.names.enclosing_function(value) is function else None


def _only_value(node: ast.expr, source: Source) -> ast.expr | None:
    """Return the only value that a name is given."""
    bound = source.names.bindings(node) if isinstance(node, ast.Name) else []
    return given_by(bound[0].node, source) if len(bound) == 1 else None


def _is_transport(node: ast.AST | None, source: Source) -> bool:
    """Tell whether an expression makes a transport."""
    built = called_name(node, source) if isinstance(node, ast.Call) else None
    return built is not None and _TRANSPORT in timeline.lineage(built, source.project.target)


def _transport_of(params: ast.expr, source: Source) -> ast.AST | None:
    """Return the call that makes a transport with params: made in its arguments, or under a name for it alone."""
    above = source.parent(params)
    targets = (
        above.targets if isinstance(above, ast.Assign) else [above.target] if isinstance(above, ast.AnnAssign) else []
    )
    if len(targets) == 1 and isinstance(name := targets[0], ast.Name):
        bound = source.names.bindings(name)
        uses = [one for one in source.named(ast.Name, (name.id,)) if source.names.bindings(one) == bound]
        reads = [one for one in uses if isinstance(one.ctx, ast.Load)]
        return _transport_of(reads[0], source) if len(bound) == len(reads) == 1 else None
    outer = source.parent(above) if isinstance(above, ast.keyword) else above
    return outer if _is_transport(outer, source) else None


def _pairs(source: Source) -> Sequence[ast.Call]:
    """Return the calls of a file that make aggregators, of which one makes them."""
    found = pairs(source)
    if len(found) != 1:
        if made := all_of_one_pipeline(source):
            return made
        many = "several" if found else "no"
        raise Unclear(f"this file makes {many} LLMContextAggregatorPair; its user_params take it, or a VADProcessor")
    check_no_other(found[0], source)
    return found


def _value(some: Sequence[Unknown], at: ast.expr, source: Source) -> Argument | None:
    """Return the one analyzer that is given, as an argument of that name; None where none is."""
    real = [one for one in some if not is_none(one.keyword.value)]
    if not real:
        return None
    if len({source.segment(one.keyword.value) for one in real}) > 1 or len(real) < len(some):
        raise Unclear("the transports of this file are given different ones")
    first = real[0]
    check_means_the_same(first.keyword.value, at, source)
    return arguments_of(first.call, source).of(first.keyword)._replace(gap=", ")


def _with(analyzer: str, item: Argument, wanted: Wanted, source: Source) -> Wanted:
    """Return what is wanted of the user aggregator with what stands for one more analyzer."""
    assert isinstance(item.node, ast.keyword)
    if analyzer == "vad_analyzer":
        return wanted._replace(fields=(*wanted.fields, item))
    value = item.node.value
    if isinstance(value, ast.Call) and not value.args and not value.keywords:
        named = source.project.resolve(value.func, source)
        if named == _DEFAULT_ANALYZER:
            return wanted  # which is what the aggregator uses by itself
    stop = item._replace(text=f"stop=[TurnAnalyzerUserTurnStopStrategy({item.text})]")
    return wanted._replace(strategies=(*wanted.strategies, stop), imports=(*wanted.imports, _STRATEGY))


def _without(call: ast.Call, found: Sequence[Unknown], source: Source) -> Change:
    """Return the change that takes the analyzers out of one transport's params."""
    arguments = arguments_of(call, source)
    doomed = [one.keyword for one in found]
    return arguments.changed([item for item in arguments.items if item.node not in doomed], source)
