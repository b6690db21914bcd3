"""Lines taken out of a block and lines moved to the left: how a statement goes and what it held stays."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Sequence
from typing import NamedTuple

from checks.source import Source


class Entangled(Exception):
    """Statements that cannot be taken apart by whole lines; the message says where."""


class Lines(NamedTuple):
    """Numbers of the lines to take out, and of those to move to the left, each with by how many characters."""

    dropped: tuple[int, ...]
    dedented: tuple[tuple[int, int], ...]


class Relayout:
    """Collects what goes and what moves within one file."""

    def __init__(self, source: Source):
        self._source = source
        self._dropped: set[int] = set()
        self._dedented: dict[int, int] = {}
        self._in_strings = _lines_within_strings(source)

    def drop(self, statement: ast.stmt) -> None:
        """Take a statement's lines out.

        Raises:
            Entangled: it shares them with other code, or a comment stands behind it.
        """
        span = self._source.span(statement)
        rest = self._source.line(span.end_line)[span.end_column - 1 :].strip()
        if not self._source.begins_line(statement) or rest:
            raise Entangled(f"line {span.line} holds more than this statement")
        self.drop_lines(span.line, span.end_line)

    def drop_lines(self, first: int, last: int) -> None:
        """Take out the lines from the first to the last.

        Raises:
            Entangled: a comment stands there.
        """
        if self._source.has_comment(self._source.line_start(first), self._source.line_start(last + 1)):
            raise Entangled(f"line {first} has a comment that would be lost")
        self._dropped |= set(range(first, last + 1))

    def unwrap(self, statement: ast.stmt, body: Sequence[ast.stmt], end: int) -> None:
        """Take a compound statement's head out and move its body to where the head stood.

        ``end`` is the last line of the body.

        Raises:
            Entangled: head and body share a line, a comment stands in the head, or the body's indentation is odd.
        """
        first = self._source.span(body[0]).line
        head_end = self._head_end(statement, first)
        start = self._source.span(statement).line
        outer, inner = self._indent(start), self._indent(first)
        if not self._source.begins_line(body[0]) or not self._source.begins_line(statement):
            raise Entangled(f"line {start} holds more than this statement")
        if not inner.startswith(outer) or len(inner) <= len(outer):
            raise Entangled(f"line {first} is indented in a way of its own")
        if self._source.has_comment(self._source.line_start(start), self._source.line_start(head_end + 1)):
            raise Entangled(f"line {start} has a comment that would be lost")
        self._dropped |= set(range(start, head_end + 1))
        width = len(inner) - len(outer)
        for line in range(head_end + 1, end + 1):
            if line not in self._in_strings:
                blank = len(self._indent(line))
                self._dedented[line] = min(self._dedented.get(line, 0) + width, blank)

    def drop_clause(self, keyword: str, after: ast.stmt, block: Sequence[ast.stmt]) -> None:
        """Take out a clause such as ``finally:`` whose block is taken out already.

        Raises:
            Entangled: its keyword does not stand on a line of its own.
        """
        for line in range(self._source.span(after).end_line + 1, self._source.span(block[0]).line):
            if self._source.line(line).strip() == keyword:
                last = self._source.span(block[-1]).end_line
                self.drop_lines(line, last)
                return
        raise Entangled(f"line {self._source.span(block[0]).line}: the {keyword} above holds more than that")

    def lines(self) -> Lines:
        """Return everything collected."""
        dedented = {line: width for line, width in self._dedented.items() if line not in self._dropped and width}
        return Lines(tuple(sorted(self._dropped)), tuple(sorted(dedented.items())))

    def _head_end(self, statement: ast.stmt, first: int) -> int:
        """Return the line on which the head of a compound statement ends."""
        span = self._source.span(statement)
        end = self._source.head_end(span)
        if end is None or end[0] >= first:
            raise Entangled(f"line {span.line} holds more than this statement")
        return end[0]

    def _indent(self, line: int) -> str:
        text = self._source.line(line)
        return text[: len(text) - len(text.lstrip(" \t"))]


def _lines_within_strings(source: Source) -> set[int]:
    """Return the lines that begin inside a string, whose blanks are part of it."""
    found: set[int] = set()
    opened: list[int] = []
    for token in source.tokens:
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            found |= set(range(token.start[0] + 1, token.end[0] + 1))
        elif kind in ("FSTRING_START", "TSTRING_START"):
            opened.append(token.start[0])
        elif kind in ("FSTRING_END", "TSTRING_END"):
            found |= set(range(opened.pop() + 1, token.end[0] + 1))
    return found
