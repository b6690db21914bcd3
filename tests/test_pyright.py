"""The real pyright on every fixture: what a codemod writes has no diagnostic that was not there before."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cases import FIXTURES, Case, cases
from tests.trees import released

RULES = sorted(folder.name for folder in FIXTURES.iterdir())
MENDED = [case for rule in RULES for case in cases(rule) if case.changes]
TARGETS = sorted({case.target for case in MENDED})
Diagnostic = tuple[str, str, str]


def diagnostics(root: Path, target: str) -> list[dict[str, Any]]:
    """Return what pyright says of a folder, with a Pipecat release on its path."""
    config = {"extraPaths": [str(released(target))], "reportMissingModuleSource": False}
    (root / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)["generalDiagnostics"]


def by_case(found: list[dict[str, Any]], root: Path) -> dict[Path, Counter[Diagnostic]]:
    """Sort diagnostics by case folder, without line numbers, which an edit shifts."""
    sorted_out: dict[Path, Counter[Diagnostic]] = {}
    for one in found:
        relative = Path(one["file"]).relative_to(root)
        case, file = Path(*relative.parts[:2]), Path(*relative.parts[3:])
        key = (str(file), one.get("rule", "syntax"), one["message"])
        sorted_out.setdefault(case, Counter())[key] += 1
    return sorted_out


@pytest.mark.parametrize("target", TARGETS)
def test_no_new_diagnostics(target: str, tmp_path: Path) -> None:
    here: list[Case] = [case for case in MENDED if case.target == target]
    results: dict[str, dict[Path, Counter[Diagnostic]]] = {}
    for side in ("before", "after"):
        root = tmp_path / side
        for case in here:
            shutil.copytree(case.folder / side, root / case.rule / case.folder.name / side)
        results[side] = by_case(diagnostics(root, target), root)
    for case in here:
        name = Path(case.rule, case.folder.name)
        before, after = (results[side].get(name, Counter()) for side in ("before", "after"))
        assert after - before == Counter(), case
    if target == "1.2.0":
        name = Path("unguarded-cr-code", "mended-annotated-coroutine")
        message = 'Cannot access attribute "cr_code" for class "Coroutine[Unknown, Unknown, Unknown]"'
        reported = [key for key in results["before"][name] if key[2].startswith(message)]
        assert [key[1] for key in reported] == ["reportAttributeAccessIssue"]
        assert results["after"].get(name, Counter()) == Counter()
