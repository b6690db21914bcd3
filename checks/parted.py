"""Names that are to leave an import in which comments stand: which comments go with them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from itertools import takewhile
from typing import NamedTuple

from checks.source import Source
from checks.unclear import Unclear

_PRAGMAS = ("# noqa", "# type:", "# pylint:", "# pyright:")


class Leaving(NamedTuple):
    """A name that leaves an import: the comments above it and behind it that go with it, as they are written.

    ``cuts`` are the stretches of text, by offsets, that go out of the import with it.
    """

    alias: ast.alias
    above: tuple[str, ...]
    behind: str
    cuts: tuple[tuple[int, int], ...]


def shares_lines(node: ast.stmt, source: Source) -> bool:
    """Tell whether other code stands in front of a statement on its first line, or behind it on its last."""
    span = source.span(node)
    behind = source.line(span.end_line)[span.end_column - 1 :].strip()
    return not source.begins_line(node) or bool(behind and not behind.startswith("#"))


def leaving(node: ast.ImportFrom, names: Collection[ast.alias], source: Source) -> Iterator[Leaving]:
    """Yield the names that leave an import, in order, each with its comments; some other name stays.

    A comment behind a name that has its line to itself is its own, and one above if no other name follows that it may
    speak of; one for linters, behind several names or the parenthesis, is everyone's.

    Raises:
        Unclear: it cannot be told which name a comment belongs to.
    """
    if not source.begins_line(node):
        raise Unclear("a comment stands in the import, which shares its line")
    lines: dict[int, list[ast.alias]] = {}
    for alias in node.names:
        span = source.span(alias)
        if span.line != span.end_line:
            raise Unclear(f"a comment stands in the import, and {alias.name} has several lines")
        lines.setdefault(span.line, []).append(alias)
    _, _, opening = source.line(source.span(node).line).partition("(")
    general = opening.strip() if opening.lstrip().startswith(_PRAGMAS) else ""
    for line, aliases in lines.items():
        going = [alias for alias in aliases if alias in names]
        if not going:
            continue
        above = _above(line, going[0], lines, source) if source.begins_line(aliases[0]) else ()
        comment = _behind(aliases[-1], source)
        if going == aliases and has_own_line(going[0], source):
            start, end = source.line_start(line - len(above)), source.line_start(line + 1)
            yield Leaving(going[0], above, comment or general, ((start, end),))
            continue
        if comment and not comment.startswith(_PRAGMAS):
            raise Unclear(f"the comment in line {line} may be about {going[0].name}")
        if above:
            raise Unclear(f"the comment above line {line} may be about {going[0].name}")
        for alias in going:
            yield Leaving(alias, (), comment or general, _cuts(alias, going, aliases, source))


def _above(line: int, alias: ast.alias, lines: Collection[int], source: Source) -> tuple[str, ...]:
    """Return the comments directly above a line of an import, which are about nothing but what stands in it."""
    upwards = (source.line(at).strip() for at in range(line - 1, 0, -1))
    found = tuple(takewhile(lambda text: text.startswith("#"), upwards))[::-1]
    if found and line + 1 in lines:
        raise Unclear(f"the comment above {alias.name} may be about what follows, too")
    return found


def _behind(alias: ast.alias, source: Source) -> str:
    """Return the comment behind the last name of a line."""
    span = source.span(alias)
    rest = source.line(span.end_line)[span.end_column - 1 :].lstrip(" \t,")
    return rest.rstrip() if rest.startswith("#") else ""


def _cuts(
    alias: ast.alias, going: list[ast.alias], aliases: list[ast.alias], source: Source
) -> tuple[tuple[int, int], ...]:
    """Return what goes with a name that shares its line: its comma and a blank with it."""
    at = aliases.index(alias)
    kept_before = any(one not in going for one in aliases[:at])
    if kept_before:
        return ((source.end(aliases[at - 1]), source.end(alias)),)
    if at + 1 < len(aliases):
        return ((source.start(alias), source.start(aliases[at + 1])),)
    end = source.end(alias)
    rest = source.text[end:]
    comma = len(rest) - len(rest.lstrip())
    return ((source.start(alias), end + comma + 1 if rest.lstrip().startswith(",") else end),)


def has_own_line(alias: ast.alias, source: Source) -> bool:
    """Tell whether an alias stands alone on its line within the parentheses of its statement."""
    span = source.span(alias)
    rest = source.line(span.end_line)[span.end_column - 1 :].strip()
    # The comma may stand on a line further down.
    is_last = source.text[source.line_start(span.end_line + 1) :].lstrip().startswith(")")
    behind = rest.removeprefix(",").lstrip()
    return source.begins_line(alias) and (rest.startswith(",") or is_last) and (not behind or behind.startswith("#"))
