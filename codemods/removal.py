"""Takes statements out by whole lines, and leaves the block and the paragraph around them in order."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from checks.source import Source
from codemods.splice import Edit, Refused


def removal_edits(statements: Sequence[ast.stmt], source: Source) -> Iterator[Edit]:
    """Yield the edits that take these statements out.

    Raises:
        Refused: a statement shares its lines with other code.
    """
    doomed = set(statements)
    for statement in sorted(doomed, key=source.start):
        start, end = _lines_of(statement, source)
        block = block_of(statement, source)
        if all(other in doomed for other in block) and not isinstance(source.parent(statement), ast.Module):
            if statement is block[0]:
                yield Edit(source.start(statement), source.end(statement), "pass")
                continue
        yield _whole_lines(start, end, source)


def block_of(statement: ast.stmt, source: Source) -> list[ast.stmt]:
    """Return the list of statements a statement is one of."""
    parent = source.parent(statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block  # pyright: ignore[reportUnknownVariableType]
    return [statement]


def _lines_of(statement: ast.stmt, source: Source) -> tuple[int, int]:
    """Return the first line of a statement and the line behind its last."""
    span = source.span(statement)
    rest = source.line(span.end_line)[span.end_column - 1 :].strip()
    if not source.begins_line(statement) or (rest and not rest.startswith("#")):
        raise Refused(f"line {span.line}: the statement shares its lines with other code")
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([span.line, *(source.span(one).line for one in decorators)]), span.end_line + 1


def _whole_lines(start: int, end: int, source: Source) -> Edit:
    """Return the removal of the lines from ``start`` to before ``end``.

    Comments above stay. Where blank lines above and below then face each other, the fewer ones go.
    """
    if _is_blank(end, source) and _opens_paragraph(start, source):
        start, end = _with_smaller_gap(start, end, source)
    at, stop = source.line_start(start), source.line_start(end)
    return Edit(at, stop, "")


def _with_smaller_gap(start: int, end: int, source: Source) -> tuple[int, int]:
    """Widen a range of lines by the blank lines above or below it, whichever are fewer."""
    top, bottom = start, end
    while top > 1 and _is_blank(top - 1, source):
        top -= 1
    while _is_blank(bottom, source) and bottom < source.line_count:
        bottom += 1
    if top < start and start - top < bottom - end:
        return top, end
    return start, bottom


def _is_blank(line: int, source: Source) -> bool:
    return line > source.line_count or (line >= 1 and not source.line(line).strip())


def _opens_paragraph(line: int, source: Source) -> bool:
    """Tell whether a line follows a blank one, or the head of its block."""
    above = source.line(line - 1).rstrip() if line > 1 else ""
    return not above or above.endswith(":")
