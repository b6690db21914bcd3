"""Walking over the nodes within a node."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from checks.walk import fields, fields_backwards, walk

WITHOUT_PLACE = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
MODULES = sorted((Path(__file__).parent.parent / "checks").glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_yields_what_ast_does_but_for_what_has_no_place(path: Path) -> None:
    tree = ast.parse(path.read_bytes())
    assert list(walk(tree)) == [node for node in ast.walk(tree) if not isinstance(node, WITHOUT_PLACE)]


def test_fields_that_may_hold_nodes() -> None:
    assert fields(ast.Call) == ("func", "args", "keywords")
    assert fields_backwards(ast.Call) == ("keywords", "args", "func")
    assert fields(ast.Constant) == ()
    assert fields(ast.Name) == ()
