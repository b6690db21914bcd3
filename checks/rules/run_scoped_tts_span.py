"""A tracing span that ends when run_tts returns.

What it finds:
    A ``traced_tts`` carried in the project (a fork's or a vendored ``service_decorators``), or a decorator of another
    name that is put on the ``run_tts`` of a TTSService, which opens a span around the call; and a span opened within
    ``run_tts`` by hand. Also, without a fix, a span opened around a call of ``self.run_tts``, and a ``run_tts``
    replaced from outside by one that opens a span.

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
    Safe: nothing changes but spans, and those become true. A decorator's name, signature and docstring stay, and so do
    the condition under which it traces, the parent context, the attributes, and what is told of the text. The span is
    no longer the current one while ``run_tts`` runs, so that spans opened in it become its siblings. There is one span
    for each audio context, whose text grows with each sentence. Left to a human where TTSService has no audio contexts
    (before 0.0.105), where not every statement of a decorator is understood as tracing, where the span is opened on a
    condition or told what only the call knows, and where a decorator is used for more than ``run_tts``.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from checks.loggers import module_logger
from checks.pipecat.hierarchy import method
from checks.pipecat.openings import SPAN_CALLS, TTFB, Opening, is_span_call, span_calls
from checks.pipecat.releases import Release
from checks.pipecat.span_decorators import Form, span_decorator
from checks.pipecat.spans_by_hand import asks_for_current_span, span_by_hand
from checks.pipecat.tracing import (
    DESCRIPTOR_SINCE,
    METHOD,
    TRACED_TTS,
    TTS_SERVICE,
    hands_on,
    is_set_name_tracer,
    is_tts_service,
    makes_set_name_tracer,
    meaning,
    takes_context_id,
)
from checks.relayout import Lines
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span
from checks.unclear import Unclear
from checks.walk import walk

HOOKS = (
    "create_audio_context",
    "append_to_audio_context",
    "remove_audio_context",
    "on_audio_context_completed",
    "reset_active_audio_context",
)
AUDIO_CONTEXTS_SINCE = Release(0, 0, 105)
# Names the tracer brings along, and what it uses, by module; a name of None is the module itself.
TRACER = ("_TracedSynthesis", "_SynthesisSpans", "_OpenSpan", "_is_tracing")
IMPORTS = (
    ("asyncio", None),
    ("contextlib", None),
    ("functools", None),
    ("inspect", None),
    ("time", None),
    ("collections.abc", "Callable"),
    ("typing", "Any"),
    ("pipecat.frames.frames", "ErrorFrame"),
    ("pipecat.frames.frames", "TTSAudioRawFrame"),
    ("pipecat.frames.frames", "TTSStoppedFrame"),
    ("pipecat.metrics.metrics", "TTFBMetricsData"),
)
# Builtins the tracer uses.
_BUILTINS = (
    *("Exception", "bool", "dict", "float", "getattr", "int", "isinstance", "len", "list", "map", "set", "setattr"),
    *("staticmethod", "str", "sum", "type", "vars"),
)
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

RULE = Rule(
    __name__,
    needles=("start_as_current_span", "start_span", "run_tts"),
    fix=Fix.SAFE,
    impact=Impact.DEFECT,
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


class Replaced(NamedTuple):
    """A decorator whose ``body`` is replaced. ``function``: the parameter that takes the method."""

    definition: Span
    body: Span
    name: str
    form: Form
    function: str | None


class TakenOver(NamedTuple):
    """A ``run_tts`` that gets the decorator ``name``, made in front of its class, and loses lines of its own."""

    definition: Span
    decorated: Span
    name: str
    lines: Lines


class Facts(NamedTuple):
    """What becomes of one tracer. ``key`` names its functions.

    ``tracer``: where the tracer's classes are written, None where the module has them; ``imports``: what they need;
    ``logger``: what the module reports trouble to.
    """

    key: str
    change: Replaced | TakenOver
    opening: Opening
    tracer: Span | None
    imports: tuple[tuple[str, str | None], ...]
    logger: str


class _Found(NamedTuple):
    """One tracer that objects are raised to: how it is changed, or why it is not."""

    at: ast.AST | Span
    message: str
    key: str = ""
    change: Replaced | TakenOver | None = None
    opening: Opening | None = None
    reason: str = ""


@RULE.on(ast.Module)
def module(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on every decorator and method of a file; what the mended ones share is written once."""
    opens = any(source.named(ast.Attribute, SPAN_CALLS))
    found = [*_decorators(source), *_methods(source)] if opens else []
    for assignment in source.nodes(ast.Assign):
        found += _patched_from_outside(assignment, source)
    mendable = [one for one in found if one.change is not None]
    place = min((one.change.definition for one in mendable if one.change is not None), default=None)
    for one in found:
        facts = _facts(one, mendable, place, source)
        at = one.at if isinstance(one.at, Span) else source.span(one.at)  # type: ignore[arg-type]
        if isinstance(facts, Facts):
            yield RULE.finding(source, at, one.message, facts=facts)
        else:
            yield RULE.finding(source, at, f"{one.message}; {facts}")


def _facts(one: _Found, mendable: list[_Found], place: Span | None, source: Source) -> Facts | str:
    if one.change is None or one.opening is None:
        return one.reason
    try:
        table = source.names.table(source.tree)
        has_tracer = _has_tracer(source)
        wanted = _wanted(source) if has_tracer else mendable[0].opening and mendable[0].opening.wanted
        if one.opening.wanted != wanted:
            raise Unclear("another tracer of this file is asked for on another condition")
        first = mendable[0].opening
        if one.opening.ttfb != (TTFB if has_tracer or first is None else first.ttfb):
            raise Unclear("another tracer of this file tells the time to the first byte otherwise")
        for name in _BUILTINS:
            if name in table:
                raise Unclear(f"{name} means something else in this file")
        own = [f"_open_{one.key}_span", f"_describe_{one.key}_span"]
        own += [one.change.name] if isinstance(one.change, TakenOver) else []
        for name in [*own, *(() if has_tracer else TRACER)]:
            if name in table:
                raise Unclear(f"{name} means something else in this file")
        imports = () if has_tracer else tuple(_missing(source))
    except Unclear as unclear:
        return f"no fix: {unclear}"
    return Facts(
        one.key, one.change, one.opening, None if has_tracer else place, imports, module_logger(source) or "logging"
    )


def _missing(source: Source) -> Iterator[tuple[str, str | None]]:
    """Yield what the tracer needs and the module does not import yet."""
    table = source.names.table(source.tree)
    for module, name in (*IMPORTS, *([] if module_logger(source) else [("logging", None)])):
        # typing passes on what collections.abc defines.
        meant = {f"{module}.{name}", f"typing.{name}"} if name else {module}
        bindings = table.get(name or module, [])
        if any(binding.qualified not in meant for binding in bindings):
            raise Unclear(f"{name or module} means something else in this file")
        if not any(source.names.runs_first(binding.node) for binding in bindings):
            yield module, name


def _has_tracer(source: Source) -> bool:
    """Tell whether a module has the tracer's classes from an earlier run."""
    bindings = source.names.table(source.tree).get(TRACER[0], [])
    return len(bindings) == 1 and isinstance(bindings[0].node, ast.ClassDef) and _is_tracer(bindings[0].node)


def _is_tracer(node: ast.ClassDef) -> bool:
    made, told = method(node, "__init__"), method(node, "__set_name__")
    return made is not None and told is not None and "open_span" in {one.arg for one in made.args.args}


def _wanted(source: Source) -> str | None:
    """Return the condition under which the tracer that a module has already is asked for."""
    for statement in source.tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "_is_tracing":
            last = statement.body[-1]
            if isinstance(last, ast.Return) and last.value is not None:
                text = source.segment(last.value)
                return None if text == "True" else text
    return None


# -- decorators


def _decorators(source: Source) -> Iterator[_Found]:
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef) or not _opens_span(node, source):
            continue
        if _knows_audio_contexts(node) or makes_set_name_tracer(node, source):
            continue
        uses = list(_uses(node, source))
        own = node.name == "traced_tts" and source.module.endswith("pipecat.utils.tracing.service_decorators")
        if not own and not any(is_on_run_tts for _, is_on_run_tts, _ in uses):
            continue
        start = source.start(node) + len("def ")
        at = source.span_between(start, start + len(node.name))
        message = f"the span of @{node.name} ends when run_tts returns, before the audio of a streaming service"
        try:
            _require_audio_contexts(source)
            for where, _, is_fit in uses:
                if not is_fit:
                    raise Unclear(f"{where} uses it in a way the new one does not work in")
            parts = span_decorator(node, source)
            change = Replaced(source.span(node), parts.body, node.name, parts.form, parts.function)
            yield _Found(at, message, node.name.removeprefix("traced_").lstrip("_"), change, parts.opening)
        except Unclear as unclear:
            yield _Found(at, message, reason=f"no fix: {unclear}")


def _opens_span(node: ast.FunctionDef, source: Source) -> bool:
    """Tell whether a function opens a span, itself or through other functions of its file."""
    seen: list[ast.FunctionDef] = []
    todo = [node]
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.append(one)
        if span_calls(one):
            return not _knows_audio_contexts(one)
        for part in walk(one):
            if isinstance(part, ast.Name):
                todo += [b.node for b in source.names.bindings(part) if isinstance(b.node, ast.FunctionDef)]
    return False


def _knows_audio_contexts(node: ast.AST) -> bool:
    return any(
        (isinstance(part, ast.Attribute) and part.attr in HOOKS)
        or (isinstance(part, ast.Constant) and part.value in HOOKS)
        for part in walk(node)
    )


def _uses(node: ast.FunctionDef, source: Source) -> Iterator[tuple[str, bool, bool]]:
    """Yield each use of a function: where, whether it decorates a ``run_tts``, and whether a descriptor may do so."""
    for user in source.project.mentioning(node.name):
        for statement in user.nodes(ast.ImportFrom):
            for alias in statement.names:
                renamed = alias.name == node.name and alias.asname not in (None, node.name)
                if renamed or (alias.name == "*" and user is not source):
                    yield f"{user.path.name}:{statement.lineno}", False, False
        for constant in user.named(ast.Constant, (node.name,)):
            if not isinstance(user.parent(constant), (ast.List, ast.Tuple)):
                yield f"{user.path.name}:{constant.lineno}", False, False
        for name in (*user.named(ast.Name, (node.name,)), *user.named(ast.Attribute, (node.name,))):
            if not isinstance(name.ctx, ast.Load):
                continue
            found = user.project.resolve(name, user)
            if isinstance(found, tuple) and found[1] is node and node not in user.ancestors(name):
                where = f"{user.path.name}:{user.span(name).line}"
                yield where, *_is_on_run_tts(name, user)


def _is_on_run_tts(name: ast.expr, source: Source) -> tuple[bool, bool]:
    parent = source.parent(name)
    decorator = parent if isinstance(parent, ast.Call) and parent.func is name else name
    function = source.parent(decorator)
    if not isinstance(function, ast.AsyncFunctionDef) or function.name != METHOD:
        return False, False
    owner = source.parent(function)
    if not isinstance(owner, ast.ClassDef) or not is_tts_service(owner, source):
        return False, False
    if decorator not in function.decorator_list:
        return False, False
    others = [one for one in function.decorator_list if one is not decorator]
    fit = all(hands_on(one, source) for one in others) and takes_context_id(function)
    return True, fit and asks_for_current_span(function) is None


# -- methods


def _methods(source: Source) -> Iterator[_Found]:
    for node in source.nodes(ast.AsyncFunctionDef):
        owner = source.parent(node)
        if isinstance(owner, ast.ClassDef) and span_calls(node) and not _knows_audio_contexts(owner):
            if is_tts_service(owner, source):
                yield from _method(node, owner, source)


def _method(node: ast.AsyncFunctionDef, owner: ast.ClassDef, source: Source) -> Iterator[_Found]:
    if node.name != METHOD:
        yield from _around_call(node, source)
        return
    if any(_traces_synthesis(one, source) for one in node.decorator_list):
        return  # what is opened within is a span of its own, for the request
    message = "the span opened here ends when run_tts returns, before the audio of a streaming service"
    call = span_calls(node)[0]
    if not _is_of_opentelemetry(call, source) or not _holds_synthesis(call, node, source):
        return
    try:
        _require_audio_contexts(source)
        if not takes_context_id(node):
            raise Unclear("run_tts takes no context_id, on which the tracer keys")
        if not isinstance(source.parent(owner), ast.Module) or not source.begins_line(owner):
            raise Unclear("its class is made within other code")
        if not all(hands_on(one, source) for one in node.decorator_list):
            raise Unclear("another decorator stands on it")
        taken = span_by_hand(node, source)
    except Unclear as unclear:
        yield _Found(call, message, reason=f"put @traced_tts on run_tts instead; no fix: {unclear}")
        return
    key = _NEW_WORD.sub("_", owner.name).lower().strip("_")
    change = TakenOver(_top(owner, source), _top(node, source), f"_traced_{key}", taken.lines)
    yield _Found(call, message, key, change, taken.opening)


def _is_of_opentelemetry(call: ast.Call, source: Source) -> bool:
    """Tell whether a span may be OpenTelemetry's: others have ``start_span`` too."""
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr == "start_as_current_span" or "opentelemetry" in source.text


def _holds_synthesis(call: ast.Call, node: ast.AsyncFunctionDef, source: Source) -> bool:
    """Tell whether a span that is opened by ``with`` is open for all that a method yields."""
    holder = next((one for one in source.ancestors(call) if isinstance(one, (ast.With, ast.AsyncWith))), None)
    if holder is None or source.names.enclosing_function(holder) is not node:
        return True
    yields = [one for one in walk(node) if isinstance(one, ast.Yield)]
    return any(holder in source.ancestors(one) for one in yields) or not yields


def _top(node: ast.ClassDef | ast.AsyncFunctionDef, source: Source) -> Span:
    """Return where a definition begins, its decorators included."""
    if not node.decorator_list:
        return source.span(node)
    start = source.text.rindex("@", 0, source.start(node.decorator_list[0]))
    return source.span_between(start, source.end(node))


def _traces_synthesis(decorator: ast.expr, source: Source) -> bool:
    if meaning(decorator, source) == TRACED_TTS and source.project.target >= DESCRIPTOR_SINCE:
        return isinstance(source.project.definition(TRACED_TTS, source.path), str)
    return is_set_name_tracer(decorator, source)


def _around_call(node: ast.AsyncFunctionDef, source: Source) -> Iterator[_Found]:
    """Decide on ``with tracer.start_as_current_span(…):`` around ``self.run_tts(…)``."""
    for statement in walk(node):
        if isinstance(statement, ast.With) and any(is_span_call(item.context_expr) for item in statement.items):
            calls = [part for part in walk(statement) if isinstance(part, ast.Attribute) and part.attr == METHOD]
            if calls:
                message = "the span around run_tts ends when it returns, before the audio of a streaming service"
                yield _Found(statement.items[0].context_expr, message, reason="put @traced_tts on run_tts instead")


def _patched_from_outside(node: ast.Assign, source: Source) -> Iterator[_Found]:
    """Decide on ``Service.run_tts = traced(Service.run_tts)``."""
    target = node.targets[0]
    if not isinstance(target, ast.Attribute) or target.attr != METHOD or not isinstance(node.value, ast.Call):
        return
    wrapper = source.project.resolve(node.value.func, source)
    if isinstance(wrapper, tuple) and span_calls(wrapper[1]):
        message = f"{source.segment(target)} is replaced by a call that opens a span for the time of run_tts only"
        yield _Found(node, message, reason="put @traced_tts on run_tts in its class instead")


def _require_audio_contexts(source: Source) -> None:
    """Make sure that TTSService, the tree's own or the target release's, has the methods the tracer hooks into."""
    found = source.project.definition(TTS_SERVICE, source.path)
    if isinstance(found, tuple) and isinstance(found[1], ast.ClassDef):
        known = all(method(found[1], hook) for hook in HOOKS)
    else:
        known = source.oldest >= AUDIO_CONTEXTS_SINCE
    if not known:
        raise Unclear("TTSService has no audio contexts here yet")
