"""Files that are no Python: what rules look at in them are parts of their text."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from checks.source import Source, Span


class Written(NamedTuple):
    """A part of a file as it is written, and the offsets between which it stands."""

    text: str
    start: int
    end: int


class DataFile(Source):
    """A file that is no Python. It has no tree: an empty one stands in, in which no rule finds anything."""

    @property
    def parts(self) -> Sequence[object]:
        """What rules look at in it, in order."""
        return ()

    @cached_property
    def tree(self) -> ast.Module:
        """No statements."""
        return ast.Module(body=[], type_ignores=[])

    @cached_property
    def comments(self) -> list[tuple[Span, str]]:
        """What follows a ``#`` that begins a line or has a blank in front of it."""
        found = re.finditer(r"(?:^|(?<=\s))#[^\r\n]*", self.text, re.MULTILINE)
        return [(self.span_between(match.start(), match.end()), match[0]) for match in found]

    def place(self, part: Written) -> Span:
        """Return where a part of the text stands."""
        return self.span_between(part.start, part.end)
