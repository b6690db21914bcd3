"""Edits put into the original bytes."""

from __future__ import annotations

import ast

import pytest

from codemods.edit import Draft
from codemods.splice import Edit, Refused, splice, trimmed
from tests.sources import source_of


def test_nothing_else_changes() -> None:
    data = b"\xef\xbb\xbfa = 1\r\nb = '\xc3\xa9'\n\x0c\rc = 3"
    text = data[3:].decode()
    at = text.index("é")
    assert splice(source_of(data), [Edit(at, at + 1, "ö")]) == data.replace("é".encode(), "ö".encode())
    assert splice(source_of(data), []) == data


def test_new_lines_end_as_their_neighbours_do() -> None:
    assert splice(source_of(b"a\r\nb\r\n"), [Edit(3, 3, "x\ny\n")]) == b"a\r\nx\r\ny\r\nb\r\n"
    assert splice(source_of(b"a\rb"), [Edit(2, 2, "x\n")]) == b"a\rx\rb"
    assert splice(source_of(b"a"), [Edit(0, 0, "x\n")]) == b"x\na"


def test_an_edit_is_as_small_as_it_can_be() -> None:
    assert trimmed(Edit(0, 7, "f(a, c)"), "f(a, b)") == Edit(5, 6, "c")
    assert trimmed(Edit(0, 1, "a"), "a") == Edit(1, 1, "")


def test_what_stands_at_one_place_keeps_its_order() -> None:
    assert splice(source_of("b\n"), [Edit(0, 0, "1\n"), Edit(0, 0, "2\n")]) == b"1\n2\nb\n"


def test_what_is_put_in_front_of_a_name_stays_in_front_of_it() -> None:
    edits = [Edit(7, 8, "NewA"), Edit(7, 7, "B, ")]
    assert splice(source_of(b"import A"), edits) == b"import B, NewA"


@pytest.mark.parametrize(
    ("data", "edits"),
    [
        (b"abc", [Edit(0, 2, "x"), Edit(1, 3, "y")]),
        (b"# coding: latin-1\n", [Edit(0, 0, "€\n")]),
        (b"f(\r\na,\nb)", [Edit(0, 9, "g(\na,\nc)")]),
    ],
    ids=["overlap", "encoding", "mixed newlines"],
)
def test_refused(data: bytes, edits: list[Edit]) -> None:
    with pytest.raises(Refused):
        splice(source_of(data), edits)


@pytest.mark.parametrize(
    ("left", "right", "conflict"),
    [
        (Edit(0, 3, "x"), Edit(3, 5, "y"), False),
        (Edit(0, 3, "x"), Edit(2, 5, "y"), True),
        (Edit(2, 2, "x"), Edit(2, 5, "y"), False),
        (Edit(3, 3, "x"), Edit(2, 5, "y"), True),
        (Edit(2, 2, "x"), Edit(2, 2, "y"), True),
    ],
)
def test_conflicts(left: Edit, right: Edit, conflict: bool) -> None:
    assert left.conflicts(right) is right.conflicts(left) is conflict


@pytest.mark.parametrize(
    ("data", "text", "reason"),
    [
        (b"x = [\r\n1,\n2]\n", "[\n3]", "different newlines"),
        (b"x = [1,\f2]\n", "[3]", "form feed"),
        (b"# coding: latin-1\nx = [1]\n", "['€']", "cannot be written in"),
    ],
    ids=["newlines", "form feed", "encoding"],
)
def test_a_draft_refuses_an_edit_that_cannot_be_made(data: bytes, text: str, reason: str) -> None:
    """So that it is not put together with others, which would be refused with it."""
    source = source_of(data)
    draft = Draft(source)
    draft.replace(source.span(next(source.nodes(ast.List))), text)
    with pytest.raises(Refused, match=reason):
        draft.finished()
