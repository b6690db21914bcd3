"""Arguments given to methods of Pipecat's that those of the target release do not take."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import catches, tests_version
from checks.pipecat import timeline
from checks.pipecat.advice import advice_on_keyword
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.members import heirs, is_defined_below, is_own
from checks.pipecat.objects import Object, object_of
from checks.pipecat.releases import RELEASES, Release
from checks.pipecat.timeline import Signature
from checks.source import Source


def refused(source: Source) -> Iterator[tuple[ast.expr | ast.keyword, str]]:
    """Yield each argument of a file's calls that a method took in an earlier release, and what to say of it.

    Only where it is certain which method is called: all ancestors of the object are known, and no class of the
    project's or of Pipecat's that it may be of has another method of that name.
    """
    for method in source.named(ast.Attribute, timeline.narrowed()):
        call = source.parent(method)
        if not isinstance(call, ast.Call) or call.func is not method or not (call.keywords or len(call.args) > 1):
            continue
        owner = _owner(object_of(method.value, source), method.attr, source)
        now = timeline.signature(owner, method.attr, source.project.target) if owner is not None else None
        if owner is None or now is None or tests_version(call, source) or catches(call, source, "TypeError"):
            continue
        for argument, name in _surplus(call, now, owner, method.attr):
            known = [one for one in RELEASES if one < source.project.target and _takes(owner, method.attr, name, one)]
            if known:
                since = RELEASES[RELEASES.index(known[-1]) + 1]
                what = f"{owner.rpartition('.')[2]}.{method.attr} takes no {name} since {since}: TypeError"
                advised = advice_on_keyword(owner, f"{method.attr}.{name}", source.project.target)
                yield argument, f"{what}; {advised}" if advised else what


def _owner(found: Object | None, name: str, source: Source) -> str | None:
    """Return the class of Pipecat's of which an object's method is; None where it may be another's."""
    target = source.project.target
    if found is None or not found.lineage.is_whole or len(found.lineage.outside) != 1:
        return None
    owner = found.lineage.outside[0]
    if not is_of_library(owner, source) or is_own(found.lineage, name):
        return None
    if not timeline.answers_for_itself(owner, target):
        return None
    if found.lineage.own and not found.is_exact:
        home, first = found.lineage.own[0]
        return None if any(is_own(line, name) for line in heirs(first, home)) else owner
    if not found.is_exact:
        above = timeline.canonical(owner, target)
        below = [one for one in timeline.definers(name, target) if above in timeline.lineage(one, target)[1:]]
        if below or is_defined_below(owner, name, source):
            return None
    return owner


def _surplus(call: ast.Call, now: Signature, owner: str, method: str) -> Iterator[tuple[ast.expr | ast.keyword, str]]:
    """Yield the arguments of a call that a signature has no place for, by the names that they once had."""
    if not any(one.startswith("**") for one in now.rest):
        for keyword in call.keywords:
            if keyword.arg is not None and keyword.arg not in (*now.by_place, *now.by_keyword):
                yield keyword, keyword.arg
    if now.rest or any(isinstance(one, ast.Starred) for one in call.args):
        return
    earlier = (timeline.signature(owner, method, one) for one in reversed(RELEASES) if one < now.since)
    known = [one.by_place for one in earlier if one is not None and one.by_place[: len(now.by_place)] == now.by_place]
    for at in range(len(now.by_place), len(call.args)):
        names = next((names for names in known if at < len(names)), None)
        if names is not None:
            yield call.args[at], names[at]


def _takes(owner: str, method: str, name: str, release: Release) -> bool:
    signature = timeline.signature(owner, method, release)
    return signature is not None and name in (*signature.by_place, *signature.by_keyword)
