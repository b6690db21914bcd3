"""Released trees for the tests, Pipecat's and others', fetched from the package index once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import platformdirs
import pytest


@cache
def _fetched(package: str, release: str) -> Path | str:
    """Return the folder that holds what a release's wheel installs, or why it cannot be had."""
    kept = platformdirs.user_cache_path("pipecat-codemods-tests") / f"{package}-{release}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch]
        # A wheel may be for a newer Python than this one; it is only read.
        only = ["--only-binary=:all:", "--python-version=3.13"]
        done = subprocess.run([*command, *only, f"{package}=={release}"], capture_output=True, text=True)
        wheels = list(Path(scratch).glob("*.whl"))
        if not wheels:
            return (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        tree = Path(scratch) / "tree"
        with zipfile.ZipFile(wheels[0]) as archive:
            archive.extractall(tree)
        try:
            tree.rename(kept)
        except OSError:  # another process was quicker
            if not kept.is_dir():
                raise
    return kept


def released(release: str, package: str = "pipecat-ai") -> Path:
    """Return the unpacked tree of a release; skip the test where it cannot be downloaded."""
    found = _fetched(package, release)
    if isinstance(found, str):
        pytest.skip(f"{package} {release} cannot be downloaded: {found}")
    return found


def wheel(folder: Path, release: str, files: dict[str, str]) -> Path:
    """Make a wheel of these modules."""
    path = folder / f"pipecat_ai-{release}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"pipecat/{name}", text)
    return path


def fork(folder: Path) -> Path:
    """Make a fork of 1.1.0 that has taken over from 1.2.0 the two modules that the fixes build on."""
    tree = Path(shutil.copytree(released("1.1.0"), folder))
    for module in ("utils/base_object.py", "processors/aggregators/async_tool_messages.py"):
        shutil.copy(released("1.2.0") / "pipecat" / module, tree / "pipecat" / module)
    (tree / "pyproject.toml").touch()
    return tree


def run_on(tree: Path, script: Path) -> subprocess.CompletedProcess[str]:
    """Run a script with a Pipecat tree on its path, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(script.parent), str(tree)])}
    return subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=120)
