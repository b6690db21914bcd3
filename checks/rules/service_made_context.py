"""A context that the LLM service makes its own of, and aggregators that the service makes.

What it finds:
    ``OpenAILLMContext`` and the contexts of single services, their frames, aggregators and params,
    ``llm.create_context_aggregator(context)``, ``get_context_frame()``, and what only those contexts could do, at
    targets from 1.0.0 on.

Why it matters:
    All of it is gone: the import fails at start, and a context handed in from elsewhere in the middle of a call.

Example:
    ::

        context = OpenAILLMContext(messages, tools)
        aggregators = llm.create_context_aggregator(context)
        ...
        await task.queue_frames([aggregators.user().get_context_frame()])

    becomes::

        context = LLMContext(messages, tools)
        aggregators = LLMContextAggregatorPair(context)
        ...
        await task.queue_frames([LLMRunFrame()])

Fix safety:
    Safe: the context holds the same messages and the LLM is asked the same; OpenAI's own list of tools goes into a
    schema as it is. All uses of a file are mended together or not at all; where it has the new class too and names the
    old one only beside it, as in ``Old | New``, the old one is left out. Unsafe for realtime services and where the
    service is not seen, where the messages of a context are read or changed that a service made its own, or are asked
    for to be logged, where params have a field that nothing takes the place of, which goes, and where the project's
    requirement still admits a release before 1.0.0. Unsafe too for Anthropic's, Bedrock's and Google's own contexts,
    which are mended where they are only built, of messages that are written out as any context takes them; what
    ``system=`` said comes first among them, which the service used to lose. Left to a human:
    tools in another service's format or from elsewhere, messages in a service's own format, params that are no more,
    classes derived from the old ones, methods that are gone or may be the project's own, and files that deal with both
    kinds of context.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.context_moves import difference_without, fix_of, moved, uses
from checks.pipecat.contexts import GONE_SINCE
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=(
        "LLMContext",
        "LiveContext",
        "ContextAggregator",
        "ResponseAggregator",
        "AggregatorParams",
        "create_context_aggregator",
        "get_context_frame",
        "get_messages_for_persistent_storage",
        "get_messages_for_logging",
        "get_messages_json",
        "get_messages_for_initializing_history",
    ),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    since="1.0.0",
    deprecated_in="0.0.99",
    removed_in="1.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Module)
def contexts(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on all uses of a file together."""
    found = uses(source)
    for alias, facts in found.needless.items():
        is_used = facts is not None and facts.changes
        use = (
            "what took its place stands beside it, it can go" if is_used else "nothing uses it here, its import can go"
        )
        why = difference_without(facts, source) if facts is not None else ""
        message = f"{alias.name} is gone since {GONE_SINCE}; {use}"
        yield RULE.finding(source, alias, message, facts=facts, why=why, fix=fix_of(why))
    said = sorted(found.said(source), key=lambda one: source.start(one[0]))
    if not said:
        return
    clear, reason = if_clear(moved, found, source)
    facts, why = clear or (None, reason)
    yield from RULE.together(source, said, facts, why=why, fix=fix_of(why))
