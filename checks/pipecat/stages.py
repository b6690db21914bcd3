"""A pipeline whose elements are written out, and the pair of aggregators among them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from checks.arguments import Change, Rewrite, elements_of
from checks.guards import tests_version
from checks.pipecat import timeline
from checks.pipecat.aggregators import PIPELINE, one_for, pairs
from checks.pipecat.contexts import GONE_SINCE, check_may_import, is_taken_from
from checks.pipecat.halves import check_no_other, half_of
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.keywords import called_name
from checks.source import Source, Span
from checks.unclear import Unclear


class Leaving(NamedTuple):
    """Facts of a processor that leaves a pipeline: the texts that change, and the statements that go.

    ``inserted`` are lines to stand in front of a statement, ``behind`` those to stand behind one.
    """

    rewrite: Rewrite
    removed: tuple[Span, ...] = ()
    inserted: tuple[tuple[Span, tuple[str, ...]], ...] = ()
    behind: tuple[tuple[Span, tuple[str, ...]], ...] = ()

    def check_comments(self, source: Source) -> None:
        """Raise Unclear where a comment stands within a statement that goes."""
        for span in self.removed:
            start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
            if source.has_comment(start, end):
                raise Unclear(f"a comment in line {span.line} or below would have no place")


class Stage(NamedTuple):
    """A list of a pipeline's elements, the calls of which one makes the pair among them, and each half's name there."""

    elements: ast.List
    pairs: tuple[ast.Call, ...]
    user: ast.expr
    assistant: ast.expr | None

    def check_in_front(self, element: ast.expr) -> None:
        """Raise Unclear unless an element stands in front of the user's aggregator."""
        if self.elements.elts.index(element) > self.elements.elts.index(self.user):
            raise Unclear("it does not stand in front of the user's aggregator")

    def without(self, gone: Sequence[ast.expr], source: Source) -> Change:
        """Return the change that takes elements out."""
        written = elements_of(self.elements, source)
        return written.changed([item for item in written.items if item.node not in gone], source)

    def statement(self, source: Source) -> ast.stmt:
        """Return the statement that makes the pipeline, in front of which another one may be put."""
        found = next(above for above in source.ancestors(self.elements) if isinstance(above, ast.stmt))
        simple = isinstance(found, (ast.Assign, ast.AnnAssign, ast.Expr, ast.Return))
        if not simple or not source.begins_line(found):
            raise Unclear("the pipeline is not made by a statement of its own")
        return found


def imports_from(module: str, source: Source) -> Iterator[tuple[ast.ImportFrom, ast.alias]]:
    """Yield what a file imports from a module that went with 1.0.0, where it does not look first."""
    if source.project.target < GONE_SINCE or not is_of_library(module, source):
        return
    for node in source.nodes(ast.ImportFrom):
        if node.module == module and not node.level and node.names[0].name != "*":
            if not source.names.is_guarded(node) and not tests_version(node, source):
                yield from ((node, alias) for alias in node.names)


def check_imports_go(module: str, names: Collection[str], source: Source) -> None:
    """Raise Unclear unless the imports from a module go once some of its names are used no more."""
    check_may_import(source)
    found = list(imports_from(module, source))
    for node, alias in found:
        local = alias.asname or alias.name
        if alias.name not in names:
            raise Unclear(f"{alias.name} is imported too")
        if alias.asname == alias.name or is_taken_from(local, source):
            raise Unclear(f"other files take {local} from here")
        if any("noqa" in text and node.lineno <= at.line <= (node.end_lineno or 0) for at, text in source.comments):
            raise Unclear("the import is marked to stay")
        if any(isinstance(one.value, str) and local in one.value for one in source.nodes(ast.Constant)):
            raise Unclear(f"a string names {local}")
    if len({alias.name for _, alias in found}) < len(found):
        raise Unclear("it is imported more than once")


def uses_of(dotted: str, source: Source) -> list[ast.expr]:
    """Return the names of a file that stand for a dotted name; in strings, whether it is one is not known."""
    nodes: list[ast.expr] = [*source.nodes(ast.Name), *source.nodes(ast.Attribute)]
    return [node for node in nodes if source.names.resolve(node) == dotted]


def the_one(dotted: str, source: Source) -> ast.Call:
    """Return the only call of a file that makes an object of a class.

    Raises:
        Unclear: there is none, or there are several.
    """
    calls = [call for call in source.nodes(ast.Call) if source.names.resolve(call.func) == dotted]
    if len(calls) != 1:
        raise Unclear(f"this file makes {'several' if calls else 'no'} {dotted.rpartition('.')[2]}")
    return calls[0]


def bound_by(call: ast.expr, source: Source) -> tuple[ast.Assign, str] | None:
    """Return the statement that gives a value its only name, and that name; None for a value that has none.

    Raises:
        Unclear: it is kept elsewhere, or the name is given more than one.
    """
    above = source.parent(call)
    if not isinstance(above, ast.Assign):
        return None
    target = above.targets[0]
    if len(above.targets) > 1 or not isinstance(target, ast.Name) or len(source.names.bindings(target)) > 1:
        raise Unclear(f"line {above.lineno} does not keep it under a name of its own")
    return above, target.id


def element_of(call: ast.Call, source: Source) -> tuple[ast.expr, list[Span]]:
    """Return what stands in a pipeline for a value, itself or its name, and the statement that gives it that name.

    Raises:
        Unclear: it is kept elsewhere, or is read more than once.
    """
    bound = bound_by(call, source)
    if bound is None:
        return call, []
    reads = reads_of(bound[0], source)
    if len(reads) != 1:
        raise Unclear(f"{bound[1]} is used for more than the pipeline")
    return reads[0], [source.span(bound[0])]


def reads_of(statement: ast.Assign, source: Source) -> list[ast.Name]:
    """Return where the name is read that a statement gives to a value."""
    target = statement.targets[0]
    assert isinstance(target, ast.Name)
    bound = source.names.bindings(target)
    loads = (node for node in source.nodes(ast.Name) if isinstance(node.ctx, ast.Load) and node.id == target.id)
    return [node for node in loads if source.names.bindings(node) == bound]


def stage_of(element: ast.expr, source: Source) -> Stage:
    """Return the stage that an expression is an element of.

    Raises:
        Unclear: it is no element of a pipeline that is written out, or no pair of aggregators is.
    """
    elements = source.parent(element)
    call = source.parent(elements) if isinstance(elements, ast.List) else None
    built = called_name(call, source) if isinstance(call, ast.Call) else None
    if not isinstance(elements, ast.List) or built is None:
        raise Unclear(f"line {element.lineno} does more with it than put it into a pipeline")
    if timeline.canonical(built, source.project.target) != PIPELINE:
        raise Unclear("it is not an element of the pipeline itself")
    halves = [(one, half) for one in elements.elts if (half := half_of(one, source)) is not None]
    users = [(one, half.pairs) for one, half in halves if half.side == 0]
    others = [(one, half.pairs) for one, half in halves if half.side == 1]
    if len(users) != 1:
        raise Unclear("no LLMContextAggregatorPair that this file makes is in the pipeline")
    user, made = users[0]
    other = next((one for one in _elsewhere(elements, source) if _is_of(one, made, source)), None)
    if other is not None:
        raise Unclear(f"the aggregators are in another pipeline too, see line {other.lineno}")
    assistant = next((one for one, other in others if other == made), None)
    return Stage(elements, made, user, assistant)


def _elsewhere(elements: ast.List, source: Source) -> Iterator[ast.expr]:
    """Yield the elements of all other lists of a file."""
    for written in source.nodes(ast.List):
        if written is not elements:
            yield from written.elts


def _is_of(node: ast.expr, made: Sequence[ast.Call], source: Source) -> bool:
    half = half_of(node, source)
    return half is not None and not set(made).isdisjoint(half.pairs)


def pairs_for(node: ast.AST, source: Source) -> tuple[ast.Call, ...]:
    """Return the calls of which one makes the pair of aggregators for what a node makes.

    It is the only one of its function, or in a file with one pipeline all that the file makes.

    Raises:
        Unclear: there is none, or which one it is is not seen.
    """
    try:
        one = one_for(node, source)
        check_no_other(one, source)
        return (one,)
    except Unclear:
        made = all_of_one_pipeline(source)
        if not made:
            raise
        return made


def all_of_one_pipeline(source: Source) -> tuple[ast.Call, ...]:
    """Return the calls that make pairs in a file, where one of them makes that of its only pipeline."""
    calls = [call for call in source.nodes(ast.Call) if called_name(call, source) == PIPELINE]
    elements = calls[0].args[0] if len(calls) == 1 and calls[0].args else None
    if not isinstance(elements, ast.List) or not elements.elts:
        return ()
    try:
        made = stage_of(elements.elts[0], source).pairs
    except Unclear:
        return ()
    return made if set(made) == set(pairs(source)) else ()
