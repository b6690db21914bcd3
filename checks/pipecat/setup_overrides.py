"""``setup`` methods that take the task manager where they are given a ``FrameProcessorSetup``, which holds it.

Facts: user turn and mute strategies, their controller, the VAD controller and the summarizer of contexts were set up
with the task manager up to 1.7.0, and are with the processor's setup from 1.8.0 on; the name of the parameter tells.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from checks.arguments import Change, Rewrite
from checks.importable import check_imports
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library, lineage
from checks.pipecat.releases import RELEASES, Release
from checks.receivers import is_super_call
from checks.source import Source
from checks.unclear import Unclear

_SETUP = "pipecat.processors.frame_processor.FrameProcessorSetup"
_OLD, _NEW = ("task_manager",), ("setup",)


@dataclass(frozen=True, slots=True)
class OldSetup:
    """A ``setup``, the parameter it takes the manager by, what it does with it, and since when it is given another."""

    method: ast.AsyncFunctionDef
    parameter: ast.arg
    uses: tuple[ast.Name, ...]
    owner: str
    since: Release


def old_setup(node: ast.ClassDef, source: Source) -> OldSetup | None:
    """Return a class's ``setup`` if it uses as a task manager what is none in the target release."""
    method = next((one for one in node.body if isinstance(one, ast.AsyncFunctionDef) and one.name == "setup"), None)
    if method is None or method.decorator_list:
        return None
    taken = method.args
    if len(taken.args) != 2 or taken.posonlyargs or taken.defaults or taken.vararg or taken.kwonlyargs or taken.kwarg:
        return None
    above, parameter = lineage(node, source), taken.args[1]
    if not above.is_whole or not all(is_of_library(owner, source) for owner in above.outside):
        return None
    if not _is_manager(parameter, source):
        return None
    for owner in above.outside:
        since = _given_setup_since(owner, source.project.target)
        if since is not None:
            uses = [name for name in source.nodes(ast.Name) if _stands_for(name, parameter, source)]
            if any(not _is_handed_on(name, source) for name in uses):
                return OldSetup(method, parameter, tuple(uses), owner, since)
    return None


def with_setup(found: OldSetup, node: ast.ClassDef, source: Source) -> Rewrite:
    """Return the changes after which a ``setup`` takes the processor's setup, and the task manager from it.

    Raises:
        Unclear: somebody else calls it, or the project admits a release that gives it the manager.
    """
    oldest = source.project.oldest
    if _given_setup_since(found.owner, oldest) is None:
        raise Unclear(f"{oldest}, which the project admits, gives it the task manager")
    if len(lineage(node, source).own) != 1:
        raise Unclear("it derives from a class of the project's own")
    if any(isinstance(part, ast.Name) and part.id == "setup" for part in ast.walk(found.method)):
        raise Unclear("it uses setup for something else")
    if any(not isinstance(use.ctx, ast.Load) for use in found.uses):
        raise Unclear("it gives the parameter another value")
    for user in source.project.mentioning(node.name):
        for attribute in user.nodes(ast.Attribute):
            call = user.parent(attribute)
            if attribute.attr == "setup" and not (call is not None and is_super_call(call, "setup")):
                raise Unclear(f"{user.path.name} calls a setup too")
    parameter = found.parameter
    text = "setup: FrameProcessorSetup" if parameter.annotation is not None else "setup"
    changes = [Change(source.span(parameter), text)]
    for use in found.uses:
        new = "setup" if _is_handed_on(use, source) else "setup.task_manager"
        changes.append(Change(source.span(use), new))
    imports = (_SETUP,) if parameter.annotation is not None else ()
    return check_imports(Rewrite(tuple(changes), imports=imports), source)


def _is_manager(parameter: ast.arg, source: Source) -> bool:
    """Tell whether a parameter is meant to be the task manager, by its annotation or else by its name."""
    if parameter.annotation is None:
        return parameter.arg == "task_manager"
    said = source.segment(parameter.annotation).strip("\"'")
    return said.rpartition(".")[2] in ("BaseTaskManager", "TaskManager")


def _given_setup_since(owner: str, release: Release) -> Release | None:
    """Return since when a class's ``setup`` is given the setup instead of the manager, None where it is not so."""
    now = timeline.signature(owner, "setup", release)
    if now is None or now.required != _NEW:
        return None
    earlier = (timeline.signature(owner, "setup", one) for one in RELEASES[: RELEASES.index(release)])
    return now.since if any(one is not None and one.required == _OLD for one in earlier) else None


def _stands_for(name: ast.Name, parameter: ast.arg, source: Source) -> bool:
    return name.id == parameter.arg and any(one.node is parameter for one in source.names.bindings(name))


def _is_handed_on(name: ast.Name, source: Source) -> bool:
    """Tell whether a name is all that ``super().setup(…)`` is given."""
    call = source.parent(name)
    return isinstance(call, ast.Call) and is_super_call(call, "setup") and call.args == [name] and not call.keywords
