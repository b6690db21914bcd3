"""Formatters after ``apply``, then ``apply`` again: nothing is left to do.

All fixtures are mended and formatted together, each release in one run. The formatters are those of the dev extra.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import pytest

from checks.session import Request
from codemods import apply
from codemods.journal import Journal
from tests.cases import FIXTURES, cases, contents

COMMANDS = {
    "ruff": [
        ["format", "--isolated", "--no-cache", "--target-version", "py311", "."],
        ["check", "--isolated", "--no-cache", "--select", "I", "--fix", "."],
    ],
    "black": [["-q", "."]],
    "isort": [["-q", "."]],
    "isort --profile black": [["-q", "--profile", "black", "."]],
}


# A file and a rule.
Places: TypeAlias = set[tuple[str, str]]


def mended(tree: Path, folders: Iterable[str]) -> tuple[Places, Places]:
    """Mend the cases in some folders, ``<target>/<rule>/<case>``, and return where that was done, and what is left."""
    by_target: dict[str, list[str]] = defaultdict(list)
    for folder in sorted(folders):
        by_target[folder.partition("/")[0]].append(str(tree / folder))
    done: Places = set()
    left: Places = set()
    for target, paths in by_target.items():
        plan = apply.mended(Request(tuple(paths), target=target), unsafe=True, jobs=1)
        ledger = apply.write(plan, Journal(tree.parent / "journal"))
        for finding, is_done in ledger.findings():
            place = (Path(finding.path).relative_to(tree).as_posix(), finding.rule)
            (done if is_done else left).add(place)
    return done, left


def differing(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def folder_of(name: str) -> str:
    return "/".join(name.split("/")[:3])


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Places]:
    """Return a copy of all fixtures, mended, and what a human is still to look at."""
    tree = tmp_path_factory.mktemp("fixtures") / "tree"
    folders: list[str] = []
    for rule in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
        for case in cases(rule):
            folders.append(f"{case.target}/{rule}/{case.folder.name}")
            shutil.copytree(case.folder / "before", tree / folders[-1])
            (tree / folders[-1] / "pyproject.toml").touch()
    return tree, mended(tree, folders)[1]


@pytest.mark.parametrize("tool", COMMANDS)
def test_nothing_is_left_to_do(tool: str, once: tuple[Path, Places], tmp_path: Path) -> None:
    module = tool.split()[0]
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed; it is in the dev extra")
    tree = tmp_path / "tree"
    shutil.copytree(once[0], tree)
    touched = formatted(tree, tool)
    assert len(touched) > 50

    # What stood in the way of a mend, a body on the line of its def or a comment among arguments, may have gone.
    done, _ = mended(tree, set(map(folder_of, touched)))
    assert done - once[1] == set()
    again = formatted(tree, tool) | {name for name, _ in done}
    assert mended(tree, set(map(folder_of, again)))[0] == set()


def formatted(tree: Path, tool: str) -> set[str]:
    """Run a formatter on a tree and return the files that it changed."""
    before = contents(tree)
    for arguments in COMMANDS[tool]:
        # Some fixtures do not parse, which a formatter says with its exit code.
        subprocess.run([sys.executable, "-m", tool.split()[0], *arguments], cwd=tree, capture_output=True)
    return differing(before, contents(tree))
