"""Promises held against projects nobody would write: a few of those that ``python -m tests.fuzz`` makes for longer.

Everything is derived from fixed seeds, so that a failure here is one everywhere.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from codemods import fixes, mend
from tests.fuzz import (
    Tree,
    assert_newlines_do_not_matter,
    fixture_trees,
    hold,
    odd_tree,
    put,
    results,
    worked_out,
)
from tests.mutations import BYTES, TEXT, compiles, mutated
from tests.running import BAD

hypothesis = pytest.importorskip("hypothesis")

if TYPE_CHECKING:
    import hypothesis
    import hypothesis.strategies as st
else:
    st = pytest.importorskip("hypothesis.strategies")

TREES = fixture_trees()


def few(examples: int) -> hypothesis.settings:
    """Return settings for so many examples, the same ones in each run."""
    slow = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
    return hypothesis.settings(
        derandomize=True, max_examples=examples, deadline=None, database=None, suppress_health_check=slow
    )


def held(tree: Tree, seed: int) -> None:
    """Hold a project against the promises in a folder of its own; hypothesis makes many in one test."""
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hold(tree, Path(scratch), Random(seed))


def test_every_fixture_with_other_newlines(tmp_path: Path) -> None:
    for number, tree in enumerate(TREES):
        root = tmp_path / str(number)
        put(tree, root)
        assert_newlines_do_not_matter(tree, results(worked_out(root, tree), root), tmp_path / f"{number}-other")


@few(60)
@hypothesis.given(
    tree=st.sampled_from(TREES),
    names=st.lists(st.sampled_from([*TEXT, *BYTES]), min_size=1, max_size=5, unique=True),
    seed=st.integers(0, 2**16),
)
def test_mutated_fixtures(tree: Tree, names: list[str], seed: int) -> None:
    random = Random(seed)
    files = {name: mutated(data, names, random) if name.endswith(".py") else data for name, data in tree.files.items()}
    held(Tree(files, tree.target, f"{tree.label} {names}"), seed)


@few(60)
@hypothesis.given(seed=st.integers(0, 2**32))
def test_projects_of_the_long_run(seed: int) -> None:
    held(odd_tree(TREES, Random(seed)), seed)


def test_generated_programs() -> None:
    """Python that a grammar makes up, with something to mend behind it."""
    hypothesmith: Any = pytest.importorskip("hypothesmith")

    @few(25)
    @hypothesis.given(source=hypothesmith.from_grammar(), seed=st.integers(0, 2**16))
    def run(source: str, seed: int) -> None:
        data = source.encode(errors="ignore").rstrip() + b"\n" + BAD
        hypothesis.assume(compiles(data))
        held(Tree({"a.py": data, "b.py": BAD}, "1.14.0", "generated"), seed)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()


# What a fix that has gone wrong may write; the last ones are sound, and yet not what was asked for.
WILD = ["", "(", "c.cr_code.co_name", "\f", "x = 1", "'\n'", "lambda: (yield)", "*c", "\\", "é", "None", "c", "# c\n"]


@few(60)
@hypothesis.given(
    texts=st.lists(st.sampled_from(WILD), min_size=1, max_size=4),
    names=st.lists(st.sampled_from([*TEXT, *BYTES]), max_size=3, unique=True),
    seed=st.integers(0, 2**16),
)
def test_a_fix_gone_wild(texts: list[str], names: list[str], seed: int) -> None:
    """Whatever a fix writes, a file holds its old bytes or bytes that are proved."""
    random = Random(seed)
    source = b"async def g(c, d, e):\n    x = c.cr_code.co_name\n    return [d.cr_code.co_name, e.cr_code.co_name]\n"
    tree = Tree({"a.py": mutated(source, names, random), "b.py": BAD}, "1.14.0", "wild")
    right = fixes.fix_for("unguarded-cr-code")
    assert right is not None
    calls = 0

    def wild(facts: Any, draft: Any) -> None:
        nonlocal calls
        calls += 1
        if random.random() < 0.3:
            right(facts, draft)
        else:
            draft.replace(facts.whole, texts[calls % len(texts)])

    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = Path(scratch) / "project"
        put(tree, root)
        patch.setattr(mend, "fix_for", lambda _: wild)
        wanted = results(worked_out(root, tree), root)
    assert {name: compiles(data) for name, data in wanted.items()} == dict.fromkeys(wanted, True)
