"""A method, property or event of Pipecat's that is to be removed.

What it finds:
    A method or property that upstream has deprecated by the target release: used on an object whose class is plain, on
    the class itself, or on ``self`` in a class derived from it, and overridden in such a class. An event of such an
    object that a handler is registered for.

Why it matters:
    It still works, and will not in the release that is announced. An override is never called from then on, nor is the
    handler of an event.

Example:
    ::

        async def search(params: FunctionCallParams):
            await params.tool_resources.find()

    becomes::

        async def search(params: FunctionCallParams):
            await params.app_resources.find()

Fix safety:
    Safe where the old member only hands on to another one, or does nothing any more. Unsafe: a service is sent a frame
    with its new settings, which take effect once those sent before have been dealt with; tools of an MCP server bring
    their handlers along; ``register_direct_function`` goes where the file lists the function among a context's tools,
    which registers it, and forgets it once they no longer do. Left to a human otherwise.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.arguments import Rewrite
from checks.guards import tests_version
from checks.pipecat.calls import method_called
from checks.pipecat.coroutines import unawaited
from checks.pipecat.deprecations import Deprecation, of_member, records
from checks.pipecat.direct_functions import REGISTER, Needless, needless
from checks.pipecat.hierarchy import lineage
from checks.pipecat.members import is_given, renamed
from checks.pipecat.objects import Object, owner_of
from checks.receivers import goes_past_override
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

_KINDS = ("method", "property")
_MEMBERS = frozenset(one.name.rpartition(".")[2] for one in records() if one.kind in _KINDS)
_EVENTS = frozenset(one.name.rpartition(".")[2] for one in records() if one.kind == "event")

RULE = Rule(
    __name__,
    needles=(
        "aggregated_by",
        "chronological_events",
        "create_vad_analyzer",
        "get_tools_schema",
        "handle_function_call",
        "load",
        "on_bot_turn_audio_data",
        "on_startup_warmup",
        "on_user_turn_audio_data",
        "pipeline_task",
        "push_interruption_task_frame_and_wait",
        "register_direct_function",
        "register_tools",
        "register_tools_schema",
        "reset",
        "send_with_retry",
        "set_language",
        "set_languages",
        "set_model",
        "set_prompt",
        "set_voice",
        "setup",
        "start_audio_in_streaming",
        "start_ui_job_group",
        "task",
        "tool_resources",
        "transcript",
        "ui_job_group",
        "unregister_direct_function",
        "update_options",
        "update_params",
        "update_setting",
    ),
    fix=Fix.SAFE,
    impact=Impact.DEPRECATED,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Attribute, named=_MEMBERS)
def used(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``object.member``."""
    if not isinstance(node.ctx, ast.Load):
        return
    found = owner_of(node, source)
    if found is None or found.lineage.method(node.attr) is not None or tests_version(node, source):
        return
    call = source.parent(node)
    if isinstance(call, ast.Call) and call.func is node and unawaited(call, source) is not None:
        return  # which became-async tells of
    if goes_past_override(call, node.attr, source):
        return  # the override is told of
    for owner in found.lineage.outside:
        one = _found(owner, node.attr, source)
        if one is not None and not is_given(found, owner, node.attr, source):
            facts, why = if_clear(_mended, node, owner, found, source)
            fix = facts.fix if facts is not None else None
            message = f"{_short(one)} {one.story}"
            yield RULE.finding(source, node, message, facts=facts, why=why, fix=fix, removed_in=one.removed_in)
            return


@RULE.on(ast.ClassDef)
def overridden(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the methods of one class."""
    methods = [one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    named = [one for one in methods if one.name in _MEMBERS]
    outside = lineage(node, source).outside if named else ()
    for method in named:
        found = (_found(owner, method.name, source) for owner in outside)
        one = next((record for record in found if record is not None), None)
        if one is not None:
            yield RULE.finding(source, source.name_of(method), f"{_short(one)} {one.story}", removed_in=one.removed_in)


@RULE.on(ast.Attribute, named=("event_handler", "add_event_handler"))
def handled(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``object.event_handler("event")``."""
    call = source.parent(node)
    event = call.args[0] if isinstance(call, ast.Call) and call.func is node and call.args else None
    if not isinstance(event, ast.Constant) or event.value not in _EVENTS or tests_version(node, source):
        return
    found = owner_of(node, source)
    if found is None or found.lineage.method(node.attr) is not None:
        return
    said = (_found(owner, str(event.value), source, ("event",)) for owner in found.lineage.outside)
    one = next((record for record in said if record is not None), None)
    if one is not None:
        yield RULE.finding(source, event, f"the event {_short(one)} {one.story}", removed_in=one.removed_in)


def _mended(node: ast.Attribute, owner: str, found: Object, source: Source) -> Rewrite | Needless:
    if node.attr == REGISTER:
        return needless(node, source)
    return method_called(node, owner, source) or renamed(node, owner, found, source)


def _found(owner: str, member: str, source: Source, kinds: tuple[str, ...] = _KINDS) -> Deprecation | None:
    return of_member(owner, member, kinds, source.project.target) if owner.startswith("pipecat.") else None


def _short(record: Deprecation) -> str:
    return ".".join(record.name.split(".")[-2:])
