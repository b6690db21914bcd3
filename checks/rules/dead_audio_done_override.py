"""A handler of audio.done that OpenAIRealtimeLLMService no longer calls.

What it finds:
    In a class derived from ``OpenAIRealtimeLLMService``: an override of ``_handle_evt_audio_done``, a call of
    ``super()._handle_evt_audio_done``, and code or strings that still dispatch to it.

Why it matters:
    From 1.2.0 the service brackets audio by responses and has no such method. An override is never called, and what it
    did no longer happens, without a word; ``super()._handle_evt_audio_done`` raises ``AttributeError``, and so does a
    copied ``_receive_task_handler`` on the first ``audio.done``. The services of xAI and Inworld keep theirs.

Example:
    ::

        class Voice(OpenAIRealtimeLLMService):
            async def _handle_evt_audio_done(self, evt):
                logger.debug("done")
                await super()._handle_evt_audio_done(evt)

    goes. What an override does besides belongs into ``_handle_evt_response_done``.

Fix safety:
    Safe: an override that only logs and calls the method it overrides is never called, and is deleted if nothing else
    names it. All else is left to a human.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.pipecat.hierarchy import lineage, method
from checks.pipecat.realtime import OPENAI_REALTIME
from checks.pipecat.releases import Release
from checks.receivers import is_super_call
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span

NAME = "_handle_evt_audio_done"
GONE_IN = Release(1, 2, 0)
_ELSEWHERE = "move what it does to _handle_evt_response_done"

RULE = Rule(
    __name__,
    needles=("_handle_evt_audio_done",),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    since="1.2.0",
    removed_in="1.2.0",
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


class Facts(NamedTuple):
    """The method to delete."""

    method: Span


@RULE.on(ast.ClassDef)
def service(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on one class."""
    if source.project.target < GONE_IN:
        return
    ancestry = lineage(node, source)
    if OPENAI_REALTIME not in ancestry.names or ancestry.vendored(OPENAI_REALTIME) is not None:
        return
    own = method(node, NAME)
    if any(_builds_names(one) for _, one in ancestry.own) or (own is not None and "hasattr(" in source.segment(own)):
        if own is not None:
            message = f"{node.name}.{NAME} is not called by the service since {GONE_IN}; see whether anything else does"
            yield RULE.finding(source, source.name_of(own), message)
        return
    dispatched = any(list(_dispatches(one, home)) for home, one in ancestry.own)
    if own is not None and not dispatched:
        yield _dead(own, node, source)
    for call in _super_calls(node):
        if own is None or dispatched or not _within(call, own, source):
            message = f"super().{NAME} is gone since {GONE_IN} and raises AttributeError; drop the call"
            yield RULE.finding(source, call, message)
    if ancestry.method(NAME) is None:
        for place in dict.fromkeys(_dispatches(node, source)):
            message = f"{node.name} has no {NAME} since {GONE_IN}: this raises AttributeError on audio.done; drop it"
            yield RULE.finding(source, place, message)


def _dead(own: ast.AsyncFunctionDef | ast.FunctionDef, node: ast.ClassDef, source: Source) -> Finding:
    message = f"{node.name}.{NAME} is never called since {GONE_IN}"
    at = source.name_of(own)
    if not _does_nothing(own):
        return RULE.finding(source, at, f"{message}; {_ELSEWHERE}")
    if _is_named_elsewhere(own, source):
        return RULE.finding(source, at, f"{message}; delete it with what else names it")
    return RULE.finding(source, at, f"{message}; it can go", facts=Facts(source.span(own)))


def _builds_names(node: ast.ClassDef) -> bool:
    """Tell whether a class asks for attributes by names it puts together, which may be any of its methods."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "getattr":
            if len(part.args) > 1 and not isinstance(part.args[1], (ast.Constant, ast.Name, ast.Subscript)):
                return True
            if len(part.args) > 1 and isinstance(part.args[1], ast.Name):
                return True
    return False


def _does_nothing(own: ast.AsyncFunctionDef | ast.FunctionDef) -> bool:
    """Tell whether a method only logs and calls the one it overrides."""
    return isinstance(own, ast.AsyncFunctionDef) and not own.decorator_list and all(_is_idle(one) for one in own.body)


def _is_idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.Await):
        return is_super_call(value.value, NAME)
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).partition(".")[0] in ("logger", "logging", "log", "print")
    return isinstance(value, ast.Constant)


def _is_named_elsewhere(own: ast.AST, source: Source) -> bool:
    """Tell whether anything but the method itself, and others of its name, may call it."""
    for user in source.project.mentioning(NAME):
        for part in user.nodes(ast.Attribute, ast.Constant):
            name = part.attr if isinstance(part, ast.Attribute) else part.value
            function = user.names.enclosing_function(part)
            if name == NAME and getattr(function, "name", None) != NAME and own not in user.ancestors(part):
                return True
    return False


def _super_calls(node: ast.ClassDef) -> Iterator[ast.Call]:
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and is_super_call(part, NAME):
            yield part


def _within(call: ast.Call, own: ast.AST, source: Source) -> bool:
    return own in source.ancestors(call)


def _dispatches(node: ast.ClassDef, source: Source) -> Iterator[ast.expr]:
    """Yield the places that name the method other than through ``super()``: attributes, strings, tables in use."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and part.attr == NAME:
            called = source.parent(part)
            if called is None or not is_super_call(called, NAME):
                yield part
        elif isinstance(part, ast.Constant) and part.value == NAME:
            yield part
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield from _entries(part, source)


def _entries(name: ast.Name, source: Source) -> Iterator[ast.expr]:
    """Yield the strings that name the method in a table of the module."""
    for binding in source.names.bindings(name):
        if isinstance(binding.node, ast.Assign) and isinstance(source.parent(binding.node), ast.Module):
            for part in ast.walk(binding.node.value):
                if isinstance(part, ast.Constant) and part.value == NAME:
                    yield part
