"""Calls of methods that return a coroutine now, and returned their result before.

Facts are the timeline's signatures: an earlier release had the method without ``async``.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from checks.arguments import Change, Rewrite
from checks.guards import asks_for, tests_version
from checks.names import FUNCTIONS
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library, lineage
from checks.pipecat.kept_settings import stored
from checks.pipecat.members import heirs, is_given
from checks.pipecat.objects import Object, owner_of
from checks.pipecat.releases import Release
from checks.pipecat.renames import predecessors
from checks.receivers import goes_past_override, is_self_attribute, is_super_call
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear, if_clear

_OF_COROUTINES = ("close", "cr_await", "cr_code", "cr_frame", "cr_running", "send", "throw")
# These lead to no method but others of the same name, and helpers of their own, in every release from 0.0.60 to 1.14.0.
_LEAD_NOWHERE = ("reset", "reset_word_timestamps")
# Pipecat calls it for a frame in the queue, and from no other method.
_ENTRY = "process_frame"
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
_OPERATIONS = (ast.BinOp, ast.Compare, ast.FormattedValue, ast.Starred, ast.Subscript, ast.UnaryOp)


class Unawaited(NamedTuple):
    """A call whose coroutine is dropped or taken for the result, the class that is asked, and since when that is so."""

    call: ast.Call
    owner: str
    method: str
    since: Release


def unawaited(call: ast.Call, source: Source) -> Unawaited | None:
    """Return what a call does wrong, None where it does not, or where that is not certain.

    A coroutine that goes anywhere else, into a call or out of the function, may well be awaited there.
    """
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in timeline.once_sync():
        return None
    if not _is_misused(call, source):
        return None
    if goes_past_override(call, call.func.attr, source) and isinstance(source.names.scope(call), ast.FunctionDef):
        return None  # the override is to be async first
    found, name = owner_of(call.func, source), call.func.attr
    owner = _owner(found, name, source) if found is not None else None
    if found is None or owner is None:
        return None
    target = source.project.target
    since = timeline.async_since(lambda release: _signature(owner, name, release), target)
    if since is None or is_given(found, owner, name, source):
        return None
    if not found.is_exact and not _are_async_below(owner, name, target):
        return None
    if tests_version(call, source) or asks_for(name, call, source):
        return None
    return Unawaited(call, owner, name, since)


def _signature(owner: str, name: str, release: Release) -> timeline.Signature | None:
    """Return what a class, or before it had that method one whose place it took, has under a method's name."""
    found = (timeline.signature(one, name, release) for one in (owner, *predecessors(owner)))
    return next((one for one in found if one is not None), None)


def _owner(found: Object, name: str, source: Source) -> str | None:
    """Return the class among an object's bases that has a method, all of them known and Pipecat's."""
    line, target = found.lineage, source.project.target
    if not line.is_whole or not all(is_of_library(one, source) for one in line.outside):
        return None
    return next((one for one in line.outside if timeline.member(one, name, target) is not None), None)


def _are_async_below(owner: str, name: str, target: Release) -> bool:
    """Tell whether the classes of Pipecat's that derive from one have the method async too."""
    above = timeline.canonical(owner, target)
    below = (one for one in timeline.definers(name, target) if above in timeline.lineage(one, target))
    found = (timeline.signature(one, name, target) for one in below)
    return all(one is not None and one.is_async and not one.yields for one in found)


def _is_misused(value: ast.expr, source: Source) -> bool:
    """Tell whether a coroutine is dropped, or used as if it were its result."""
    parent = source.parent(value)
    match parent:
        case ast.Expr():
            return True
        case ast.Attribute():
            return parent.attr not in _OF_COROUTINES
        case ast.For() | ast.comprehension():
            return parent.iter is value
        case ast.If() | ast.While() | ast.IfExp():
            return parent.test is value
        case ast.keyword():
            return parent.arg is None
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            return True
        case ast.Assign(targets=[ast.Name() as name]):
            reads = [one for one in source.named(ast.Name, (name.id,)) if isinstance(one.ctx, ast.Load)]
            bound = source.names.bindings(name)
            own = [one for one in reads if source.names.bindings(one) == bound]
            return len(bound) == 1 and bool(own) and all(_is_misused(one, source) for one in own)
        case _:
            return isinstance(parent, _OPERATIONS)


def awaited(found: Unawaited, source: Source) -> Rewrite:
    """Return the change that awaits a call, or that has a constructor do what it did before.

    Unsafe where it is asked of the object it stands in, whose state changes.

    Raises:
        Unclear: it is not a statement of its own in an async function, what it does may call the method it stands in,
            or some release returns no coroutine.
    """
    oldest = source.oldest
    then = timeline.signature(found.owner, found.method, oldest)
    if then is None or not then.is_async or then.yields:
        raise Unclear(f"in {oldest}, which the project admits, it is not")
    if not isinstance(source.parent(found.call), ast.Expr):
        raise Unclear("await it where its result is used")
    assert isinstance(found.call.func, ast.Attribute)
    if not isinstance(source.names.scope(found.call), ast.AsyncFunctionDef):
        facts, why = if_clear(stored, found.call.func, source)
        if facts is None:
            raise Unclear(why or "the function around it is not async, and cannot await it")
        return facts
    is_own = is_self_attribute(found.call.func, source) or is_super_call(found.call, found.method)
    if is_own and _may_lead_back(found, source):
        # TTSService.set_voice calls the _update_settings that its class may override.
        raise Unclear("once it runs, it may call the method it stands in")
    start = source.start(found.call)
    fix = Fix.UNSAFE if is_own else Fix.SAFE
    return Rewrite((Change(source.span_between(start, start), "await "),), fix)


def _may_lead_back(found: Unawaited, source: Source) -> bool:
    """Tell whether what a method does may call the one that it is called in.

    It does not where it leads nowhere, nor where of all that Pipecat may call only ``process_frame`` leads there.
    """
    if found.method in _LEAD_NOWHERE:
        return False
    owner = source.names.enclosing_class(found.call)
    if owner is None:
        return True
    line, target = lineage(owner, source), source.project.target
    roots = _leading_to(_method_around(found.call, owner, source), owner, source) - {_ENTRY}
    return any(
        name.startswith("__") or any(timeline.member(one, name, target) is not None for one in line.outside)
        for name in roots
    )


def _method_around(call: ast.Call, owner: ast.ClassDef, source: Source) -> str:
    """Return the name of the method of a class that a call stands in."""
    above = (one for one in source.ancestors(call) if isinstance(one, FUNCTIONS) and source.parent(one) is owner)
    return next((one.name for one in above if not isinstance(one, ast.Lambda)), "__init__")


def _leading_to(name: str, owner: ast.ClassDef, source: Source) -> set[str]:
    """Return the names of a class's methods, and its ancestors' and heirs', that lead to one, and its own."""
    classes = {node for each in (lineage(owner, source), *heirs(owner, source)) for _, node in each.own}
    parts = [(one, part) for node in classes for one in node.body for part in ast.walk(one)]
    asked = [(one.name, part.attr) for one, part in parts if isinstance(one, _DEFS) and isinstance(part, ast.Attribute)]
    reached = {name}
    while more := {user for user, used in asked if used in reached} - reached:
        reached |= more
    return reached
