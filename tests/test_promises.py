"""promises.toml names tests that are there."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROMISES = tomllib.loads((HERE / "promises.toml").read_text("utf-8"))


def test_there_are_ten() -> None:
    assert list(PROMISES) == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("number", PROMISES)
def test_each_has_tests(number: str) -> None:
    assert PROMISES[number]["tests"]
    for test in PROMISES[number]["tests"]:
        file, _, name = test.partition("::")
        tree = ast.parse((HERE / file).read_text("utf-8"))
        there = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
        assert name in there or (name == "*" and any(one.startswith("test_") for one in there)), test
