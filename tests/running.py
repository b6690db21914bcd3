"""Runs the tools as their users do: in a process of its own, in a small project below ``tmp_path``."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.cases import contents

ROOT = Path(__file__).parent.parent
CODEMODS = ("-m", "codemods")
CHECKS = ("-m", "checks")
# A safe finding of unguarded-cr-code, and what it is mended to.
OLD = b"c.cr_code.co_name"
NEW = b'getattr(getattr(c, "cr_code", None), "co_name", "task")'
BAD = b"def f(c):\n    return c.cr_code.co_name\n"
GOOD = BAD.replace(OLD, NEW)
# A finding of unguarded-cr-code that only a human can mend.
HUMAN = b"def g(c):\n    return c.cr_frame.f_lineno\n"
# A finding of task-manager-argument that is unsafe to mend, as nobody builds the class; from 1.2.0 on.
UNSAFE = b"""\
from pipecat.observers.base_observer import BaseObserver


class Watcher(BaseObserver):
    def __init__(self, *, task_manager, **kwargs):
        super().__init__(**kwargs)
        self._task_manager = task_manager

    async def start(self):
        self._task = self._task_manager.create_task(self._count(), "counting")
"""
UNSAFE_MENDED = b"""\
from pipecat.observers.base_observer import BaseObserver


class Watcher(BaseObserver):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    async def start(self):
        self._task = self.create_task(self._count(), "counting")
"""
# Built in another file the same class is mended safely, both files together. By name main.py is written first.
TOGETHER = {
    "watcher.py": UNSAFE,
    "main.py": b"""\
from watcher import Watcher


async def main(manager):
    watcher = Watcher(task_manager=manager)
    await watcher.start()
""",
}
TOGETHER_MENDED = {
    "watcher.py": UNSAFE_MENDED,
    "main.py": b"""\
from watcher import Watcher


async def main(manager):
    watcher = Watcher()
    await watcher.setup(manager)
    await watcher.start()
""",
}


@dataclass(frozen=True)
class Done:
    """How a process ended and what it printed."""

    code: int
    out: bytes
    err: bytes

    @property
    def report(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def errors(self) -> list[str]:
        """The lines of stderr, where nothing but errors may stand."""
        lines = self.err.decode().splitlines()
        assert [line for line in lines if not line.startswith("error: ")] == []
        return lines


def project(tmp_path: Path, files: Mapping[str, bytes | str], name: str = "project") -> Path:
    """Make a project of these files; it has a pyproject.toml in any case."""
    root = tmp_path / name
    root.mkdir()
    (root / "pyproject.toml").touch()
    for path, data in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def script(name: str) -> ModuleType:
    """Return one of the scripts, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        return importlib.import_module(name)


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a run: the journal below ``tmp_path`` (see conftest), git as it comes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}
    return {
        **kept,
        "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **changes,
    }


def python(cwd: Path, *arguments: str | bytes, stdin: bytes = b"", **changes: str) -> Done:
    """Run this Python in a folder; ``changes`` go into its environment."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment(**changes),
        input=stdin,
        capture_output=True,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def at_once(runs: Iterable[Callable[[], Done]]) -> list[Done]:
    """Make several runs side by side and return how they ended, in order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda run: run(), runs))


def apply(cwd: Path, *arguments: str | bytes, stdin: bytes = b"", **changes: str) -> Done:
    """Run ``python -m codemods apply``."""
    return python(cwd, *CODEMODS, "apply", *arguments, stdin=stdin, **changes)


def check(cwd: Path, *arguments: str | bytes, stdin: bytes = b"", **changes: str) -> Done:
    """Run ``python -m checks``."""
    return python(cwd, *CHECKS, *arguments, stdin=stdin, **changes)


def undo(cwd: Path, *arguments: str | bytes) -> Done:
    """Run ``python -m codemods undo``."""
    return python(cwd, *CODEMODS, "undo", *arguments)


def found(done: Done) -> list[tuple[str, str, bool]]:
    """Return path, rule and ``applied`` of each finding in a report."""
    return [(one["path"], one["rule"], one["applied"]) for one in done.report["findings"]]


def statuses(done: Done) -> dict[str, str]:
    """Return what a report says became of each file."""
    return {one["path"]: one["status"] for one in done.report["files"]}


def git(cwd: Path, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run git; what it has to say is in the result."""
    return subprocess.run(["git", *arguments], cwd=cwd, env=environment(), input=stdin, capture_output=True)


def python_sources(root: Path) -> dict[str, bytes]:
    """Return the bytes of each Python file of a project."""
    return {name: data for name, data in contents(root).items() if name.endswith(".py")}
