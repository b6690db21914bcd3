"""A realtime service that sends the async-tool envelope as if it were the result.

What it finds:
    An LLM service's method that walks the messages of its context and sends each new one with a ``tool_call_id`` as a
    tool's result, without ``async_tool_messages.parse_message``.

Why it matters:
    A tool registered with ``cancel_on_interruption=False`` runs on while the conversation does. The context then holds
    a message that says it has started, later ones with results, each an envelope of JSON. Sent as they are, the model
    takes the first envelope for the answer, and the real one never arrives.

Example:
    ::

        for message in self._context.get_messages():
            if message.get("role") and message.get("content") != "IN_PROGRESS":

    becomes::

        for message in self._context.get_messages():
            if isinstance(message, LLMSpecificMessage):
                continue
            async_payload = async_tool_messages.parse_message(message)
            if async_payload is not None:
                …
                continue
            if message.get("role") and message.get("content") != "IN_PROGRESS":

    with the final result sent as any other, streamed ones reported and dropped, and the started one passed over.

Fix safety:
    Unsafe: what the model is sent changes, as intended. From 1.13.0 Pipecat's own services send results as they are
    produced, from ``push_frame``; an override that copies the loop is to be deleted, by hand. Services whose delayed
    results are unreliable (Inworld's, and those named in ``best-effort-services`` of ``[tool.pipecat-codemods]``) also
    get a warning, once for each connection.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.hierarchy import Lineage, method, pipecat_name
from checks.pipecat.realtime import (
    ASYNC_TOOL_MESSAGES,
    LLM_SERVICE,
    PUSHED_SINCE,
    REALTIME,
    ROUTED_SINCE,
    llm_lineage,
)
from checks.pipecat.tool_results import Routing, message_loop, routing
from checks.receivers import is_self_attribute
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span
from checks.unclear import Unclear, if_clear
from checks.walk import walk

METHOD = "_process_completed_function_calls"

RULE = Rule(
    __name__,
    needles=("tool_call_id", "_process_completed_function_calls"),
    fix=Fix.UNSAFE,
    impact=Impact.SILENT,
    since="1.2.0",
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


@RULE.on(ast.AsyncFunctionDef)
def walks_messages(node: ast.AsyncFunctionDef, source: Source) -> Iterator[Finding]:
    """Decide on one method."""
    owner = source.parent(node)
    if not isinstance(owner, ast.ClassDef) or source.project.target < ROUTED_SINCE:
        return
    ancestry = llm_lineage(owner, source)
    if ancestry is None:
        return
    loop = message_loop(node)
    by_name = node.name == METHOD and _asks_for_messages(node)
    if (loop is None and not by_name) or _reads_envelopes(node, owner, source):
        return
    if not by_name and not (_marks_done(node) and _is_realtime(ancestry)):
        return
    message = f"{owner.name}.{node.name} sends the async-tool envelope as if it were the tool's result"
    at: ast.stmt | Span = loop if loop is not None else source.span(node)
    at = source.span_between(source.start(at), source.end(at.iter)) if isinstance(at, ast.For) else at
    facts, why = if_clear(_facts, node, owner, loop, ancestry, source)
    yield RULE.finding(source, at, message, facts=facts, why=why and f"no fix: {why}")


def _is_realtime(ancestry: Lineage) -> bool:
    """Tell whether a service may be a realtime one: it derives from one, or from no LLM service but the base class."""
    others = {name for name in ancestry.names if name.endswith("LLMService") and name != LLM_SERVICE}
    own = {pipecat_name(source, node) for source, node in ancestry.own}
    return not (others - REALTIME - own)


def _asks_for_messages(node: ast.AST) -> bool:
    asked = ("get_messages", "get_llm_invocation_params")
    return any(isinstance(part, ast.Attribute) and part.attr in asked for part in walk(node))


def _reads_envelopes(node: ast.AST, owner: ast.ClassDef, source: Source, *, helpers: bool = True) -> bool:
    """Tell whether a method reads async-tool messages, itself or through a method it calls."""
    for part in walk(node):
        if isinstance(part, ast.Constant) and part.value == "async_tool":
            return True
        if isinstance(part, (ast.Name, ast.Attribute)):
            name = source.names.resolve(part) or (part.attr if isinstance(part, ast.Attribute) else part.id)
            if name.rpartition(".")[2] == "parse_message":
                return True
        called = part.func if isinstance(part, ast.Call) else None
        if helpers and isinstance(called, ast.Attribute) and is_self_attribute(called, source):
            helper = method(owner, called.attr)
            if helper is not None and _reads_envelopes(helper, owner, source, helpers=False):
                return True
    return False


def _marks_done(node: ast.AST) -> bool:
    """Tell whether a method adds ids to a set."""
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr == "add"
        and isinstance(part.func.value, ast.Attribute)
        for part in walk(node)
    )


def _facts(
    node: ast.AsyncFunctionDef, owner: ast.ClassDef, loop: ast.For | None, ancestry: Lineage, source: Source
) -> Routing:
    if source.project.target >= PUSHED_SINCE:
        raise Unclear(_from_push_frame(ancestry))
    if source.oldest < ROUTED_SINCE:
        raise Unclear(f"{source.oldest}, which the project admits, has no {ASYNC_TOOL_MESSAGES}")
    vendored = ancestry.vendored("pipecat.services.llm_service.LLMService")
    if vendored is not None and source.project.find_module(ASYNC_TOOL_MESSAGES, source.path) is None:
        raise Unclear(f"this tree has no {ASYNC_TOOL_MESSAGES} yet")
    if loop is None:
        raise Unclear("it walks messages in a form of its own")
    return routing(loop, node, owner, ancestry, source)


def _from_push_frame(ancestry: Lineage) -> str:
    names = sorted(name.rpartition(".")[2] for name in ancestry.names & REALTIME)
    if names:
        return f"from {PUSHED_SINCE} {names[0]} sends results as they are produced; delete this override"
    return f"from {PUSHED_SINCE} results are sent from push_frame as they are produced, as Pipecat's own services do"
