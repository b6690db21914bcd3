"""A hostile repository: nothing of it is run, nothing outside is written, nothing hangs, the terminal stays whole."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.running import BAD, CHECKS, CODEMODS, GOOD, environment, project, python

MARK = "open({path!r}, 'w').write('run')\n"


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, env=environment(), check=True, capture_output=True, timeout=30)


# -- nothing of the project is run


@pytest.mark.parametrize("command", [CHECKS, (*CODEMODS, "apply"), (*CODEMODS, "plan", "--from", "1.1")])
def test_modules_of_the_project_are_not_imported(command: tuple[str, ...], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    trap = MARK.format(path=str(mark))
    names = ["click", "libcst", "json", "tomllib", "tokenize", "bot", "conftest", "setup", "pathspec", "packaging"]
    root = project(tmp_path, {f"{name}.py": trap.encode() + BAD for name in names})
    (root / "pyproject.toml").write_text("[tool.pipecat-codemods]\n", encoding="utf-8")
    done = python(root, *command, "--", "bot.py")
    assert done.code == 1, done.err
    assert not mark.exists()


def test_git_runs_no_program_of_the_repository(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = tmp_path / "trap"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
    script.chmod(0o755)
    root = project(tmp_path, {"a.py": BAD, ".gitattributes": "*.py filter=trap diff=trap\n"})
    git(root, "init", "-q")
    settings = ["core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.gitProxy", "core.askPass"]
    settings += ["filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "diff.trap.textconv"]
    settings += ["diff.external", "diff.trap.command", "pager.ls-files", "credential.helper", "alias.ls-files"]
    for name in settings:
        git(root, "config", name, str(script))
    git(root, "config", "core.hooksPath", str(tmp_path))
    for hook in ("post-index-change", "pre-commit", "fsmonitor-watchman"):
        (tmp_path / hook).write_bytes(script.read_bytes())
        (tmp_path / hook).chmod(0o755)
    done = python(root, *CODEMODS, "apply", ".")
    assert done.code == 1, done.err
    assert (root / "a.py").read_bytes() == GOOD
    assert not mark.exists()


def test_a_git_folder_elsewhere_is_no_way_out(tmp_path: Path) -> None:
    outside = project(tmp_path, {"b.py": BAD}, "outside")
    git(outside, "init", "-q")
    root = project(tmp_path, {"a.py": BAD, ".git": f"gitdir: {outside / '.git'}\n"})
    git(outside, "config", "core.worktree", str(outside))
    python(root, *CODEMODS, "apply", ".")
    assert (outside / "b.py").read_bytes() == BAD
    done = python(root, *CODEMODS, "apply", "a.py")
    assert done.code == 1, done.err
    assert (root / "a.py").read_bytes() == GOOD


# -- nothing outside is written


def test_settings_that_lead_out_write_nothing_there(tmp_path: Path) -> None:
    outside = project(tmp_path, {"b.py": BAD, "requirements.txt": "pipecat-ai==1.1.0\n"}, "outside")
    settings = '[tool.pipecat-codemods]\nexclude = ["../../**"]\nper-file-ignores = { "../outside/*" = [] }\n'
    root = project(tmp_path, {"a.py": BAD, "requirements.txt": "-r ../outside/requirements.txt\npipecat-ai==1.1.0\n"})
    (root / "pyproject.toml").write_text(settings, encoding="utf-8")
    (root / "link.txt").symlink_to(outside / "requirements.txt")
    (root / "folder").symlink_to(outside)
    done = python(root, *CODEMODS, "apply", "--raise-pin", "--target", "1.2", ".")
    assert done.code == 1, done.err
    assert (root / "a.py").read_bytes() == GOOD
    assert (outside / "b.py").read_bytes() == BAD
    assert (outside / "requirements.txt").read_text("utf-8") == "pipecat-ai==1.1.0\n"


# -- nothing hangs

READ = ["pyproject.toml", "requirements.txt", "setup.cfg", "uv.lock", ".gitignore", "a.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", READ)
def test_a_pipe_is_not_waited_for(name: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"b.py": BAD})
    (root / name).unlink(missing_ok=True)
    os.mkfifo(root / name)
    done = python(root, *CHECKS, ".")
    assert done.code == (2 if name == "pyproject.toml" else 1)
    assert [error.partition(" cannot ")[2] for error in done.errors] == ["be read: is not a regular file"] * (
        done.code // 2
    )


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs devices")
@pytest.mark.parametrize("name", READ)
def test_a_device_is_not_read_to_its_end(name: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"b.py": BAD})
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to("/dev/zero")
    done = python(root, *CHECKS, ".")
    assert done.code == (2 if name == "pyproject.toml" else 1)
    assert len(done.errors) <= 1


DEEP = 3000
HEAVY: dict[str, tuple[str, bytes]] = {
    "arrays in settings": ("pyproject.toml", b"[tool.pipecat-codemods]\nselect = " + b"[" * 10**5),
    "arrays in a lock": ("uv.lock", b"x = " + b"[" * 10**5),
    "a long number": ("a.py", b"x = " + b"9" * 10**6 + b"\n"),
    "a long string": ("a.py", b"x = '" + b"cr_code " * 10**5 + b"'\n"),
    "brackets": ("a.py", b"cr_code = " + b"(" * 10**5),
    "brackets that close": ("a.py", b"cr_code = " + b"(" * DEEP + b")" * DEEP + b"\n"),
    "a long sum": ("a.py", b"cr_code = " + b"1+" * 10**5 + b"1\n"),
    "a chain of attributes": ("a.py", b"cr_code = a" + b".cr_code" * 10**4 + b"\n"),
    "suppressions": ("a.py", b"x = 1  " + b"# codemods: ignore[" * 10**4 + b"\n"),
    "spaces": ("a.py", b"x = 1" + b" " * 10**6 + b"# codemods: ignore\n"),
    "a long line of requirements": ("requirements.txt", b"pipecat-ai[" + b"a," * 10**5 + b"]\n"),
    "requirements and spaces": ("requirements.txt", b"pipecat-ai" + b" " * 10**6 + b"x\n"),
    "blanks in a lock": ("uv.lock", b'name = "pipecat-ai"' + b" \n" * 10**6),
    "many names in a lock": ("uv.lock", b'name = "pipecat-ai" ' * 10**5),
    "a long release": ("pyproject.toml", b'[tool.pipecat-codemods]\ntarget = "' + b"1" * 10**6 + b'"\n'),
    "a long key": ("pyproject.toml", b"[tool.pipecat-codemods]\n" + b"a" * 10**6 + b" = 1\n"),
    "many patterns": ("pyproject.toml", b"[tool.pipecat-codemods]\nexclude = [" + b'"a/**/b",' * 10**4 + b"]\n"),
    "stars": ("pyproject.toml", b'[tool.pipecat-codemods]\nexclude = ["' + b"*a" * 100 + b'"]\n'),
}


@pytest.mark.parametrize("name", HEAVY)
def test_nothing_takes_long(name: str, tmp_path: Path) -> None:
    path, data = HEAVY[name]
    root = project(tmp_path, {"b.py": BAD, path: data})
    done = python(root, *CHECKS, ".")  # which has a limit of a minute
    assert done.code in (1, 2)
    assert b"Traceback" not in done.err
    assert len(done.errors) <= 1
    assert all(len(line) < 1000 for line in done.errors)
