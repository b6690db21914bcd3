"""A TTS service whose synthesis no trace shows.

What it finds:
    A concrete TTSService subclass, resolved through the project's classes, whose ``run_tts`` has no tracing decorator
    and opens no span. Silent on stubs, abstract methods, classes in tests, methods that hand the work to another
    ``run_tts`` (a mixin's ``super().run_tts``, a cache's wrapped service) and services traced by other means.

Why it matters:
    Pipecat's tracing shows a turn as a tree of STT, LLM and TTS spans. Without the decorator the third one is missing:
    time to first byte, text and character count of the voice are nowhere, and the turn looks as if it ended early.

Example:
    ::

        async def run_tts(self, text: str, context_id: str):

    becomes::

        @traced_tts
        async def run_tts(self, text: str, context_id: str):

Fix safety:
    Safe: with tracing off the decorator does nothing but read one attribute, with tracing on it adds spans. Before
    1.2.0 its figures are wrong for streaming services, so that the rule is silent below. Not mended where ``run_tts``
    takes no ``context_id``, which the tracer keys on, or where the class has tracing hooks of another kind around it.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.pipecat.tracing import (
    DECORATORS,
    DESCRIPTOR_SINCE,
    METHOD,
    TRACED_TTS,
    delegates,
    is_replaced,
    is_stub,
    is_test_code,
    is_traced,
    is_tts_service,
    takes_context_id,
)
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span

RULE = Rule(
    __name__,
    needles=("run_tts",),
    fix=Fix.SAFE,
    impact=Impact.DEFECT,
    since="1.2.0",
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


class Facts(NamedTuple):
    """The method to decorate (or the first decorator above it), and what to import for it."""

    before: Span
    module: str
    name: str


@RULE.on(ast.AsyncFunctionDef)
def untraced(node: ast.AsyncFunctionDef, source: Source) -> Iterator[Finding]:
    """Decide on one ``run_tts``."""
    owner = source.parent(node)
    if node.name != METHOD or not isinstance(owner, ast.ClassDef) or source.project.target < DESCRIPTOR_SINCE:
        return
    if reason_for_silence(node, owner, source) is not None:
        return
    message = f"{owner.name}.run_tts is not traced"
    at = source.span_between(source.start(node), source.start(node) + len("async def"))
    if not takes_context_id(node):
        message += "; no fix: it takes no context_id, on which the tracer keys"
        yield RULE.finding(source, at, message)
    elif {binding.qualified for binding in source.names.table(source.tree).get("traced_tts", ())} - {TRACED_TTS}:
        message += "; no fix: traced_tts means something else in this file"
        yield RULE.finding(source, at, message)
    elif node.decorator_list:
        message += "; no fix: the tracer must be the outermost decorator, and others stand here"
        yield RULE.finding(source, at, message)
    else:
        yield RULE.finding(source, at, message, facts=Facts(source.span(node), DECORATORS, "traced_tts"))


def reason_for_silence(node: ast.AsyncFunctionDef, owner: ast.ClassDef, source: Source) -> str | None:
    """Return why a ``run_tts`` is not to be traced, or None."""
    if not is_tts_service(owner, source):
        return "not a TTS service"
    if is_test_code(source):
        return "a test's"
    if is_traced(node) or is_replaced(owner, source):
        return "traced"
    if _is_abstract(node):
        return "abstract"
    if is_stub(node):
        return "a stub"
    return "hands the work on" if delegates(node) else None


def _is_abstract(node: ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(one).endswith("abstractmethod") for one in node.decorator_list)
