"""Keeps imports in order that were: what a mend imports anew, or otherwise, goes where isort and ruff would have it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from checks.source import NEWLINE, Source
from codemods.imports import NAME_ORDERS, order_of
from codemods.splice import Edit, Refused, check

Import: TypeAlias = ast.Import | ast.ImportFrom


def ordered_imports(before: Source, after: Source) -> Iterator[Edit]:
    """Yield the edits to ``after`` that put its new imports in order, if those of ``before`` were.

    Looked at are those of a module itself, paragraph by paragraph. What was there before stays where it is, and so does
    everything where a file tells isort how to go about it.
    """
    if _is_told(after):
        return
    known = [_text(one, before) for block in _blocks(before) for one in block]
    if not all(_is_ordered(block, before) for block in _blocks(before)):
        return
    for block in _blocks(after):
        if not _is_ordered(block, after):
            edits = list(_moved(block, [one for one in block if _text(one, after) not in known], after))
            if not _is_risky(block, edits, after):
                yield from edits


def ordered_names(before: Source, after: Source) -> Iterator[Edit]:
    """Yield the edits to ``after`` that put the names of its new imports in order, if all names of ``before`` were."""
    if _is_told(after):
        return
    standing = list(before.nodes(ast.ImportFrom))
    known = {before.segment(node) for node in standing}
    for key in (one for one in NAME_ORDERS if all(_are_ordered(node, one) for node in standing)):
        for node in after.nodes(ast.ImportFrom):
            if after.segment(node) not in known and not after.has_comment(after.start(node), after.end(node)):
                yield from _put_in_order(node, key, after)
        return


def _is_told(source: Source) -> bool:
    return any("isort:" in text for _, text in source.comments)


def _is_risky(block: Sequence[Import], edits: Sequence[Edit], source: Source) -> bool:
    """Tell whether edits to a block may change what a name means or a comment above it speaks of, or cannot be made."""
    if any(_is_refused(edit, source) for edit in edits):
        return True
    first = source.span(block[0]).line
    is_told_of = first > 1 and source.line(first - 1).lstrip().startswith("#")
    if is_told_of and any(edit.start == source.line_start(first) for edit in edits):
        return True
    bound = [name for one in block for name in _bound(one)]
    return "*" in bound or len(bound) != len(set(bound))


def _bound(statement: Import) -> Iterator[str]:
    """Yield the names that an import binds; not those of packages, which several bring as the same."""
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom) or alias.asname is not None:
            yield alias.asname or alias.name


def _is_refused(edit: Edit, source: Source) -> bool:
    try:
        check(edit, source)
    except Refused:
        return True
    return False


def _put_in_order(node: ast.ImportFrom, key: Callable[[str], tuple[int, str]], source: Source) -> Iterator[Edit]:
    for alias, other in zip(node.names, sorted(node.names, key=lambda one: key(one.name)), strict=True):
        if alias is not other:
            yield Edit(source.start(alias), source.end(alias), source.segment(other))


def _are_ordered(node: ast.ImportFrom, key: Callable[[str], tuple[int, str]]) -> bool:
    return all(key(one.name) <= key(other.name) for one, other in pairwise(node.names))


def _blocks(source: Source) -> Iterator[list[Import]]:
    """Yield the imports of a module that stand line by line, with nothing between them and alone on their lines."""
    block: list[Import] = []
    for statement in source.tree.body:
        one = statement if isinstance(statement, Import) and _has_own_lines(statement, source) else None
        if block and (one is None or source.span(block[-1]).end_line + 1 != source.span(one).line):
            yield block
            block = []
        if one is not None:
            block.append(one)
    if block:
        yield block


def _has_own_lines(statement: Import, source: Source) -> bool:
    span = source.span(statement)
    behind = source.line(span.end_line)[span.end_column - 1 :].strip()
    is_ended = source.line_start(span.end_line + 1) < len(source.text) or source.text.endswith(("\n", "\r"))
    return source.begins_line(statement) and (not behind or behind.startswith("#")) and is_ended


def _is_ordered(block: Sequence[Import], source: Source) -> bool:
    return all(order_of(one, source) <= order_of(other, source) for one, other in pairwise(block))


def _moved(block: Sequence[Import], new: Sequence[Import], source: Source) -> Iterator[Edit]:
    """Yield the edits that move new imports of a block to their places among the others."""
    moving = [one for one in new if _is_misplaced(one, block, source)]
    staying = [one for one in block if one not in moving]
    if not _is_ordered(staying, source):
        moving, staying = list(new), [one for one in block if one not in new]
    if not staying or not _is_ordered(staying, source):
        return
    texts: dict[int, str] = {}
    for one in sorted(moving, key=lambda one: order_of(one, source)):
        following = next((other for other in staying if order_of(other, source) > order_of(one, source)), None)
        line = source.span(following).line if following is not None else source.span(staying[-1]).end_line + 1
        texts[source.line_start(line)] = texts.get(source.line_start(line), "") + _text(one, source)
        yield Edit(*_lines(one, source), "")
    for at, text in texts.items():
        yield Edit(at, at, text)


def _is_misplaced(one: Import, block: Sequence[Import], source: Source) -> bool:
    own, at = order_of(one, source), block.index(one)
    orders = [order_of(other, source) for other in block]
    return any(order > own for order in orders[:at]) or any(order < own for order in orders[at:])


def _text(statement: Import, source: Source) -> str:
    """Return the lines of an import, each ended by LF."""
    start, end = _lines(statement, source)
    return NEWLINE.sub("\n", source.text[start:end])


def _lines(statement: Import, source: Source) -> tuple[int, int]:
    span = source.span(statement)
    return source.line_start(span.line), source.line_start(span.end_line + 1)
