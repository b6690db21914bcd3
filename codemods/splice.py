"""Puts edits into the original bytes: what no edit covers is copied, never printed anew."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from checks.source import NEWLINE, Source


class Refused(Exception):
    """An edit that cannot be made without risk; the message says why in one line."""


class Edit(NamedTuple):
    """New text, its lines ended by LF, for the characters from ``start`` to ``end`` of a file's text."""

    start: int
    end: int
    text: str

    def conflicts(self, other: Edit) -> bool:
        """Tell whether two edits touch the same characters, or insert at the same place."""
        if self.start == self.end or other.start == other.end:
            if (self.start, self.end) == (other.start, other.end):
                return True
            return self.start < other.start < self.end or other.start < self.start < other.end
        return self.start < other.end and other.start < self.end


def trimmed(edit: Edit, text: str) -> Edit:
    """Return the smallest edit with the same effect: what stays the same at both ends is left out."""
    old, new = text[edit.start : edit.end], edit.text
    limit = min(len(old), len(new))
    head = next((i for i in range(limit) if old[i] != new[i]), limit)
    limit -= head
    tail = next((i for i in range(limit) if old[-1 - i] != new[-1 - i]), limit)
    return Edit(edit.start + head, edit.end - tail, new[head : len(new) - tail])


def check(edit: Edit, source: Source) -> None:
    """Raise Refused if an edit by itself cannot be made without risk.

    It covers a form feed, which LibCST would not give back, or several kinds of newline, or cannot be encoded.
    """
    line = source.span_between(edit.start, edit.start).line
    if "\f" in source.text[edit.start : edit.end]:
        raise Refused(f"line {line}: the edit would touch a form feed")
    if len(set(NEWLINE.findall(source.text, edit.start, edit.end))) > 1 and "\n" in edit.text:
        raise Refused(f"line {line}: the edit spans lines that end in different newlines")
    _encoded(edit.text, source)


def newline_at(source: Source, offset: int) -> str:
    """Return the newline in use at an offset: that of its line, else of the line before, else LF."""
    match = NEWLINE.search(source.text, offset)
    if match is None:
        earlier = NEWLINE.findall(source.text, 0, offset)
        return earlier[-1] if earlier else "\n"
    return match[0]


def splice(source: Source, edits: Iterable[Edit]) -> bytes:
    """Return the file's bytes with the edits made.

    Raises:
        Refused: two edits touch the same text, or one cannot be made without risk.
    """
    text = source.text
    mark = len(codecs.BOM_UTF8) if source.data.startswith(codecs.BOM_UTF8) else 0
    parts = [source.data[:mark]]
    done, done_bytes = 0, mark
    for edit in as_made(source, edits):
        if edit.start < done:
            raise Refused("two edits touch the same text")
        kept = _encoded(text[done : edit.start], source)
        replaced = _encoded(text[edit.start : edit.end], source)
        parts.append(source.data[done_bytes : done_bytes + len(kept)])
        parts.append(_encoded(edit.text, source))
        done, done_bytes = edit.end, done_bytes + len(kept) + len(replaced)
    parts.append(source.data[done_bytes:])
    return b"".join(parts)


def as_made(source: Source, edits: Iterable[Edit]) -> list[Edit]:
    """Return edits in order as they are made in a file: in its newlines, and no larger than they must be.

    Raises:
        Refused: an edit cannot be made without risk.
    """
    # Sorted by place only: what is inserted at one place keeps the order in which it was asked for.
    # Before they are trimmed: what is left of a replacement may be an insertion at the same place.
    asked = sorted(edits, key=lambda e: (e.start, e.end))
    for edit in asked:
        check(edit, source)
    return [_in_file_newlines(edit, source) for edit in asked]


def carried(start: int, end: int, made: Sequence[Edit]) -> tuple[int, int]:
    """Return where a stretch of text stands once edits are made, together with what they made of any part of it."""
    inside = [edit for edit in made if edit.start < end and start < edit.end]
    start, end = min([start, *(edit.start for edit in inside)]), max([end, *(edit.end for edit in inside)])

    def growth(edits: Iterable[Edit]) -> int:
        return sum(len(edit.text) - (edit.end - edit.start) for edit in edits)

    # What is inserted at the start of the stretch stands before it, what is inserted at its end behind it.
    return (
        start + growth(edit for edit in made if edit.end <= start),
        end + growth(edit for edit in made if edit.start < end),
    )


def _in_file_newlines(edit: Edit, source: Source) -> Edit:
    kinds = set(NEWLINE.findall(source.text, edit.start, edit.end))
    newline = kinds.pop() if len(kinds) == 1 else newline_at(source, edit.start)
    return trimmed(Edit(edit.start, edit.end, NEWLINE.sub(newline, edit.text)), source.text)


def _encoded(text: str, source: Source) -> bytes:
    try:
        return text.encode(source.encoding)
    except UnicodeEncodeError as error:
        raise Refused(f"{text[error.start]!r} cannot be written in {source.encoding}") from None
