"""Whether or when the user may interrupt, told to a task, which ignores it.

What it finds:
    ``allow_interruptions`` other than ``True``, and ``interruption_strategies``, given to ``PipelineParams``, at
    targets from 1.0.0 on.

Why it matters:
    Nothing fails: no import, no test, no warning, no type check. The user interrupts a bot that is not to be
    interrupted, or does so with any noise instead of with some words.

Example:
    ::

        aggregators = LLMContextAggregatorPair(context)
        task = PipelineTask(pipeline, params=PipelineParams(allow_interruptions=False))

    becomes::

        aggregators = LLMContextAggregatorPair(
            context,
            user_params=LLMUserAggregatorParams(
                user_turn_strategies=UserTurnStrategies(
                    start=[
                        VADUserTurnStartStrategy(enable_interruptions=False),
                        TranscriptionUserTurnStartStrategy(enable_interruptions=False),
                    ],
                ),
            ),
        )
        task = PipelineTask(pipeline, params=PipelineParams())

Fix safety:
    Unsafe: the user's turns interrupt as they did before 1.0.0, but what else interrupts, such as RTVI's clients, is
    not kept from it; and where words were counted, a turn begins with the first word that is transcribed. Mended where
    one pair of aggregators is made in the same function or file. Left to a human: strategies of the project's own,
    services that tell turns by themselves, programs that interrupt by themselves, and a value that is not known where
    the aggregators are made.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.interruptions import decisions
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("allow_interruptions", "interruption_strategies"),
    fix=Fix.UNSAFE,
    impact=Impact.SILENT,
    since="1.0.0",
    deprecated_in="0.0.99",
    removed_in="1.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)
_SAID = "the aggregators' user_turn_strategies say it now"


@RULE.on(ast.Module)
def tasks(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on what the tasks of a file are told."""
    for decision in decisions(source):
        one = decision.found
        message = f"{one.owner} {one.story}, and ignores it without a word; {_SAID}; {decision.why}"
        yield RULE.finding(source, one.keyword, message, facts=decision.facts)
