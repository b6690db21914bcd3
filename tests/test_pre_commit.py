"""The hooks for users, run by the real pre-commit in a repository of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
OLD = "def name_of(coroutine):\n    return coroutine.cr_code.co_name\n"
NEW = 'def name_of(coroutine):\n    return getattr(getattr(coroutine, "cr_code", None), "co_name", "task")\n'


def run(*command: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.org",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.org",
    }
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        environment.pop(name, None)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for pre-commit's environments, shared by the tests of this module."""
    return tmp_path_factory.mktemp("pre-commit-home")


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory, home: Path) -> tuple[Path, str]:
    """Return a repository that holds this working tree as its one commit, and that commit."""
    root = tmp_path_factory.mktemp("hooks")
    listed = run("git", "ls-files", "-co", "--exclude-standard", cwd=REPOSITORY, home=home).stdout
    for name in listed.splitlines():
        if not name.startswith(("tests/", "fixtures/")) and (REPOSITORY / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes((REPOSITORY / name).read_bytes())
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "--no-verify", "-m", "x"]):
        assert run("git", *command, cwd=root, home=home).returncode == 0
    return root, run("git", "rev-parse", "HEAD", cwd=root, home=home).stdout.strip()


def repository(root: Path, hooks: tuple[Path, str], home: Path, ids: list[str]) -> None:
    """Make a user's repository with an old file, staged, and the hooks configured."""
    lines = "".join(f"      - id: {one}\n        args: [--target, '1.2.0']\n" for one in ids)
    config = f"repos:\n  - repo: {hooks[0]}\n    rev: {hooks[1]}\n    hooks:\n{lines}"
    (root / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    (root / "bot.py").write_text(OLD, encoding="utf-8")
    (root / "notes.txt").write_text("coroutine.cr_code.co_name\n", encoding="utf-8")
    run("git", "init", "-q", cwd=root, home=home)
    run("git", "add", "-A", cwd=root, home=home)
    # Not staged and not tracked: no business of a hook's.
    (root / "other.py").write_text(OLD, encoding="utf-8")
    installed = run(sys.executable, "-m", "pre_commit", "install-hooks", cwd=root, home=home)
    if installed.returncode:
        pytest.skip(f"pre-commit cannot install the hooks here: {installed.stdout[-300:]}")


def commit(root: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "pre_commit", "run", cwd=root, home=home)


def test_codemods_hook_mends_and_then_passes(tmp_path: Path, hooks: tuple[Path, str], home: Path) -> None:
    repository(tmp_path, hooks, home, ["pipecat-codemods"])
    first = commit(tmp_path, home)
    assert first.returncode == 1
    assert "files were modified by this hook" in first.stdout
    assert (tmp_path / "bot.py").read_text() == NEW
    assert (tmp_path / "other.py").read_text() == OLD
    run("git", "add", "bot.py", cwd=tmp_path, home=home)
    second = commit(tmp_path, home)
    assert second.returncode == 0, second.stdout
    assert (tmp_path / "bot.py").read_text() == NEW


def test_checks_hook_finds_and_changes_nothing(tmp_path: Path, hooks: tuple[Path, str], home: Path) -> None:
    repository(tmp_path, hooks, home, ["pipecat-checks"])
    found = commit(tmp_path, home)
    assert found.returncode == 1
    assert "bot.py:2:12: unguarded-cr-code" in found.stdout
    assert "other.py" not in found.stdout
    assert "notes.txt" not in found.stdout
    assert (tmp_path / "bot.py").read_text() == OLD


def test_both_hooks_settle_in_two_passes(tmp_path: Path, hooks: tuple[Path, str], home: Path) -> None:
    repository(tmp_path, hooks, home, ["pipecat-codemods", "pipecat-checks"])
    assert commit(tmp_path, home).returncode == 1
    run("git", "add", "bot.py", cwd=tmp_path, home=home)
    assert commit(tmp_path, home).returncode == 0


# Mended, it needs another import, and a line that is too long.
UNSORTED = """\
import sys
import os
from pipecat.pipeline.task import PipelineTask, PipelineParams
def build(pipeline, coroutine, observers):
    print(os.name, sys.argv, 'a first, a second and a third thing', coroutine.cr_code.co_name, "and what comes last")
    return PipelineTask(pipeline, params = PipelineParams(enable_metrics=True), observers = observers)
"""
FORMATTERS = {
    "ruff": ["ruff check --isolated --select I --fix", "ruff format --isolated"],
    "black": ["isort --profile black", "black"],
}


@pytest.mark.parametrize("tool", FORMATTERS)
def test_hooks_of_others_settle_in_two_passes(tool: str, tmp_path: Path, hooks: tuple[Path, str], home: Path) -> None:
    if find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed; it is in the dev extra")
    repository(tmp_path, hooks, home, ["pipecat-codemods", "pipecat-checks"])
    config = tmp_path / ".pre-commit-config.yaml"
    entries = [f"{sys.executable} -m {command}" for command in FORMATTERS[tool]]
    local = "".join(
        f"      - {{id: other-{number}, name: other, entry: {json.dumps(entry)}, language: system, types: [python]}}\n"
        for number, entry in enumerate(entries)
    )
    text = config.read_text().replace("'1.2.0'", "'1.14.0'")
    config.write_text(f"{text}  - repo: local\n    hooks:\n{local}", encoding="utf-8")
    (tmp_path / "bot.py").write_text(UNSORTED, encoding="utf-8")
    run("git", "add", "-A", ":!other.py", cwd=tmp_path, home=home)

    first = commit(tmp_path, home)
    assert first.returncode == 1
    mended = (tmp_path / "bot.py").read_text()
    assert "cr_code.co_name" not in mended
    assert mended.startswith("import os\nimport sys\n\nfrom pipecat")
    run("git", "add", "bot.py", cwd=tmp_path, home=home)
    second = commit(tmp_path, home)
    assert second.returncode == 0, second.stdout
    assert (tmp_path / "bot.py").read_text() == mended
