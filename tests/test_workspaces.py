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
    return target_of(root, ".", *arguments)


def target_of(root: Path, *arguments: str) -> str:
    """Return the release that a check of some paths aims at."""
    return check(root, "--output-format", "json", *arguments).report["target"]


def folders(root: Path, **releases: str) -> Path:
    """Make a repository of folders that each pin a release."""
    files: dict[str, bytes | str] = {}
    for name, release in releases.items():
        files |= {f"{name}/requirements.txt": f"pipecat-ai=={release}\n", f"{name}/bot.py": OLD}
    made = project(root, files)
    git(made, "init", "--quiet")
    return made


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


def test_files_that_are_named_one_by_one(tmp_path: Path) -> None:
    root = folders(tmp_path, server="1.2.0", examples="1.8.0")
    assert target_of(root, "server/bot.py") == target_of(root, "server") == "1.2.0"
    assert target_of(root, "examples/bot.py") == "1.8.0"
    assert check(root, "examples/bot.py", "server/bot.py").code == check(root, ".").code == 2
    assert target(root, "--exclude", "examples") == "1.2.0"
    assert b"from pipecat-ai 1.2.0 to " in python(root, *CODEMODS, "plan", "server/bot.py").out
    done = check(root, "--output-format", "json", "--stdin-filename", "server/bot.py", "-", stdin=OLD.encode())
    assert done.report["target"] == "1.2.0"


def test_files_with_nothing_above_them(tmp_path: Path) -> None:
    root = folders(tmp_path, docker="1.2.0")
    (root / "docker" / "bot.py").rename(root / "bot.py")
    assert target_of(root, "bot.py") == target(root) == "1.2.0"
    (root / "examples").mkdir()
    (root / "examples" / "requirements.txt").write_text("pipecat-ai==1.8.0\n", encoding="utf-8")
    assert check(root, "bot.py").code == 2
    (root / "other.py").write_text("x = 1\n", encoding="utf-8")
    assert check(root, "other.py").code == 0


def test_what_has_no_code_does_not_count_beside_what_has(tmp_path: Path) -> None:
    root = folders(tmp_path, server="1.8.0", docs="1.2.0")
    (root / "docs" / "bot.py").write_text("project = 'Bots'\n", encoding="utf-8")
    assert target(root) == "1.8.0"
    assert target_of(root, "docs/requirements.txt") == "1.2.0"


def test_what_a_workspace_leaves_out(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    for name in ("old", "env/x", "x/site-packages/y"):
        (root / "packages" / name).mkdir(parents=True)
        text = CORE.replace(">=1.1,<1.3", "==1.0.0")
        (root / "packages" / name / "pyproject.toml").write_text(text, encoding="utf-8")
    (root / "packages/env/pyvenv.cfg").touch()
    members = UVS.replace("packages/*", "packages/**") + 'exclude = ["packages/old"]\n'
    (root / "pyproject.toml").write_text(members, encoding="utf-8")
    assert target(root / "packages" / "bot") == "1.2.1"


def test_a_repository_called_requirements(tmp_path: Path) -> None:
    root = tmp_path / "requirements"
    project(tmp_path, {"bot.py": OLD, "requirements.txt": "pipecat-ai\n", "setup.cfg": ""}).rename(root)
    (tmp_path / "requirements.txt").write_text("pipecat-ai==1.2.0\n", encoding="utf-8")
    assert target(root) == "1.14.0"


def test_a_folder_that_excludes_what_the_root_says(tmp_path: Path) -> None:
    root = folders(tmp_path, examples="1.2.0", server="1.14.0")
    (root / "requirements.txt").write_text("pipecat-ai>=1.8\n", encoding="utf-8")
    done = check(root, "--select", "deprecated-name", ".")
    assert done.out.count(b"1.2.0, which the project admits, has no PipelineWorker yet") == 1
    none, one = b" 0 would be mended", b" 1 would be mended"
    assert none in apply(root, "--check", "examples/bot.py").out
    assert one in apply(root, "--check", "server/bot.py").out
    assert one in apply(root, "--check", "--target", "1.14", "examples/bot.py").out


@pytest.mark.parametrize("named", [".", "packages/bot", "packages/bot/bot.py"])
def test_what_comes_with_another_member_counts_for_one_that_is_named(named: str, tmp_path: Path) -> None:
    root = workspace(tmp_path)
    (root / "pyproject.toml").write_text(UVS, encoding="utf-8")
    (root / "packages/core/pyproject.toml").write_text(CORE.replace(",<1.3", ""), encoding="utf-8")
    done = check(root, "--select", "deprecated-name", "--target", "1.14", named)
    assert b"bot.py:1" in done.out
    assert done.out.count(b"1.1.0, which the project admits, has no PipelineWorker yet") == (2 if named == "." else 1)
