"""Rules of other packages, found through entry points."""

from __future__ import annotations

from pathlib import Path

from tests.running import CODEMODS, environment, python

RULE = '''
"""A name that is out of fashion."""

import ast
from dataclasses import dataclass

from checks.rule import Fix, Rule
from checks.source import Span

RULE = Rule(__name__, needles=("oldname",), about=None, fix=Fix.SAFE)


@dataclass(frozen=True, slots=True)
class Facts:
    at: Span


@RULE.on(ast.Name)
def name(node, source):
    if node.id == "oldname":
        yield RULE.finding(source, node, "oldname is newname now", facts=Facts(source.span(node)))
'''
FIX = """
def fix(facts, draft):
    draft.replace(facts.at, "newname")
"""
ENTRIES = """
[pipecat_codemods.rules]
old-name = house.old_name

[pipecat_codemods.fixes]
old-name = house.mend_old_name
"""


def test_rule_and_mend_of_an_installed_package(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name, text in {
        "house/__init__.py": "",
        "house/old_name.py": RULE,
        "house/mend_old_name.py": FIX,
        "house-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: house\nVersion: 1.0\n",
        "house-1.0.dist-info/entry_points.txt": ENTRIES,
    }.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text.lstrip(), encoding="utf-8")
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.py").write_text("print(oldname)\n", encoding="utf-8")
    (root / "pyproject.toml").touch()
    path = f"{environment()['PYTHONPATH']}:{site}"

    listed = python(root, *CODEMODS, "list", PYTHONPATH=path)
    done = python(root, *CODEMODS, "apply", ".", PYTHONPATH=path)

    assert b"old-name" in listed.out
    assert b"A name that is out of fashion." in listed.out
    assert done.code == 1
    assert (root / "a.py").read_text() == "print(newname)\n"
