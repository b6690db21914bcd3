"""Whether what a project does with a class of Pipecat's can be done with the one that took its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from checks.pipecat import timeline
from checks.pipecat.objects import classes_of
from checks.pipecat.remedies import Given, tier_of
from checks.pipecat.renames import NewName, newest_name
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

# What a class is given under a name that means something else to the one that took its place: the model's own path.
_MEANS_ANOTHER = {
    "pipecat.audio.turn.smart_turn.local_smart_turn_v2.LocalSmartTurnAnalyzerV2": "smart_turn_model_path",
}


def as_used(dotted: str, new: NewName, source: Source) -> NewName:
    """Return a new name with how far a file that uses it for the old one behaves the same, and why not further.

    That is the worst of what becomes of the arguments that calls give and the new class does not take, as far as
    keywords.tsv knows, and ``Fix.NONE`` where it does not, or where one means something else to the new class.
    """
    try:
        _check_places(dotted, new, source)
        _check_meaning(dotted, new, source)
        _check_told_apart(dotted, new, source)
        doubts = list(_doubts(dotted, new, source))
    except Unclear as reason:
        return new._replace(fix=Fix.NONE, why=str(reason))
    return new._replace(fix=Fix.UNSAFE, why=doubts[0]) if doubts else new


def _check_places(dotted: str, new: NewName, source: Source) -> None:
    """Raise Unclear where a call gives by place what the new class takes there as something else."""
    target = source.project.target
    before, after = timeline.positional(dotted, target), timeline.positional(new.dotted, target)
    if before == after[: len(before)]:
        return
    for call in source.nodes(ast.Call):
        if source.names.resolve(call.func) == dotted:
            is_starred = any(isinstance(argument, ast.Starred) for argument in call.args)
            if is_starred or before[: len(call.args)] != after[: len(call.args)]:
                raise Unclear(f"{_at(call, source)} gives by place what {new.leaf} takes otherwise")


def _check_meaning(dotted: str, new: NewName, source: Source) -> None:
    """Raise Unclear where a call gives what means something else to the new class."""
    other = _MEANS_ANOTHER.get(dotted)
    for call in source.nodes(ast.Call) if other is not None else ():
        if source.names.resolve(call.func) == dotted:
            given = next((one.value for one in call.keywords if one.arg == other), None)
            if given is not None and not (isinstance(given, ast.Constant) and not given.value):
                raise Unclear(f"{other} at {_at(call, source)} means another model to {new.leaf}")


def _check_told_apart(dotted: str, new: NewName, source: Source) -> None:
    """Raise Unclear where a file asks for a class and, elsewhere, for one that has or gets the same new name."""
    old = [question for question, _, named in _asked(source) if named == dotted]
    for question, node, named in _asked(source) if old else ():
        is_same = new.dotted in (named, newest_name(named, source.project.target))
        if named != dotted and is_same and question not in old:
            raise Unclear(f"{_at(node, source)} asks for {source.segment(node)} by itself")


@lru_cache(maxsize=1)
def _asked(source: Source) -> list[tuple[ast.AST, ast.expr, str]]:
    """Return each name in a question of a file, with that and with what it stands for."""
    nodes: list[ast.expr] = [*source.nodes(ast.Name), *source.nodes(ast.Attribute)]
    found = ((_question(node, source), node) for node in nodes)
    resolved = ((question, node, source.names.resolve(node)) for question, node in found if question is not None)
    return [(question, node, named) for question, node, named in resolved if named is not None]


def _question(node: ast.expr, source: Source) -> ast.AST | None:
    """Return the whole of what asks whether something is of a class, or by what it is found, if anything does."""
    asked, above = node, source.parent(node)
    while isinstance(above, ast.Tuple) or (isinstance(above, ast.BinOp) and isinstance(above.op, ast.BitOr)):
        asked, above = above, source.parent(above)
    match above:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, second]) if second is asked:
            return _any_of(above, source)
        case ast.Compare():
            return _any_of(above, source)
        case ast.MatchClass(cls=matched) if matched is asked:
            whole = source.parent(above)
            return whole if isinstance(whole, ast.MatchOr) else above
        case ast.ExceptHandler(type=caught) if caught is asked:
            return above
        case ast.Dict(keys=keys) if asked in keys:
            return asked
        case _:
            return None


def _any_of(test: ast.expr, source: Source) -> ast.AST:
    whole = source.parent(test)
    return whole if isinstance(whole, ast.BoolOp) and isinstance(whole.op, ast.Or) else test


def _doubts(dotted: str, new: NewName, source: Source) -> Iterator[str]:
    """Yield what may change as arguments are given to the new class in another way.

    Raises:
        Unclear: there may be one that it does not take, and of which it is not known what becomes.
    """
    target = source.project.target
    before, after = timeline.constructor(dotted, target), timeline.constructor(new.dotted, target)
    if before is None or after is None or after.others is None or before.keywords <= after.keywords:
        return
    lost = before.keywords - after.keywords
    for use, user in _uses(dotted, source):
        above = user.parent(use)
        call = user.parent(above) if isinstance(above, ast.keyword) else above
        if isinstance(call, ast.ClassDef) and use in call.bases:
            raise Unclear(f"{_at(use, user)} derives from it, and {new.leaf} takes other arguments")
        if not isinstance(call, ast.Call):
            continue
        if use is call.func:
            yield from _lost(call, lost, new, user)
        elif any(keyword.arg is None or keyword.arg in lost for keyword in call.keywords):
            raise Unclear(f"{_at(use, user)} hands it on with arguments, and {new.leaf} takes others")
    for access in source.nodes(ast.Attribute):
        if access.attr not in after.keywords and timeline.member(new.dotted, access.attr, target) is None:
            if timeline.canonical(dotted, target) in classes_of(access.value, source):
                raise Unclear(f"{_at(access, source)} uses its {access.attr}, which {new.leaf} does not have")


def _uses(dotted: str, source: Source) -> Iterator[tuple[ast.Name | ast.Attribute, Source]]:
    """Yield where a file uses what it imports, and where others use what they take from it or one like it."""
    for user in source.project.mentioning(dotted.rpartition(".")[2]):
        for use in user.nodes(ast.Name, ast.Attribute):
            if (user is source or user.names.resolve(use) != dotted) and user.project.resolve(use, user) == dotted:
                yield use, user


def _lost(call: ast.Call, lost: frozenset[str], new: NewName, source: Source) -> Iterator[str]:
    """Yield what may change with the arguments of a call that the new class does not take."""
    for keyword in call.keywords:
        if keyword.arg is None:
            raise Unclear(f"what the ** at {_at(keyword, source)} holds is not seen, and {new.leaf} takes less")
        if keyword.arg in lost:
            told = f"{new.leaf} takes no {keyword.arg} ({_at(keyword, source)})"
            fix = tier_of(Given(call, keyword, new.dotted), source)
            if fix is Fix.NONE:
                raise Unclear(told)
            if fix is Fix.UNSAFE:
                yield f"{told}, and what becomes of it may change what the program does"


def _at(node: ast.expr | ast.keyword, source: Source) -> str:
    return f"{source.path.name}:{node.lineno}"
