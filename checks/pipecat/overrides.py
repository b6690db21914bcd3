"""Methods that override one of Pipecat's and no longer agree with how it is called.

Facts are the timeline's signatures. A method counts as outdated if an earlier release called it as it is written, and
the target release cannot: it takes too few parameters, or wants more than it is given. Of what may be left out, each
row of passed.tsv is a class, a method, and a keyword that the class itself gives it, from a release on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from checks.arguments import Argument, Change, Rewrite, arguments_of
from checks.names import parameters
from checks.pipecat import hierarchy, tables, timeline
from checks.pipecat.hierarchy import is_of_library, lineage
from checks.pipecat.members import heirs
from checks.pipecat.own_contexts import TOLD, taken_over, uses_contexts
from checks.pipecat.own_settings import has_plain_bases
from checks.pipecat.releases import RELEASES, Release, parse
from checks.pipecat.timeline import Signature
from checks.receivers import is_super_call
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

Function = ast.FunctionDef | ast.AsyncFunctionDef

_OVERRIDE = ("typing.override", "typing_extensions.override")


class Outdated(NamedTuple):
    """A method, the signature that the target release calls it by, and the one it was written for.

    ``passed`` are the keywords that it is given besides what it must be, and does not take.
    """

    method: Function
    owner: str
    now: Signature
    then: Signature
    passed: tuple[str, ...] = ()


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
            target = source.project.target
            passed = _passed(method, owner, target)
            then = None if _fits(method, now) and not passed else _written_for(method, owner, target)
            if then is not None:
                yield Outdated(method, owner, now, then, passed if _fits(method, now) else ())
            break


@cache
def _rows() -> dict[str, list[tuple[str, str, Release]]]:
    found: dict[str, list[tuple[str, str, Release]]] = {}
    for owner, method, keyword, since in tables.rows("passed.tsv"):
        found.setdefault(method, []).append((owner, keyword, parse(since)))
    return found


def _passed(method: Function, owner: str, release: Release) -> tuple[str, ...]:
    """Return the keywords that a release gives a method, though it need not, and that it does not take."""
    rows = _rows().get(method.name, ())
    if not rows or method.args.kwarg is not None:
        return ()
    taken = [argument.arg for argument in (*method.args.args[1:], *method.args.kwonlyargs)]
    above = timeline.lineage(owner, release)
    return tuple(name for row, name, since in rows if since <= release and row in above and name not in taken)


def _is_plain(method: Function, source: Source) -> bool:
    """Tell whether nothing but Pipecat's own decorators stands between a method and its callers, or ``@override``."""
    named = (source.names.resolve(one.func if isinstance(one, ast.Call) else one) for one in method.decorator_list)
    return all(name is not None and (name in _OVERRIDE or name.startswith("pipecat.")) for name in named)


def _written_for(method: Function, owner: str, target: Release) -> Signature | None:
    """Return the signature of the last release before the target that a method agrees with."""
    for release in reversed(RELEASES[: RELEASES.index(target)]):
        then = timeline.signature(owner, method.name, release)
        if then is not None and _fits(method, then) and not _passed(method, owner, release):
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
        Unclear: the parameters differ otherwise, somebody else calls the method, or the class keeps contexts of its own
            in another way than they are known to be taken over.
    """
    if outdated.passed:
        return _with_passed(outdated, source)
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
    owner = source.names.enclosing_class(method)
    contexts = taken_over(method, owner, source) if TOLD in added and owner and uses_contexts(owner) else []
    inside = [call for call in source.nodes(ast.Call) if source.names.enclosing_function(call) is method]
    changes = [_parameters_added(by_place[-1], added, taken, source), *contexts]
    for call in inside:
        if is_super_call(call, method.name):
            _check_super(method, source)
            by_name = bool(call.keywords) or any(isinstance(one, ast.Starred) for one in call.args)
            new = [Argument(f"{name}={name}" if by_name else name) for name in added]
            changes.append(_given(call, new, source))
        elif (missing := _missing(call, added, source)) and not any(one.arg is None for one in call.keywords):
            changes.append(_given(call, [Argument(f"{name}={name}") for name in missing], source))
    return Rewrite(tuple(changes), Fix.UNSAFE if contexts else Fix.SAFE)


def _with_passed(outdated: Outdated, source: Source) -> Rewrite:
    """Return the change that has a method take what it may be given, hand it to ``super()``, and do what it did.

    Raises:
        Unclear: it has other parameters of its own, uses the name for something else, or hands on to one that does not
            take it, or not surely.
    """
    passed, taken = outdated.passed, outdated.method.args
    if len(taken.args) != 1 or taken.posonlyargs or taken.vararg or taken.kwonlyargs:
        raise Unclear("its own parameters are others")
    _check_unused(outdated.method, passed)
    changes = [parameters_behind(taken.args[-1], [f"{name}: str | None = None" for name in passed], source)]
    for asked in source.named(ast.Attribute, (outdated.method.name,)):
        if outdated.method in source.ancestors(asked):
            call = source.parent(asked)
            if not isinstance(call, ast.Call) or not is_super_call(call, asked.attr) or call.args or call.keywords:
                raise Unclear(f"line {asked.lineno} asks for another {asked.attr}")
            if _hands_on(outdated, source):
                changes.append(_given(call, [Argument(f"{name}={name}") for name in passed], source))
    return Rewrite(tuple(changes))


def _hands_on(outdated: Outdated, source: Source) -> bool:
    """Tell whether ``super()`` is to be given what its heir is: where it leads to Pipecat's plain bases, it need not.

    Raises:
        Unclear: what it leads to may not take it.
    """
    owner, name, wanted = source.names.enclosing_class(outdated.method), outdated.method.name, {*outdated.passed}
    lines = [lineage(owner, source), *heirs(owner, source)] if owner is not None else []
    beside = [node for line in lines for home, node in line.own if not _is_below(node, owner, home)]
    others = [one for one in (hierarchy.method(node, name) for node in beside) if one is not None]
    if any(not _takes(one, wanted) for one in others):
        raise Unclear("it hands on to a class that does not take it")
    for release in source.releases:
        signature = timeline.signature(outdated.owner, name, release)
        if signature is None or not wanted <= {*signature.by_place, *signature.by_keyword}:
            if others or not has_plain_bases(lines[0], source.project.target):
                raise Unclear(f"in {release}, which the project admits, it would hand on what is not taken")
            return False
    return True


def _is_below(node: ast.ClassDef, owner: ast.ClassDef | None, source: Source) -> bool:
    return any(one is owner for _, one in lineage(node, source).own)


def _takes(function: Function, names: set[str]) -> bool:
    by_name = [*function.args.args, *function.args.kwonlyargs]
    return function.args.kwarg is not None or names <= {argument.arg for argument in by_name}


def _check_super(method: Function, source: Source) -> None:
    """Raise Unclear where ``super()`` may be another class of the project's, which is not known to take as much."""
    owner = source.names.enclosing_class(method)
    if owner is None or len(lineage(owner, source).own) != 1:
        raise Unclear("it hands on to a class of the project's own")


def _check_unused(method: Function, added: tuple[str, ...]) -> None:
    names = {argument.arg for argument in parameters(method.args)}
    names |= {node.id for node in ast.walk(method) if isinstance(node, ast.Name)}
    if names & set(added):
        raise Unclear(f"it uses {' and '.join(sorted(names & set(added)))} for something else")


def _check_names(method: Function, added: tuple[str, ...], source: Source) -> None:
    _check_unused(method, added)
    for user in source.project.mentioning(method.name):
        for attribute in user.nodes(ast.Attribute):
            if attribute.attr == method.name and not is_super_call(user.parent(attribute) or attribute, method.name):
                raise Unclear(f"{user.path.name} uses it too")


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
