"""Where the strings of a TOML document stand, which ``tomllib`` does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

# The keys and, in arrays, the indices that lead to a value.
Path: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(
    r"(?P<blank>[ \t]+|#[^\r\n]*)|(?P<newline>\r\n|\n)"
    r'|(?P<long>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5})'
    r'|(?P<string>"(?:\\.|[^"\\\r\n])*"|\'[^\'\r\n]*\')'
    r"|(?P<mark>[][{}=.,])|(?P<bare>[^\s#\"'\[\]{}=.,]+)",
    re.DOTALL,
)


class String(NamedTuple):
    """A string written on one line: what leads to it, its text, and where that begins and ends.

    A character of the text stands where it is counted to stand if no escape comes before it.
    """

    path: Path
    text: str
    start: int
    end: int


def strings(text: str) -> list[String]:
    """Return the strings of a document in order; none where it is not TOML, or nested too deeply."""
    import tomllib

    try:
        tomllib.loads(text.replace("\r\n", "\n"))
        return list(_Reader(text).document())
    except (tomllib.TOMLDecodeError, RecursionError):
        return []


class _Reader:
    """Reads a document that is known to be valid, so that only what tells places needs to be looked at."""

    def __init__(self, text: str):
        self.tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup != "blank"]
        self.at = 0

    def document(self) -> Iterator[String]:
        table: Path = ()
        counts: dict[Path, int] = {}
        while (token := self._peek()) is not None:
            if token.lastgroup == "newline":
                self.at += 1
            elif token[0] == "[":
                self.at += 1
                is_array = self._skip("[")
                table = self._key("]")
                for depth in range(1, len(table)):
                    if table[:depth] in counts:  # a table within the last one of an array
                        table = (*table[:depth], counts[table[:depth]], *table[depth:])
                if is_array:
                    self._skip("]")
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, counts[table])
            else:
                yield from self._value((*table, *self._key("=")))

    def _key(self, end: str) -> Path:
        """Return a key, and go behind the mark that ends it."""
        parts: list[str] = []
        while (token := self._next())[0] != end:
            if token[0] != ".":
                parts.append(token[0][1:-1] if token.lastgroup == "string" else token[0])
        return tuple(parts)

    def _value(self, path: Path) -> Iterator[String]:
        token = self._next()
        if token.lastgroup == "string":
            text = _unescaped(token[0]) if "\\" in token[0] else token[0][1:-1]
            yield String(path, text, token.start() + 1, token.end() - 1)
        elif token[0] == "[":
            yield from self._array(path)
        elif token[0] == "{":
            while not self._skip("}"):
                if not self._skip(","):
                    yield from self._value((*path, *self._key("=")))
        elif token.lastgroup == "bare":
            while (behind := self._peek()) is not None and (behind[0] == "." or behind.lastgroup == "bare"):
                self.at += 1  # the rest of a number or a date

    def _array(self, path: Path) -> Iterator[String]:
        index = 0
        while not self._skip("]"):
            if not self._skip(","):
                yield from self._value((*path, index))
                index += 1

    def _peek(self) -> re.Match[str] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _next(self) -> re.Match[str]:
        """Return the next token that is no newline."""
        while self.tokens[self.at].lastgroup == "newline":
            self.at += 1
        self.at += 1
        return self.tokens[self.at - 1]

    def _skip(self, mark: str) -> bool:
        """Go behind a mark, and newlines in front of it, if it comes next."""
        at = self.at
        while at < len(self.tokens) and self.tokens[at].lastgroup == "newline":
            at += 1
        if at < len(self.tokens) and self.tokens[at][0] == mark:
            self.at = at + 1
            return True
        return False


def _unescaped(literal: str) -> str:
    import tomllib

    return tomllib.loads(f"x = {literal}")["x"]
