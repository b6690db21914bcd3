"""The recipes under docs: their YAML parses, and each command in them does what they say of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import BAD, GOOD, ROOT, environment, git, project

DOCS = ROOT / "docs"
# What it takes to install is not to be had here.
INSTALL = "python -m pip install "


def document(name: str) -> Any:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return yaml.safe_load(blocks[0])


def commands(name: str) -> Iterator[list[str]]:
    """Yield the commands of each job of a recipe, those that run when a step before has failed too."""
    if name == "github-actions.md":
        for job in document(name)["jobs"].values():
            assert all(step.keys() <= {"uses", "with", "run", "env", "if"} for step in job["steps"])
            yield [step["run"] for step in job["steps"] if "run" in step]
    else:
        jobs = (job for job in document(name).values() if "script" in job)
        for job in jobs:
            yield [*job["before_script"], *job["script"], *job["after_script"]]


def run(root: Path, command: str) -> int:
    for script, module in (("pipecat-checks", "checks"), ("pipecat-codemods", "codemods")):
        command = command.replace(f"{script} ", f"{sys.executable} -m {module} ")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shell = ["bash", "-e", "-c", command]
    return subprocess.run(shell, cwd=root, env=environment(PATH=path, TARGET="1.14.0"), capture_output=True).returncode


@pytest.mark.parametrize("name", ["github-actions.md", "gitlab-ci.md"])
def test_recipe(name: str, tmp_path: Path) -> None:
    checks, upgrade = commands(name)
    root = project(tmp_path, {"a.py": BAD, "b.py": b"1 .nope\n" + BAD, "requirements.txt": "pipecat-ai==1.1.0\n"})
    git(root, "init", "-q")
    git(root, "add", ".")

    assert [run(root, command) for command in checks if not command.startswith(INSTALL)] == [1, 0]
    assert b'"generalDiagnostics"' in (root / "report.json").read_bytes()

    assert [run(root, command) for command in upgrade if not command.startswith(INSTALL)] == [0, 0, 0]
    assert (root / "a.py").read_bytes() == GOOD
    assert b"+    return getattr(getattr(c" in (root / "upgrade.patch").read_bytes()

    git(root, "checkout", "-q", ".")
    last = re.findall(r"`(pipecat-codemods apply --pyright-report [^`]*)`", (DOCS / name).read_text(encoding="utf-8"))
    assert len(last) == 1
    assert run(root, last[0]) == 0
    assert (root / "a.py").read_bytes() == BAD  # of its lines pyright says nothing
