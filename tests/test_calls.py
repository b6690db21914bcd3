"""The table of what is called otherwise, held against the timeline and upstream's registry."""

from __future__ import annotations

import ast
import re

import pytest

from checks.pipecat import tables, timeline
from checks.pipecat.deprecations import deprecation
from checks.pipecat.releases import NEWEST, RELEASES, parse

ROWS = list(tables.rows("calls.tsv"))


@pytest.mark.parametrize(("called", "becomes", "since"), [(row[0], row[2], row[3]) for row in ROWS])
def test_row(called: str, becomes: str, since: str) -> None:
    """What a row is about is gone or to go; what is called instead is there from its release on, and lasts."""
    is_gone = timeline.exists(called, NEWEST) is False
    assert is_gone or deprecation(called, ("method", "function", "class"), NEWEST) is not None
    later = [one for one in RELEASES if one >= parse(since)]
    for dotted in re.findall(r"pipecat(?:\.\w+)+", becomes):
        at = timeline.place(dotted)
        assert at is not None
        top = f"{at.module}.{at.name.partition('.')[0]}"
        assert all(timeline.exists(top, release) for release in later), top
        assert deprecation(top, ("class", "function"), NEWEST) is None


@pytest.mark.parametrize(("given", "becomes"), [(row[1], row[2]) for row in ROWS if row[2]])
def test_what_is_called_is_made_of_what_is_given(given: str, becomes: str) -> None:
    names = {part.lstrip("*") for part in given.split(", ") if part and not re.match(r"\w+=", part)}
    used = {node.id for node in ast.walk(ast.parse(becomes, mode="eval")) if isinstance(node, ast.Name)}
    assert used - {"it", "pipecat"} <= names
