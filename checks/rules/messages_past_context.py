"""Messages sent to the LLM past the context, in a frame that is gone.

What it finds:
    ``LLMMessagesFrame``, at targets from 1.0.0 on.

Why it matters:
    The import fails at start. What upstream names first in its place, ``LLMMessagesUpdateFrame``, is something else: it
    replaces the conversation by the messages, and only where it passes an aggregator.

Example:
    ::

        await task.queue_frames([LLMMessagesFrame(messages)])

    becomes::

        await task.queue_frames([LLMContextFrame(LLMContext(messages))])

Fix safety:
    Unsafe: the LLM answers the same messages, without tools, and the conversation's own context stays as it is; but
    what looks for contexts on the way, such as a gate or the messages to RTVI clients, sees this one too. Mended where
    the frame is only made. Left to a human: code that asks for such frames or derives from them, messages in a
    service's own format, files with a realtime service, which takes a context for its conversation, and files whose
    old contexts are left to a human too.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from checks.arguments import Change, Rewrite
from checks.guards import tests_version
from checks.importable import check_imports
from checks.pipecat import timeline
from checks.pipecat.context_moves import uses
from checks.pipecat.contexts import (
    CONTEXT,
    CONTEXT_FRAME,
    GONE_SINCE,
    MESSAGES_FRAME,
    TAKEN_BY_ALL_SINCE,
    check_may_import,
    is_owned,
    is_taken_from,
    message_of_a_service,
    old_name,
)
from checks.pipecat.keywords import called_name
from checks.pipecat.realtime import REALTIME
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import Unclear, if_clear

RULE = Rule(
    __name__,
    needles=("LLMMessagesFrame",),
    fix=Fix.UNSAFE,
    impact=Impact.BREAKS,
    since="1.0.0",
    deprecated_in="0.0.79",
    removed_in="1.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Module)
def frames(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on all such frames of a file together."""
    found = list(_imports(source))
    if not found:
        return
    facts, why = if_clear(_moved, found, source)
    message = f"LLMMessagesFrame is gone since {GONE_SINCE}; an LLMContextFrame of a new LLMContext is answered so"
    why = why or "seen by what looks for contexts on the way"
    yield from RULE.together(source, [(alias, message) for alias in found], facts, why=why)


def _imports(source: Source) -> Iterator[ast.alias]:
    """Yield the frame where it is imported by code that does not look first."""
    for node in source.nodes(ast.ImportFrom):
        if not node.level and not source.names.is_guarded(node) and not tests_version(node, source):
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                if is_owned(dotted, source) and old_name(dotted, source) is None:
                    yield alias


def _moved(found: Sequence[ast.alias], source: Source) -> Rewrite:
    """Return the changes that give the messages a context of their own.

    Raises:
        Unclear: the frame is not only made, or the messages would not fit.
    """
    oldest = source.oldest
    if oldest < TAKEN_BY_ALL_SINCE:
        raise Unclear(f"not every service of {oldest}, which the project admits, takes an LLMContext")
    if uses(source).imported:
        raise Unclear("the contexts of this file come first")
    check_may_import(source)
    if any(is_taken_from(alias.asname or alias.name, source) for alias in found):
        raise Unclear("other files take it from here")
    if any(_is_realtime(call, source) for call in source.nodes(ast.Call)):
        raise Unclear("a realtime service takes a context for its conversation")
    message = message_of_a_service(source)
    if message is not None:
        raise Unclear(f"the message of line {message.lineno} is in one service's own format")
    calls = [call for call in source.nodes(ast.Call) if _stands_for_it(call.func, source)]
    if not calls:
        raise Unclear("no code that is seen here makes one")
    made = {call.func for call in calls}
    other = next((use for use in source.nodes(ast.Name) if _stands_for_it(use, source) and use not in made), None)
    if other is not None:
        raise Unclear(f"line {other.lineno} does more than make one")
    kept = next((call for call in calls if isinstance(source.parent(call), (ast.Assign, ast.AnnAssign))), None)
    if kept is not None:
        raise Unclear(f"what is asked of the frame kept in line {kept.lineno} is not seen")
    changes = [change for call in calls for change in _wrapped(call, source)]
    return check_imports(Rewrite(tuple(changes), Fix.UNSAFE, (CONTEXT, CONTEXT_FRAME)), source)


def _is_realtime(call: ast.Call, source: Source) -> bool:
    name = called_name(call, source)
    return name is not None and not REALTIME.isdisjoint(timeline.lineage(name, source.project.target))


def _stands_for_it(node: ast.expr, source: Source) -> bool:
    if not isinstance(node, ast.Name):
        return False
    dotted = source.names.resolve(node)
    return dotted is not None and timeline.canonical(dotted, source.project.target) == MESSAGES_FRAME


def _wrapped(call: ast.Call, source: Source) -> Iterator[Change]:
    given = [*call.args, *(one.value for one in call.keywords if one.arg == "messages")]
    if len(given) != 1 or isinstance(given[0], ast.Starred) or len(call.args) + len(call.keywords) != 1:
        raise Unclear("not all that it is given is seen")
    end = source.end(call)
    yield Change(source.span(call.func), "LLMContextFrame(LLMContext")
    yield Change(source.span_between(end, end), ")")
