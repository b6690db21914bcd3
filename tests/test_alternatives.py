"""Classes that are left out of several."""

from __future__ import annotations

import ast

import pytest

from checks.pipecat.alternatives import left_out
from checks.unclear import Unclear
from tests.sources import source_of

HEAD = "from typing import Optional, Union\nfrom a import New, Old\n\n"


def without(text: str, new: str | None = "a.New") -> str:
    """Return a text, the imports above it left out, in which the first use of Old is left out."""
    source = source_of(HEAD + text)
    use = next(iter(source.named(ast.Name, ("Old",))))
    change = left_out(use, new, source)
    start = source.offset(change.span.line, change.span.column)
    end = source.offset(change.span.end_line, change.span.end_column)
    return (source.text[:start] + change.text + source.text[end:]).removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x: Old | New", "x: New"),
        ("x: New | Old | None = None", "x: New | None = None"),
        ("x: Union[Old, New]", "x: New"),
        ("x: Optional[Union[New, Old, int]]", "x: Optional[Union[New, int]]"),
        ("isinstance(x, (Old, New))", "isinstance(x, New)"),
        ("issubclass(x, (int, Old, New))", "issubclass(x, (int, New))"),
        ("try:\n    f()\nexcept (Old, New) as e:\n    pass\n", "try:\n    f()\nexcept New as e:\n    pass\n"),
        ("try:\n    f()\nexcept(New,Old,OSError):\n    pass\n", "try:\n    f()\nexcept(New,OSError):\n    pass\n"),
    ],
)
def test_beside_the_new_one(before: str, after: str) -> None:
    assert without(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "x: Old",
        "x: Old | int",
        "isinstance(x, Old)",
        "isinstance(x, (Old, int))",
        "print((Old, New))",
        "isinstance(x, (New,  # the new one\n    Old))",
        "def isinstance(x, y):\n    pass\n\n\nisinstance(x, (Old, New))",
    ],
)
def test_is_left_alone(text: str) -> None:
    with pytest.raises(Unclear):
        without(text)


def test_beside_any() -> None:
    assert without("isinstance(x, (Old, int))", None) == "isinstance(x, int)"
