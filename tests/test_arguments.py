"""Arguments as they are written: every subset taken out of every layout leaves just the others."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

from checks.arguments import arguments_of
from checks.pipecat.releases import NEWEST
from checks.project import Project
from checks.source import Source
from checks.unclear import Unclear

LAYOUTS = [
    "x = f(a, b=1, c=g(2), **d)",
    "x = f( a , b=1, )",
    "f(a,\n  b=1,\n  c=2)",
    "f(a, b=1, c=[\n    1,\n    2,\n])",
    "f(\n    a,\n    b=1,\n    c=2,\n)",
    "f(\n    a,\n    b=1,\n    c=2\n)",
    "if x:\n    f(\n        # of a\n        a,  # behind a\n\n        b=1,  # behind b\n        # of c\n        # too\n"
    "        c=g(\n            2,\n        ),\n        # the end\n    )",
    "f(  # opening\n    a,\n    b=1,\n)",
    "f(\r\n    a,\r\n    b=1,  # behind b\r\n    c=2,\r\n)",
    'f(\n    a="""\n  text\n""",\n    b=(\n        1,\n    ),\n)',
    "f(\n\ta,\n\tb=1,\n)",
]


def read(text: str) -> tuple[Source, ast.Call]:
    path = Path("/nowhere/a.py")
    project = Project(path.parent, NEWEST, overlay={path: text.encode()})
    source = Source(path, text.encode(), module="a", project=project)
    return source, next(call for call in source.nodes(ast.Call) if ast.unparse(call.func) == "f")


@pytest.mark.parametrize("text", LAYOUTS)
def test_any_arguments_can_go(text: str) -> None:
    source, call = read(text)
    arguments = arguments_of(call, source)
    for size in range(len(arguments.items) + 1):
        for kept in itertools.combinations(arguments.items, size):
            change = arguments.changed(kept, source)
            start = source.offset(change.span.line, change.span.column)
            end = source.offset(change.span.end_line, change.span.end_column)
            after, left = read(source.text[:start] + change.text + source.text[end:])
            nodes = [ast.dump(item.node) for item in kept if item.node is not None]
            assert [*map(ast.dump, left.args), *map(ast.dump, left.keywords)] == nodes
            comments = [comment for item in kept for comment in (*item.above, item.behind) if comment]
            others = [comment for _, comment in source.comments if comment in ("# the end", "# opening")]
            assert sorted(comment for _, comment in after.comments) == sorted([*comments, *others])
            if len(kept) == len(arguments.items):
                assert not change.text.strip("\n") or change.text in source.text.replace("\r\n", "\n")


@pytest.mark.parametrize("text", ["f(a, # of a\n  b=1)", "f(\n    a, b=1,\n    c=2,\n)  # fine", "f((a), b=1)"])
def test_other_layouts_are_left_alone(text: str) -> None:
    source, call = read(text)
    try:
        arguments = arguments_of(call, source)
    except Unclear:
        return
    change = arguments.changed(arguments.items, source)
    assert change.text in source.text
