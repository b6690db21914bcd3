"""A tracing decorator whose span ends when run_tts returns.

What it finds:
    A ``traced_tts`` carried in the project (a fork's or a vendored ``service_decorators``), or a decorator of another
    name that is put on the ``run_tts`` of a TTSService, which opens a span around the call. Also, without a fix, a span
    opened within ``run_tts`` by hand, and a ``run_tts`` replaced from outside by one that opens a span.

Why it matters:
    A streaming service returns as soon as its request is sent; the audio comes later. The span then shows the time of
    a websocket send, ``metrics.ttfb`` is that time as well for the first synthesis and the previous one's figure for
    each that follows, and nothing shows how long people waited for the voice.

Example:
    ::

        with tracer.start_as_current_span("tts", context=parent_context) as span:
            async for item in f(self, text, *args, **kwargs):
                yield item

    becomes a decorator that opens the span with the audio context, and ends it when the audio has all arrived, the
    user interrupts, the synthesis fails or the service shuts down.

Fix safety:
    Safe: nothing changes but spans, and those become true. The decorator's name, signature, parent context and lasting
    attributes stay. The span is no longer the current one while ``run_tts`` runs, so that spans opened in it become
    its siblings. Left to a human where TTSService has no audio contexts (before 0.0.105), where the span is given
    something else that depends on the call, and where the module has no ``is_tracing_available``.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from checks.pipecat.hierarchy import method
from checks.pipecat.openings import Opening, opening, span_call
from checks.pipecat.releases import Release
from checks.pipecat.tracing import METHOD, TTS_SERVICE, is_tts_service
from checks.rule import Finding, Fix, Rule
from checks.source import Source, Span

HOOKS = (
    "create_audio_context",
    "append_to_audio_context",
    "remove_audio_context",
    "on_audio_context_completed",
    "reset_active_audio_context",
)
AUDIO_CONTEXTS_SINCE = Release(0, 0, 105)
# Names the new decorator brings along.
BROUGHT = ("_TracedSynthesis", "_SynthesisSpans", "_OpenSpan", "_untraced", "_is_tracing", "_open_tts_span")

# What it uses, by module; a name of None is the module itself.
IMPORTS = (
    ("asyncio", None),
    ("contextlib", None),
    ("functools", None),
    ("inspect", None),
    ("logging", None),
    ("time", None),
    ("collections.abc", "Callable"),
    ("typing", "Any"),
    ("pipecat.frames.frames", "ErrorFrame"),
    ("pipecat.frames.frames", "TTSAudioRawFrame"),
    ("pipecat.frames.frames", "TTSStoppedFrame"),
    ("pipecat.metrics.metrics", "TTFBMetricsData"),
)

RULE = Rule(
    __name__,
    needles=("start_as_current_span", "start_span"),
    fix=Fix.SAFE,
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The function to replace, its head up to the colon, the lines that open its span, and what to import."""

    function: Span
    head: str
    opening: Opening
    imports: tuple[tuple[str, str | None], ...]


@RULE.on(ast.FunctionDef)
def decorator(node: ast.FunctionDef, source: Source) -> Iterator[Finding]:
    """Decide on a decorator that opens a span."""
    if not isinstance(source.parent(node), ast.Module) or span_call(node) is None:
        return
    if _knows_audio_contexts(node) or not _is_on_run_tts(node, source):
        return
    message = f"the span of @{node.name} ends when run_tts returns, before the audio of a streaming service"
    start = source.start(node) + len("def ")
    at = source.span_between(start, start + len(node.name))
    facts = _facts(node, source)
    if isinstance(facts, str):
        yield RULE.finding(source, at, f"{message}; no fix: {facts}")
    else:
        yield RULE.finding(source, at, message, facts=facts)


@RULE.on(ast.AsyncFunctionDef)
def opened_by_hand(node: ast.AsyncFunctionDef, source: Source) -> Iterator[Finding]:
    """Decide on a span opened within ``run_tts`` itself."""
    owner = source.parent(node)
    call = span_call(node) if node.name == METHOD and isinstance(owner, ast.ClassDef) else None
    if call is None or not isinstance(owner, ast.ClassDef) or _knows_audio_contexts(owner):
        return
    if is_tts_service(owner, source):
        message = "the span opened here ends when run_tts returns, before the audio of a streaming service"
        yield RULE.finding(source, call, f"{message}; put @traced_tts on run_tts instead")


@RULE.on(ast.Assign)
def patched_from_outside(node: ast.Assign, source: Source) -> Iterator[Finding]:
    """Decide on ``Service.run_tts = traced(Service.run_tts)``."""
    target = node.targets[0]
    if not isinstance(target, ast.Attribute) or target.attr != METHOD or not isinstance(node.value, ast.Call):
        return
    wrapper = source.project.resolve(node.value.func, source)
    if isinstance(wrapper, tuple) and span_call(wrapper[1]) is not None:
        message = f"{source.segment(target)} is replaced by a call that opens a span for the time of run_tts only"
        yield RULE.finding(source, node, f"{message}; put @traced_tts on run_tts in its class instead")


def _knows_audio_contexts(node: ast.AST) -> bool:
    return any(
        (isinstance(part, ast.Attribute) and part.attr in HOOKS)
        or (isinstance(part, ast.Constant) and part.value in HOOKS)
        for part in ast.walk(node)
    )


def _is_on_run_tts(node: ast.FunctionDef, source: Source) -> bool:
    """Tell whether a function is Pipecat's own traced_tts, or decorates a run_tts somewhere in the project."""
    if node.name == "traced_tts" and source.module.endswith("pipecat.utils.tracing.service_decorators"):
        return True
    for user in source.project.mentioning(node.name):
        for function in user.nodes(ast.AsyncFunctionDef):
            owner = user.parent(function)
            if function.name != METHOD or not isinstance(owner, ast.ClassDef) or not is_tts_service(owner, user):
                continue
            for one in function.decorator_list:
                found = user.project.resolve(one.func if isinstance(one, ast.Call) else one, user)
                if isinstance(found, tuple) and found[1] is node:
                    return True
    return False


def _facts(node: ast.FunctionDef, source: Source) -> Facts | str:
    if not _has_audio_contexts(source):
        return "TTSService has no audio contexts here yet"
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    if names != ["func", "name"] or arguments.vararg or arguments.kwarg or node.decorator_list:
        return "its signature is another one than (func=None, *, name=None)"
    table = source.names.table(source.tree)
    taken = [name for name in BROUGHT if name in table]
    if taken:
        return f"{taken[0]} means something else in this file"
    if "is_tracing_available" not in table or "_tracing_enabled" not in source.segment(node):
        return "the module has no is_tracing_available, or does not ask _tracing_enabled"
    missing = [(module, name) for module, name in IMPORTS if (name or module) not in table]
    for module, name in IMPORTS:
        # typing passes on what collections.abc defines.
        meant = {f"{module}.{name}", f"typing.{name}"} if name else {module}
        if any(binding.qualified not in meant for binding in table.get(name or module, ())):
            return f"{name or module} means something else in this file"
    found = opening(node, source)
    if isinstance(found, str):
        return found
    head = source.text[source.start(node) : source.start(node.body[0])].rstrip()
    return Facts(source.span(node), head, found, tuple(missing))


def _has_audio_contexts(source: Source) -> bool:
    """Tell whether TTSService, the tree's own or the target release's, has the methods the tracer hooks into."""
    found = source.project.definition(TTS_SERVICE, source.path)
    if isinstance(found, tuple) and isinstance(found[1], ast.ClassDef):
        service = found[1]
        return all(method(service, hook) for hook in HOOKS)
    return source.project.target >= AUDIO_CONTEXTS_SINCE
