"""Whether and when the user may interrupt, told to a task that ignores it, and the aggregator that is told it now.

Facts from the wheels: ``PipelineParams`` took ``allow_interruptions`` and ``interruption_strategies`` until 0.0.108,
and ignores both since. The strategies that begin a user's turn take ``enable_interruptions`` from 0.0.99 on; by default
they are ``VADUserTurnStartStrategy`` and ``TranscriptionUserTurnStartStrategy``. ``MinWordsUserTurnStartStrategy``
takes the ``min_words`` of the ``MinWordsInterruptionStrategy`` that went. Strategies that are given go over those that
a service which tells turns by itself asks for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.arguments import Argument, Rewrite, arguments_of, check_comments
from checks.pipecat import timeline
from checks.pipecat.aggregators import Wanted, check_exist, check_means_the_same, given, one_for
from checks.pipecat.contexts import check_may_import
from checks.pipecat.keywords import Unknown, called_name, unknown_keywords
from checks.pipecat.realtime import makes_one
from checks.pipecat.releases import Release
from checks.pipecat.remedies import row_for
from checks.pipecat.stages import pairs_for
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

ALLOW, STRATEGIES = "allow_interruptions", "interruption_strategies"
_WHY = {
    ALLOW: "what else interrupts, such as RTVI's clients, goes on doing so",
    STRATEGIES: "a turn begins with the first word that is transcribed then, not with the voice",
}
_PARAMS = ("pipecat.pipeline.task.PipelineParams", "pipecat.pipeline.worker.PipelineParams")
_MIN_WORDS = "pipecat.audio.interruptions.min_words_interruption_strategy.MinWordsInterruptionStrategy"
_STARTS = "pipecat.turns.user_start"
_BY_WORDS = f"{_STARTS}.MinWordsUserTurnStartStrategy"
_DEFAULTS = (f"{_STARTS}.VADUserTurnStartStrategy", f"{_STARTS}.TranscriptionUserTurnStartStrategy")
# What services begin with that, each in some release or mode, tell turns or interrupt by themselves.
_TELL_TURNS = tuple(
    f"pipecat.services.{name}"
    for name in (
        *("assemblyai.stt", "deepgram.flux", "gladia.stt", "gradium.stt", "openai.stt.OpenAIRealtime", "sarvam.stt"),
        *("soniox.stt", "speechmatics.stt", "zoom_ai.stt"),
    )
)
# How the names of what interrupts, once called, end.
_INTERRUPT = (
    "InterruptionFrame",
    "InterruptionTaskFrame",
    "broadcast_interruption",
    "interruption_task_frame_and_wait",
)


class Decision(NamedTuple):
    """What is decided on one keyword: the changes, if any, and what is to be said of it."""

    found: Unknown
    facts: Rewrite | None
    why: str


def is_owned(unknown: Unknown, source: Source) -> bool:
    """Tell whether a keyword tells a task what the aggregators are told now; one that says nothing does not."""
    if unknown.keyword.arg not in (ALLOW, STRATEGIES) or row_for(unknown.built, unknown.keyword, source) is not None:
        return False
    return not {unknown.built, *timeline.lineage(unknown.built, source.project.target)}.isdisjoint(_PARAMS)


def decisions(source: Source) -> Iterator[Decision]:
    """Yield what is decided on each such keyword of a file."""
    found = [one for one in unknown_keywords(source) if is_owned(one, source)]
    for one in found:
        try:
            _check_alone(one, found, source)
            yield Decision(one, *_decided(one, source))
        except Unclear as reason:
            yield Decision(one, None, str(reason))


def _check_alone(one: Unknown, found: list[Unknown], source: Source) -> None:
    """Raise Unclear where a file, or the same function, says several such things."""
    function = source.names.enclosing_function(one.call)
    near = [other for other in found if source.names.enclosing_function(other.call) is function]
    if len(near) > 1:
        raise Unclear("more than one of these is said here")
    if len(found) > 1:
        pair = one_for(one.call, source)
        if source.names.enclosing_function(pair) is not function:
            raise Unclear("more than one of these is said in this file")


def _decided(one: Unknown, source: Source) -> tuple[Rewrite, str]:
    """Return the changes that tell the aggregators, and what is different then.

    Raises:
        Unclear: nothing that aggregators are told says the same, or it cannot be told which ones.
    """
    if any(keyword.arg is None for keyword in one.call.keywords):
        raise Unclear("what the ** in the call holds is not seen")
    check_may_import(source)
    made = pairs_for(one.call, source)
    _check_services(source)
    wanted = [_wanted(one, pair, source) for pair in made]
    check_exist(wanted[0].imports, source)
    told = [given(pair, what, source) for pair, what in zip(made, wanted, strict=True)]
    arguments = arguments_of(one.call, source)
    gone = arguments.changed([item for item in arguments.items if item.node is not one.keyword], source)
    check_comments(gone, source)
    imports = dict.fromkeys(name for _, names in told for name in names)
    return Rewrite((gone, *(change for change, _ in told)), Fix.UNSAFE, tuple(imports)), _WHY[str(one.keyword.arg)]


def _wanted(one: Unknown, pair: ast.Call, source: Source) -> Wanted:
    """Return the strategies that a pair is to be given for what a task was told."""
    told = _without_interruptions if one.keyword.arg == ALLOW else _by_words
    starts, imports = told(one.keyword.value, pair, source)
    return Wanted(strategies=(starts,), imports=imports)


def _check_services(source: Source) -> None:
    """Raise Unclear where something else in a file interrupts, or tells by itself when a turn begins."""
    if makes_one(source):
        raise Unclear("a realtime service tells by itself when the user speaks")
    for call in source.nodes(ast.Call):
        name = called_name(call, source) or ""
        if timeline.canonical(name, source.project.target).startswith(_TELL_TURNS):
            raise Unclear(f"{name.rpartition('.')[2]} tells by itself when the user speaks, or may")
        called = source.segment(call.func).rpartition(".")[2]
        if called.endswith(_INTERRUPT):
            raise Unclear(f"line {call.lineno} interrupts the bot by itself")


def _without_interruptions(value: ast.expr, pair: ast.Call, source: Source) -> tuple[Argument, tuple[str, ...]]:
    """Return the strategies by which a turn begins by default, told whether to interrupt."""
    text = source.segment(value)
    if _by_line(value) or any(isinstance(part, ast.Call) for part in ast.walk(value)):
        raise Unclear("its value is worked out there")
    check_means_the_same(value, pair, source)
    release = next((one for name in _DEFAULTS if (one := _lacks(name, "enable_interruptions", source))), None)
    if release is not None:
        raise Unclear(f"the strategies of {release}, which the project admits, take no enable_interruptions")
    step = source.step(pair.lineno)
    lines = (f"{step}{name.rpartition('.')[2]}(enable_interruptions={text}),\n" for name in _DEFAULTS)
    return Argument(f"start=[\n{''.join(lines)}]"), tuple(sorted(_DEFAULTS))


def _by_line(node: ast.expr) -> bool:
    return node.lineno != node.end_lineno


def _lacks(name: str, keyword: str, source: Source) -> Release | None:
    return timeline.lacking(name, [keyword], source.releases)


def _by_words(value: ast.expr, pair: ast.Call, source: Source) -> tuple[Argument, tuple[str, ...]]:
    """Return the strategy by which a turn begins with a number of words, for the one that interrupted by it."""
    one = value.elts[0] if isinstance(value, ast.List) and len(value.elts) == 1 else None
    built = called_name(one, source) if isinstance(one, ast.Call) else None
    target = source.project.target
    if not isinstance(one, ast.Call) or built is None or timeline.canonical(built, target) != _MIN_WORDS:
        raise Unclear("start strategies in the aggregators' user_turn_strategies take their place")
    if one.args or [keyword.arg for keyword in one.keywords] != ["min_words"] or _by_line(one):
        raise Unclear("not all that the strategy is given is seen")
    words = one.keywords[0].value
    check_means_the_same(words, pair, source)
    return Argument(f"start=[MinWordsUserTurnStartStrategy(min_words={source.segment(words)})]"), (_BY_WORDS,)
