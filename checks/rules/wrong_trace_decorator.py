"""A tracing decorator of another service's on run_tts.

What it finds:
    ``@traced_stt`` or ``@traced_llm`` on the ``run_tts`` of a TTSService, and ``@traced_stt`` on the ``run_stt`` of an
    STT service, where it belongs on ``_handle_transcription``.

Why it matters:
    The decorators expect the arguments of the method they are made for. On ``run_tts``, an async generator,
    ``@traced_stt`` awaits what cannot be awaited as soon as tracing is on, or records transcripts for synthesised
    speech.

Example:
    ::

        @traced_stt
        async def run_tts(self, text: str, context_id: str):

    becomes::

        @traced_tts
        async def run_tts(self, text: str, context_id: str):

Fix safety:
    Safe: a crash or wrong figures under tracing are mended, nothing changes without it. ``@traced_stt`` on ``run_stt``
    is left to a human, since the method that handles transcripts must be found or written.

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
    is_tts_service,
    meaning,
    takes_context_id,
)
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span

WRONG = {f"{DECORATORS}.traced_stt", f"{DECORATORS}.traced_llm"}

RULE = Rule(
    __name__,
    needles=("traced_stt", "traced_llm"),
    fix=Fix.SAFE,
    impact=Impact.DEFECT,
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


class Facts(NamedTuple):
    """The name of the wrong decorator. ``module``: where the right one is imported from, None for an attribute."""

    decorator: Span
    module: str | None
    name: str


@RULE.on(ast.AsyncFunctionDef)
def wrong(node: ast.AsyncFunctionDef, source: Source) -> Iterator[Finding]:
    """Decide on the decorators of one method."""
    owner = source.parent(node)
    if node.name not in (METHOD, "run_stt") or not isinstance(owner, ast.ClassDef):
        return
    for decorator in node.decorator_list:
        found = meaning(decorator, source)
        if found not in WRONG:
            continue
        name = str(found).rpartition(".")[2]
        if node.name == "run_stt":
            if name == "traced_stt":
                message = "@traced_stt belongs on _handle_transcription, which sees the transcripts, not on run_stt"
                yield RULE.finding(source, decorator, message)
        elif is_tts_service(owner, source):
            message = f"@{name} on run_tts: @traced_tts is the decorator for speech"
            reason = _reason_against(node, decorator, source)
            if reason is None:
                yield RULE.finding(source, decorator, message, facts=_facts(decorator, source))
            else:
                yield RULE.finding(source, decorator, f"{message}; no fix: {reason}")


def _reason_against(node: ast.AsyncFunctionDef, decorator: ast.expr, source: Source) -> str | None:
    """Return why the right decorator cannot take the wrong one's place, if so."""
    if any(meaning(other, source) == TRACED_TTS for other in node.decorator_list):
        return "it has that one too; drop this one"
    if source.project.target >= DESCRIPTOR_SINCE and not takes_context_id(node):
        return "run_tts takes no context_id, on which the tracer keys"
    written = decorator.func if isinstance(decorator, ast.Call) else decorator
    module = str(source.names.resolve(written)).rpartition(".")[0]
    path = source.project.find_module(module, source.path)
    home = source.project.readable(path) if path is not None else None
    if home is not None and "traced_tts" not in home.names.table(home.tree):
        return f"{module} has no traced_tts"
    return None


def _facts(decorator: ast.expr, source: Source) -> Facts:
    written = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(written, ast.Attribute):
        end = source.end(written)
        return Facts(source.span_between(end - len(written.attr), end), None, "traced_tts")
    module = str(source.names.resolve(written)).rpartition(".")[0]
    return Facts(source.span(written), module, "traced_tts")
