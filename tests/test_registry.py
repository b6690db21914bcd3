"""Which rules there are, and what is known of them before their modules are imported."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from checks import registry
from checks.pipecat.deprecations import records
from checks.pipecat.wiring import NEEDLES
from checks.registry import all_rules
from checks.rule import Rule
from tests.running import project

IMPORTED = """
import sys
from checks.cli import check
try:
    check(["a.py"])
finally:
    print(*sorted(name for name in sys.modules if name.startswith("checks.rules.")))
"""


def imported(root: Path, text: str) -> list[str]:
    """Return the modules of rules that are imported for a file of this text."""
    root.mkdir()
    where = project(root, {"pyproject.toml": "", "a.py": text})
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=where, capture_output=True, text=True)
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("name", all_rules())
def test_what_a_rule_states_is_read_off_its_source(name: str) -> None:
    stated = registry._stated(name.replace("-", "_"))
    rule: Rule = importlib.import_module(all_rules()[name].module).RULE

    facts = [key for key in vars(rule) if key not in ("visitors", "deciders", "finisher", "_loaded")]
    assert stated is not None
    assert {key: getattr(stated, key) for key in facts} == {key: getattr(rule, key) for key in facts}
    assert stated.load().visitors == rule.visitors
    assert stated.deciders == rule.deciders
    assert stated.finisher == rule.finisher
    assert stated.visitors or stated.deciders or stated.finisher


@pytest.mark.parametrize(
    "text",
    [
        "RULE = Rule(__name__, needles=NEEDLES)\n",
        "RULE = Rule(__name__, **FACTS)\n",
        "RULE = Rule(__name__, fix=Fix.SAFE if X else Fix.NONE)\n",
        'RULE = Rule(\n    __name__,\n    needles=("a",),  # (see above)\n)\n',
        "RULE: Rule = Rule(__name__)\n",
        "RULE = Rule(__name__",
        "",
    ],
)
def test_what_has_to_be_imported_to_be_known(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd.py").write_text(f"from x import y\n{text}")
    monkeypatch.setattr("checks.rules.__path__", [str(tmp_path)])
    assert registry._stated("odd") is None
    assert registry._stated("missing") is None


def test_only_rules_that_a_file_concerns_are_imported(tmp_path: Path) -> None:
    assert imported(tmp_path / "nothing", "x = 1\n") == []
    assert imported(tmp_path / "one", "x = c.cr_code.co_name\n") == ["checks.rules.unguarded_cr_code"]
    some = imported(tmp_path / "some", "import pipecat\n")
    assert "checks.rules.removed_name" in some
    assert "checks.rules.task_manager_argument" not in some


def test_needles_that_repeat_what_is_written_elsewhere() -> None:
    members = {one.name.rpartition(".")[2] for one in records() if one.kind in ("method", "property", "event")}
    assert {needle.decode() for needle in all_rules()["deprecated-method"].needles} == members
    assert tuple(needle.decode() for needle in all_rules()["task-manager-argument"].needles) == NEEDLES
