"""Methods that override one of Pipecat's and no longer agree with how it is called.

Facts are the timeline's signatures. A method counts as outdated if an earlier release called it as it is written, and
the target release cannot: it takes too few parameters, or wants more than it is given.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.arguments import Argument, Change, Rewrite, arguments_of
from checks.names import parameters
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library, lineage
from checks.pipecat.releases import RELEASES, Release
from checks.pipecat.timeline import Signature
from checks.receivers import is_super_call
from checks.source import Source
from checks.unclear import Unclear

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Outdated(NamedTuple):
    """A method, the signature that the target release calls it by, and the one it was written for."""

    method: Function
    owner: str
    now: Signature
    then: Signature


def outdated_methods(node: ast.ClassDef, source: Source) -> Iterator[Outdated]:
    """Yield the methods of a class that the target release calls otherwise than they are written."""
    methods = [one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    public = [one for one in methods if not one.name.startswith("_") and _is_plain(one, source)]
    outside = lineage(node, source).outside if public and node.bases else ()
    owners = [owner for owner in outside if is_of_library(owner, source)]
    if len(owners) != len(outside):
        return  # a class that is not seen may adapt the one to the other
    for method in public:
        for owner in owners:
            now = timeline.signature(owner, method.name, source.project.target)
            if now is None:
                continue
            then = None if _fits(method, now) else _written_for(method, owner, source.project.target)
            if then is not None:
                yield Outdated(method, owner, now, then)
            break


def _is_plain(method: Function, source: Source) -> bool:
    """Tell whether nothing but Pipecat's own decorators stands between a method and its callers."""
    named = (source.names.resolve(one.func if isinstance(one, ast.Call) else one) for one in method.decorator_list)
    return all(name is not None and name.startswith("pipecat.") for name in named)


def _written_for(method: Function, owner: str, target: Release) -> Signature | None:
    """Return the signature of the last release before the target that a method agrees with."""
    for release in reversed(RELEASES[: RELEASES.index(target)]):
        then = timeline.signature(owner, method.name, release)
        if then is not None and _fits(method, then):
            return then
    return None


def _fits(method: Function, signature: Signature) -> bool:
    """Tell whether a method can be called as a signature says."""
    taken = method.args
    by_place = [argument.arg for argument in [*taken.posonlyargs, *taken.args][1:]]
    if not by_place and not taken.posonlyargs and not taken.args:
        return True  # no self: something else makes a method of it
    wanted = by_place[: len(by_place) - len(taken.defaults)]
    too_few = taken.vararg is None and len(by_place) < len(signature.required)
    if too_few and taken.kwarg is not None:
        return True
    names = (*signature.by_place, *signature.by_keyword)
    has_rest = bool(signature.rest)
    too_many = not has_rest and len(wanted) > len(names)
    missing = [
        argument.arg
        for argument, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True)
        if default is None and argument.arg not in names
    ]
    return not (too_few or too_many or (missing and not has_rest))


def extended(outdated: Outdated, source: Source) -> Rewrite:
    """Return the change that has a method take what the target release adds at the end, and hand it on.

    ``super().method(…)`` within it gets it too, and so do Pipecat's objects it makes that have a keyword of the name.

    Raises:
        Unclear: the parameters differ otherwise, or somebody else calls the method.
    """
    method, now, then = outdated.method, outdated.now, outdated.then
    added = now.required[len(then.required) :]
    if now.required[: len(then.required)] != then.required or then.optional or now.optional or not added:
        raise Unclear("")
    oldest = source.oldest
    if timeline.signature(outdated.owner, method.name, oldest) != now:
        raise Unclear(f"{oldest}, which the project admits, calls it without {' and '.join(added)}")
    taken = method.args
    by_place = [*taken.posonlyargs, *taken.args]
    if len(by_place) != 1 + len(then.required) or taken.defaults or taken.vararg or taken.kwonlyargs or taken.kwarg:
        raise Unclear("its own parameters are others")
    _check_names(method, added, source)
    _check_audio_contexts(method, added, source)
    inside = [call for call in source.nodes(ast.Call) if source.names.enclosing_function(call) is method]
    changes = [_parameters_added(by_place[-1], added, taken, source)]
    for call in inside:
        if is_super_call(call, method.name):
            _check_super(method, source)
            by_name = bool(call.keywords) or any(isinstance(one, ast.Starred) for one in call.args)
            new = [Argument(f"{name}={name}" if by_name else name) for name in added]
            changes.append(_given(call, new, source))
        elif (missing := _missing(call, added, source)) and not any(one.arg is None for one in call.keywords):
            changes.append(_given(call, [Argument(f"{name}={name}") for name in missing], source))
    return Rewrite(tuple(changes))


def _check_super(method: Function, source: Source) -> None:
    """Raise Unclear where ``super()`` may be another class of the project's, which is not known to take as much."""
    owner = source.names.enclosing_class(method)
    if owner is None or len(lineage(owner, source).own) != 1:
        raise Unclear("it hands on to a class of the project's own")


def _check_names(method: Function, added: tuple[str, ...], source: Source) -> None:
    names = {argument.arg for argument in parameters(method.args)}
    names |= {node.id for node in ast.walk(method) if isinstance(node, ast.Name)}
    if names & set(added):
        raise Unclear(f"it uses {' and '.join(sorted(names & set(added)))} for something else")
    for user in source.project.mentioning(method.name):
        for attribute in user.nodes(ast.Attribute):
            if attribute.attr == method.name and not is_super_call(user.parent(attribute) or attribute, method.name):
                raise Unclear(f"{user.path.name} uses it too")


def _check_audio_contexts(method: Function, added: tuple[str, ...], source: Source) -> None:
    """Raise Unclear where a class keeps audio contexts of its own, which would not be the ones it is told of."""
    owner = source.names.enclosing_class(method)
    if "context_id" in added and owner is not None:
        called = (node.attr for node in ast.walk(owner) if isinstance(node, ast.Attribute))
        if any("audio_context" in name for name in called):
            raise Unclear("the class keeps audio contexts of its own, which are to be those it is told of")


def _parameters_added(last: ast.arg, added: tuple[str, ...], taken: ast.arguments, source: Source) -> Change:
    annotated = all(argument.annotation is not None for argument in taken.args[1:])
    written = [f"{name}: str" if annotated and name.endswith("_id") else name for name in added]
    return parameters_behind(last, written, source)


def parameters_behind(last: ast.arg, written: list[str], source: Source) -> Change:
    """Return the change that puts parameters behind one, each on a line of its own where it stands on one.

    Raises:
        Unclear: a comment stands behind it.
    """
    at = source.end(last)
    number = source.span(last).end_line
    behind = source.line(number)[source.span(last).end_column - 1 :].strip()
    if "#" in behind:
        raise Unclear("a comment stands behind its last parameter")
    gap = ", "
    if source.begins_line(last) and behind in (",", ""):
        gap = ",\n" + source.text[source.line_start(number) : source.start(last)]
    return Change(source.span_between(at, at), "".join(gap + one for one in written))


def _missing(call: ast.Call, added: tuple[str, ...], source: Source) -> list[str]:
    """Return which of the names are keywords of the class of Pipecat's that a call builds, and not given."""
    built = source.project.resolve(call.func, source)
    if not isinstance(built, str) or not is_of_library(built, source):
        return []
    given = {one.arg for one in call.keywords}
    if any(isinstance(one, ast.Starred) for one in call.args):
        return []
    given |= set(timeline.positional(built, source.project.target)[: len(call.args)])
    return [name for name in added if name not in given and timeline.lacking(built, [name], source.releases) is None]


def _given(call: ast.Call, new: list[Argument], source: Source) -> Change:
    arguments = arguments_of(call, source)
    return arguments.changed([*arguments.items, *new], source)
