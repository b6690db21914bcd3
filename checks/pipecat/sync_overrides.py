"""Methods that override one which Pipecat awaits, and give nothing to await.

Facts are the timeline's signatures, and where the releases' own code awaits the method from the release on that made
it async: ``BaseTextFilter`` and ``BaseTextAggregator`` 0.0.68, ``VADAnalyzer`` 0.0.87, ``ServiceSwitcherStrategy``
0.0.102, ``BaseLLMAdapter`` 1.13.0, each up to 1.14.0.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.arguments import Change, Rewrite
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library, lineage
from checks.pipecat.releases import Release
from checks.receivers import is_super_call
from checks.source import Source
from checks.unclear import Unclear

_AWAITED = {
    "pipecat.adapters.base_llm_adapter.BaseLLMAdapter": ("get_llm_invocation_params",),
    "pipecat.audio.vad.vad_analyzer.VADAnalyzer": ("analyze_audio",),
    "pipecat.pipeline.service_switcher.ServiceSwitcherStrategy": ("handle_frame",),
    "pipecat.utils.text.base_text_aggregator.BaseTextAggregator": ("handle_interruption", "reset"),
    "pipecat.utils.text.base_text_filter.BaseTextFilter": ("filter", "handle_interruption", "reset_interruption"),
}
_MAY_BE_AWAITED = ("Any", "Await", "Corout", "Future", "Task", "object")
_PLAIN = (ast.JoinedStr, ast.BinOp, ast.Compare, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp)


class SyncOverride(NamedTuple):
    """A method that is not async, the class of Pipecat's that has it so, and since when that is."""

    method: ast.FunctionDef
    owner: str
    since: Release


def sync_overrides(node: ast.ClassDef, source: Source) -> Iterator[SyncOverride]:
    """Yield the methods of a class that the target release awaits in vain."""
    names = {name for methods in _AWAITED.values() for name in methods}
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name in names]
    above = lineage(node, source) if methods else None
    if above is None or not above.is_whole or not all(is_of_library(owner, source) for owner in above.outside):
        return
    for method in methods:
        for owner in above.outside:
            since = _awaited_since(owner, method.name, source.project.target)
            if since is not None and not method.decorator_list and _gives_nothing_to_await(method, source):
                yield SyncOverride(method, owner, since)
                break


def made_async(found: SyncOverride, node: ast.ClassDef, source: Source) -> Rewrite:
    """Return the change that makes a method async, and has it await what it overrides.

    Raises:
        Unclear: somebody else calls it, or the project admits a release that does not await it.
    """
    method, oldest = found.method, source.oldest
    if _awaited_since(found.owner, method.name, oldest) is None:
        raise Unclear(f"{oldest}, which the project admits, does not await it")
    for user in source.project.mentioning(method.name):
        for attribute in user.nodes(ast.Attribute):
            if attribute.attr == method.name and not _leads_elsewhere(attribute, method, node, user):
                raise Unclear(f"{user.path.name} uses it too")
    at = source.start(method)
    changes = [Change(source.span_between(at, at), "async ")]
    for call in source.nodes(ast.Call):
        if is_super_call(call, method.name) and source.names.enclosing_function(call) is method:
            if len(lineage(node, source).own) != 1 or not isinstance(source.parent(call), (ast.Expr, ast.Assign)):
                raise Unclear("what it does with super()'s is not seen")
            start = source.start(call)
            changes.append(Change(source.span_between(start, start), "await "))
    return Rewrite(tuple(changes))


def _awaited_since(owner: str, name: str, release: Release) -> Release | None:
    for ancestor in timeline.lineage(owner, release):
        if name in _AWAITED.get(ancestor, ()):
            return timeline.async_since(lambda one: timeline.signature(owner, name, one), release)
    return None


def _leads_elsewhere(attribute: ast.Attribute, method: ast.FunctionDef, node: ast.ClassDef, source: Source) -> bool:
    """Tell whether a use of a method's name is by ``super()``, in the method itself or past the class that has it."""
    call, owner = source.parent(attribute), source.names.enclosing_class(attribute)
    if call is None or owner is None or not is_super_call(call, method.name):
        return False
    if owner is node:
        return source.names.enclosing_function(attribute) is method
    above = lineage(owner, source)
    return bool(above.outside) and all(known is not node for _, known in above.own)


def _gives_nothing_to_await(method: ast.FunctionDef, source: Source) -> bool:
    """Tell whether what a method returns is known to be no coroutine, nor anything else that can be awaited."""
    within = [one for one in ast.walk(method) if isinstance(one, (ast.Yield, ast.YieldFrom))]
    returned = [one.value for one in source.nodes(ast.Return) if source.names.enclosing_function(one) is method]
    if within or any(isinstance(one, ast.Call) and is_super_call(one, method.name) for one in returned):
        return False
    if method.returns is not None:
        said = source.segment(method.returns)
        return not any(word in said for word in _MAY_BE_AWAITED)
    return all(one is None or _is_plain(one, source) for one in returned)


def _is_plain(value: ast.expr, source: Source) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if source.names.resolve(value.func) is None:
            is_own = any(isinstance(part, ast.Name) and part.id in ("self", "cls") for part in ast.walk(receiver))
            return name in ("format", "join", "lower", "lstrip", "replace", "rstrip", "strip", "upper") and not is_own
        case ast.Call():
            return str(source.names.resolve(value.func)).startswith("re.")
        case _:
            return isinstance(value, _PLAIN)
