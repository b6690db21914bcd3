"""An imported name that can go, and what has to go with it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NamedTuple

from checks.arguments import Change
from checks.parted import shares_lines
from checks.pipecat.moves import in_annotations, is_known_elsewhere, reads_of_name
from checks.source import Source, Span
from checks.unclear import Unclear


class NeedlessName(NamedTuple):
    """Facts of a name that goes out of its import, which may go with it, and of what becomes of its uses.

    Some of them change, and the statements ``removed`` go.
    """

    statement: Span
    name: Span
    changes: tuple[Change, ...] = ()
    removed: tuple[Span, ...] = ()


def needless_name(alias: ast.alias, node: ast.ImportFrom, source: Source) -> NeedlessName | None:
    """Return the name to take out of its import; None where others may be meant to have it, or a comment is there."""
    behind = source.line_start(source.span(node).end_line + 1)
    if alias.asname == alias.name or shares_lines(node, source) or source.has_comment(source.start(node), behind):
        return None
    return NeedlessName(source.span(node), source.span(alias))


def without_uses(
    alias: ast.alias, node: ast.ImportFrom, becomes: Callable[[ast.Name], Change | ast.stmt], source: Source
) -> NeedlessName:
    """Return the name to take out of its import, and what becomes of each of its uses: a change, or its statement goes.

    Raises:
        Unclear: one of them is not seen through, or others may be meant to have the name.
    """
    local = alias.asname or alias.name
    needless = needless_name(alias, node, source)
    if needless is None or is_known_elsewhere(local, node, source):
        raise Unclear("its import cannot simply go")
    reads = list(reads_of_name(local, node, source))
    if len(reads) < len([*source.named(ast.Name, (local,)), *in_annotations(local, source)]):
        raise Unclear("not all of its uses are seen")
    done = [becomes(use) for use in reads]
    changes = tuple(one for one in done if isinstance(one, Change))
    return needless._replace(
        changes=changes, removed=tuple(source.span(one) for one in done if isinstance(one, ast.stmt))
    )
