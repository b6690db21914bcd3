"""An analyzer of speech or turns given to a transport, which ignores it.

What it finds:
    ``vad_analyzer`` and ``turn_analyzer`` given to ``TransportParams`` or a class derived from it, at targets from
    1.0.0 on.

Why it matters:
    Nothing fails: no import, no test, no warning, no type check. The bot never hears that somebody begins to speak, so
    it cannot be interrupted, and answers late or not at all.

Example:
    ::

        transport = DailyTransport(url, token, "bot", DailyParams(vad_analyzer=SileroVADAnalyzer()))
        aggregators = LLMContextAggregatorPair(context)

    becomes::

        transport = DailyTransport(url, token, "bot", DailyParams())
        aggregators = LLMContextAggregatorPair(
            context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
        )

Fix safety:
    Safe: the bot hears again what it heard before 1.0.0. Mended where one pair of aggregators is made in the same file
    and every transport there is given the same analyzer, or where transport and pair are the only ones of a function; a
    plain ``LocalSmartTurnAnalyzerV3()``, which aggregators use by themselves, just goes. Unsafe in files with a
    realtime service, which tells by itself when somebody speaks: the aggregators tell it too then, as the transport did
    before 1.0.0. Unsafe too in files without aggregators: a ``VADProcessor`` behind the pipeline's input tells of the
    voice, but of no turn, by which a bot is interrupted. Left to a human: aggregators in another file, several that may
    be meant, different analyzers, and a processor that tells by itself when somebody speaks.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.turn_taking import decisions
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("vad_analyzer", "turn_analyzer"),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    since="1.0.0",
    deprecated_in="0.0.99",
    removed_in="1.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Module)
def transports(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on the analyzers of a file, together where they may be for the same aggregators."""
    for decision in decisions(source):
        why = f"; {decision.why}" if decision.why else ""
        said = [(one.keyword, f"{one.owner} {one.story}, and ignores it without a word{why}") for one in decision.found]
        yield from RULE.together(source, said, decision.facts, fix=decision.facts.fix if decision.facts else None)
