"""Rows of passed.tsv against the released trees: what Pipecat gives a method that its classes may override."""

from __future__ import annotations

import ast

import pytest

from checks.pipecat import tables, timeline
from checks.pipecat.releases import RELEASES, Release, parse
from tests.trees import released

ROWS = list(tables.rows("passed.tsv"))


def passed_keywords(owner: str, method: str, release: Release) -> set[str | None]:
    """Return the keywords that a class gives one of its own methods."""
    module, _, name = owner.rpartition(".")
    file = released(str(release)).joinpath(*module.split(".")).with_suffix(".py")
    body = next(
        node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef) and node.name == name
    )
    calls = [node for node in ast.walk(body) if isinstance(node, ast.Call)]
    return {one.arg for call in calls if ast.unparse(call.func) == f"self.{method}" for one in call.keywords}


@pytest.mark.parametrize(("owner", "method", "keyword", "since"), ROWS)
def test_a_class_gives_its_method_a_keyword_since(owner: str, method: str, keyword: str, since: str) -> None:
    """The release before does not, and the newest one still does, by a keyword that may be left out."""
    first = RELEASES.index(parse(since))
    assert keyword not in passed_keywords(owner, method, RELEASES[first - 1])
    for release in (RELEASES[first], RELEASES[-1]):
        assert keyword in passed_keywords(owner, method, release)
        signature = timeline.signature(owner, method, release)
        assert signature is not None
        assert keyword in (*signature.optional, *signature.by_keyword)
