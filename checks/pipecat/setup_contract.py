"""The ``setup`` of strategies, controllers and serializers, which is given another object since 1.8.0.

Facts from the wheels: until 1.7.0 ``FrameSerializer.setup`` was given the ``StartFrame``, and that of turn and mute
strategies and of the controllers around them a task manager. From 1.8.0 on all are given the ``FrameProcessorSetup``
that processors get, which has the ``task_manager`` and, under the same names, most of what a ``StartFrame`` holds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from checks.arguments import Change, Rewrite, check_comments
from checks.guards import tests_version
from checks.names import parameters
from checks.pipecat import timeline
from checks.pipecat.contexts import check_may_import
from checks.pipecat.hierarchy import lineage
from checks.pipecat.objects import classes_of
from checks.pipecat.releases import Release
from checks.receivers import is_super_call
from checks.source import Source
from checks.unclear import Unclear

SINCE = Release(1, 8, 0)
SETUP = "pipecat.processors.frame_processor.FrameProcessorSetup"
_FRAME = "pipecat.frames.frames.StartFrame"
_MANAGER = "pipecat.utils.asyncio.task_manager.BaseTaskManager"
# What the method was given, by the class that calls for it.
_GIVEN = {
    "pipecat.serializers.base_serializer.FrameSerializer": _FRAME,
    "pipecat.audio.vad.vad_controller.VADController": _MANAGER,
    "pipecat.turns.user_idle_controller.UserIdleController": _MANAGER,
    "pipecat.turns.user_mute.base_user_mute_strategy.BaseUserMuteStrategy": _MANAGER,
    "pipecat.turns.user_start.base_user_turn_start_strategy.BaseUserTurnStartStrategy": _MANAGER,
    "pipecat.turns.user_stop.base_user_turn_stop_strategy.BaseUserTurnStopStrategy": _MANAGER,
    "pipecat.turns.user_turn_controller.UserTurnController": _MANAGER,
}
# How a parameter is called that has no annotation.
_CALLED = {_FRAME: ("frame", "start_frame"), _MANAGER: ("task_manager",)}


class Expecting(NamedTuple):
    """A ``setup`` whose parameter expects what an earlier release gave it; ``given`` is the class of that."""

    method: ast.AsyncFunctionDef
    parameter: ast.arg
    given: str
    owner: str


def expecting(node: ast.ClassDef, source: Source) -> Expecting | None:
    """Return the ``setup`` of a class that expects what it is not given at the target; None if it has none."""
    method = next((one for one in node.body if isinstance(one, ast.AsyncFunctionDef) and one.name == "setup"), None)
    if method is None or source.project.target < SINCE or method.decorator_list or tests_version(node, source):
        return None
    owner = next((name for name in _GIVEN if name in lineage(node, source).names), None)
    taken = list(parameters(method.args))
    if owner is None or len(taken) != 2 or method.args.vararg or method.args.kwarg:
        return None
    given, parameter = _GIVEN[owner], taken[1]
    if parameter.annotation is None:
        return Expecting(method, parameter, given, owner) if parameter.arg in _CALLED[given] else None
    annotated = source.names.resolve(parameter.annotation)
    same = annotated is not None and timeline.canonical(annotated, source.project.target) == given
    return Expecting(method, parameter, given, owner) if same else None


def moved(found: Expecting, source: Source) -> Rewrite:
    """Return the changes that have a ``setup`` take what it is given.

    Raises:
        Unclear: it asks for something that is not there, or somebody else calls it.
    """
    oldest = source.oldest
    if oldest < SINCE:
        raise Unclear(f"{oldest}, which the project admits, gives it the old one")
    check_may_import(source)
    _check_callers(found, source)
    method, name = found.method, found.parameter.arg
    if name != "setup" and any(one.id == "setup" for one in _names(method)):
        raise Unclear("setup is another thing in it")
    changes = [_parameter(found, source), *_described(method, name, source)]
    for use in _names(method):
        if use.id == name:
            changes.append(_use(use, found, source))
    for change in changes:
        check_comments(change, source)
    return Rewrite(tuple(changes), imports=(SETUP,) if found.parameter.annotation is not None else ())


def _names(method: ast.AsyncFunctionDef) -> Iterator[ast.Name]:
    return (node for statement in method.body for node in ast.walk(statement) if isinstance(node, ast.Name))


def _check_callers(found: Expecting, source: Source) -> None:
    """Raise Unclear where the project calls such a method by itself, or may."""
    for user in source.project.mentioning("setup"):
        for call in user.nodes(ast.Call):
            called = call.func
            if not isinstance(called, ast.Attribute) or called.attr != "setup" or is_super_call(call, "setup"):
                continue
            known = classes_of(called.value, user)
            if found.owner in known or (not known and len(call.args) + len(call.keywords) == 1):
                raise Unclear(f"{user.path.name}:{call.lineno} calls it, or may")


def _parameter(found: Expecting, source: Source) -> Change:
    parameter = found.parameter
    text = "setup" if parameter.annotation is None else "setup: FrameProcessorSetup"
    return Change(source.span(parameter), text)


def _described(method: ast.AsyncFunctionDef, name: str, source: Source) -> Iterator[Change]:
    """Yield the change that calls the parameter by its new name in the docstring."""
    first = method.body[0]
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return
    start = source.start(first)
    entry = re.compile(rf"(?<![^\r\n])[ \t]*(?::param )?({re.escape(name)})[ \t]*(?:\(\w+\))?:")
    for match in entry.finditer(source.segment(first)):
        yield Change(source.span_between(start + match.start(1), start + match.end(1)), "setup")


def _use(use: ast.Name, found: Expecting, source: Source) -> Change:
    """Return what stands for the old object where it is used."""
    if not isinstance(use.ctx, ast.Load):
        raise Unclear(f"{use.id} is given another value in line {use.lineno}")
    above = source.parent(use)
    call = source.parent(above) if isinstance(above, ast.keyword) else above
    if isinstance(call, ast.Call) and is_super_call(call, "setup"):
        at = above if isinstance(above, ast.keyword) else use
        return Change(source.span(at), "setup")
    if found.given == _MANAGER:
        return Change(source.span(use), "setup.task_manager")
    takes = timeline.constructor(SETUP, source.project.target)
    if not isinstance(above, ast.Attribute) or takes is None or above.attr not in takes.keywords:
        raise Unclear(f"line {use.lineno} asks the frame for what is not known of the setup")
    return Change(source.span(use), "setup")
