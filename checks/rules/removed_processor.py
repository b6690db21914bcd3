"""A processor in the pipeline that is gone, and whose work the aggregators do.

What it finds:
    Imports of ``STTMuteFilter``, ``UserIdleProcessor`` and ``TranscriptProcessor``, and of what goes with them, at
    targets from 1.0.0 on. Silent on imports that may fail and under tests of Pipecat's version.

Why it matters:
    The import fails at start. What takes their place is no other class: the processor leaves the pipeline, and the pair
    of aggregators is told in its params, or by its events, to do the same.

Example:
    ::

        mute = STTMuteFilter(config=STTMuteConfig(strategies={STTMuteStrategy.FUNCTION_CALL}))
        pair = LLMContextAggregatorPair(context)
        pipeline = Pipeline([transport.input(), stt, mute, pair.user(), llm, tts, transport.output(), pair.assistant()])

    becomes::

        pair = LLMContextAggregatorPair(
            context,
            user_params=LLMUserAggregatorParams(user_mute_strategies=[FunctionCallUserMuteStrategy()]),
        )
        pipeline = Pipeline([transport.input(), stt, pair.user(), llm, tts, transport.output(), pair.assistant()])

Fix safety:
    Unsafe: the user is muted at the aggregator, behind the STT service; the idle user is noticed once after the bot has
    stopped speaking, not again and again; a transcript has one message for each turn. Mended where the processor is
    made once, for one pipeline that is written out with the pair of aggregators in it. Left to a human: processors that
    are used for anything else, callbacks and handlers that ask more of them than the aggregators give, and
    ``STTMuteStrategy.CUSTOM``.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat import idle_processor, mute_filter, transcript_processor
from checks.pipecat.advice import advice
from checks.pipecat.contexts import GONE_SINCE
from checks.pipecat.stages import check_imports_go, imports_from
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import Unclear

RULE = Rule(
    __name__,
    needles=("stt_mute_filter", "user_idle_processor", "transcript_processor"),
    fix=Fix.UNSAFE,
    impact=Impact.BREAKS,
    since="1.0.0",
    deprecated_in="0.0.99",
    removed_in="1.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)
_TOPICS = (mute_filter, idle_processor, transcript_processor)


@RULE.on(ast.Module)
def processors(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on all that a file takes from one of the modules together."""
    for topic in _TOPICS:
        found = [alias for _, alias in imports_from(topic.MODULE, source)]
        if not found:
            continue
        facts = None
        try:
            check_imports_go(topic.MODULE, topic.NAMES, source)
            leaving = topic.leaving(source)
            leaving.check_comments(source)
            facts, why = leaving, topic.DIFFERENCE
        except Unclear as reason:
            why = str(reason)
        said = f"is gone since {GONE_SINCE}; {advice(topic.MODULE, source.project.target)}; {why}"
        yield from RULE.together(source, [(alias, f"{topic.MODULE}.{alias.name} {said}") for alias in found], facts)
