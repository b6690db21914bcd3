"""Which releases on the package index have no entry in the timeline."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests import running

LISTED = "pipecat-ai (1.15.0)\nAvailable versions: {}\n"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return running.script("new_releases")


@pytest.mark.parametrize(
    ("listed", "new"),
    [
        ("1.14.0, 1.13.0, 0.0.108", []),
        ("1.15.0, 1.14.0, 1.13.1, 1.13.0", ["1.13.1", "1.15.0"]),
        ("1.10.0, 1.9.0, 1.14.0", ["1.9.0", "1.10.0"]),
        ("1.15.0rc1, 1.14.0.dev3, 1.14.0", []),
        ("1.14.0, 0.0.59", []),
    ],
)
def test_unknown(script: ModuleType, listed: str, new: list[str]) -> None:
    assert script.unknown(LISTED.format(listed), ["0.0.108", "1.13.0", "1.14.0"]) == new


def test_no_list_is_an_error(script: ModuleType) -> None:
    with pytest.raises(ValueError, match="lists no versions"):
        script.unknown("ERROR: No matching distribution found\n", ["1.14.0"])


def test_an_update_builds_the_timeline_and_then_what_reads_it(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(command[1:]))
        return subprocess.CompletedProcess(command, 0, LISTED.format("99.0.0, 1.14.0"), "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(script, "fetch", lambda versions, folder: ran.append(f"fetch {versions[-1]}"))
    monkeypatch.setattr("sys.argv", ["new_releases.py", "--update", "--wheels", str(tmp_path)])
    assert script.main() == 0
    assert [Path(one.split()[0]).name if "scripts" in one else one for one in ran[1:]] == [
        "fetch 99.0.0",
        "build_timeline.py",
        "build_events.py",
        "build_deprecations.py",
    ]
