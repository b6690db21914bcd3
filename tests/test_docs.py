"""The documentation says what the code does."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from checks.registry import all_rules
from checks.rule import Fix

REPOSITORY = Path(__file__).parent.parent
HEADINGS = ["What it finds:", "Why it matters:", "Example:", "Fix safety:", "References:"]
RULES = all_rules()


@pytest.mark.parametrize("name", RULES)
def test_rule_is_documented_and_has_its_files(name: str) -> None:
    rule = RULES[name]
    lines = rule.doc.splitlines()
    assert [line for line in lines if line in HEADINGS] == HEADINGS
    module = name.replace("-", "_")
    assert (REPOSITORY / "fixtures" / name).is_dir()
    assert (REPOSITORY / "tests" / "rules" / f"test_{module}.py").is_file()
    if rule.fix is not Fix.NONE:
        assert callable(importlib.import_module(f"codemods.fixes.{module}").fix)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {rule.fix.value} |" in readme


def test_checks_never_import_codemods() -> None:
    for path in (REPOSITORY / "checks").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import codemods" not in text, path
        assert "from codemods" not in text, path
        assert "libcst" not in text.replace("``libcst``", ""), path
