"""Projects of several members: which release they aim at, and which they must work with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import CODEMODS, apply, check, git, project, python

OLD = "from pipecat.pipeline.task import PipelineTask\n\ntask = PipelineTask\n"
CORE = '[project]\nname = "core"\ndependencies = ["pipecat-ai>=1.1,<1.3"]\n'
BOT = '[project]\nname = "bot"\ndependencies = ["core"]\n'
UVS = '[tool.uv.workspace]\nmembers = ["packages/*"]\n'


def workspace(tmp_path: Path) -> Path:
    """Make a workspace of two members, of which one requires Pipecat."""
    core, bot = "packages/core", "packages/bot"
    files = {f"{core}/pyproject.toml": CORE, f"{core}/core.py": OLD, f"{bot}/pyproject.toml": BOT, f"{bot}/bot.py": OLD}
    return project(tmp_path, files)


def target(root: Path, *arguments: str) -> str:
    """Return the release that a check of a folder aims at."""
    return check(root, "--output-format", "json", *arguments, ".").report["target"]


def test_members_say_what_to_aim_at(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    assert target(root) == "1.2.1"
    assert target(root, "--target", "1.14") == "1.14.0"
    assert target(root / "packages" / "core") == "1.2.1"


def test_what_stands_at_the_root_comes_first(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    (root / "requirements.txt").write_text("pipecat-ai==1.1.0\n", encoding="utf-8")
    assert target(root) == "1.1.0"


@pytest.mark.parametrize("kind", ["uv", "lock", "git"])
def test_a_member_that_says_nothing(kind: str, tmp_path: Path) -> None:
    root = workspace(tmp_path)
    if kind == "git":
        git(root, "init", "--quiet")
        (root / "requirements.txt").write_text("pipecat-ai<1.3\n", encoding="utf-8")
    else:
        (root / "pyproject.toml").write_text(UVS, encoding="utf-8")
    if kind == "lock":
        (root / "uv.lock").write_text('[[package]]\nname = "pipecat-ai"\nversion = "1.2.0"\n', encoding="utf-8")
    assert target(root / "packages" / "bot") == ("1.2.0" if kind == "lock" else "1.2.1")


def test_a_folder_above_that_is_none_of_it(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    (root / "requirements.txt").write_text("pipecat-ai<1.3\n", encoding="utf-8")
    assert target(root / "packages" / "bot") == "1.14.0"


def test_members_that_have_nothing_in_common(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    (root / "packages/bot/requirements.txt").write_text("pipecat-ai==1.14.0\n", encoding="utf-8")
    done = apply(root, ".")
    assert (done.code, done.out) == (2, b"")
    where = "packages/bot takes 1.14.0 and packages/core takes 1.2.1"
    assert done.errors == [f"error: no release of pipecat-ai serves all of {root}: {where}; name one with --target"]
    assert target(root, "--target", "1.4.0") == "1.4.0"
    assert python(root, *CODEMODS, "plan", ".").code == 2
    assert python(root, *CODEMODS, "plan", "--from", "1.1", ".").code == 1


@pytest.mark.parametrize("text", ["[tool.uv.workspace]\nmembers = 1\n", "[tool.uv\n", '[tool]\nuv = "workspace"\n'])
def test_a_workspace_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    root = workspace(tmp_path)
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    assert check(root / "packages" / "bot", "--output-format", "json", ".").code == 1


def test_what_comes_with_another_member_counts(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    (root / "packages/core/pyproject.toml").write_text(CORE.replace(",<1.3", ""), encoding="utf-8")
    done = check(root, "--select", "deprecated-name", ".")
    assert done.out.count(b"1.1.0, which the project admits, has no PipelineWorker yet") == 2
