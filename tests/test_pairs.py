"""What is counted when old releases of packages are compared with new ones."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from checks.pipecat.releases import parse
from tests import running


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return running.script("pairs")


@pytest.mark.parametrize(
    ("required", "oldest", "newest"),
    [
        ("pipecat-ai<1.13,>=1.4.0", "1.4.0", "1.12.0"),
        ("pipecat-ai[daily]==0.0.98", "0.0.98", "0.0.98"),
        (
            "pipecat-ai-flows>=1\nRequires-Dist: pipecat-ai[x]>=1.5; extra == 'x'\nRequires-Dist: pipecat-ai<1.2",
            *[None] * 2,
        ),
    ],
)
def test_admitted(script: ModuleType, required: str, oldest: str | None, newest: str | None, tmp_path: Path) -> None:
    (tmp_path / "x.dist-info").mkdir()
    text = f"Name: x\nRequires-Dist: {required}\n"
    (tmp_path / "x.dist-info" / "METADATA").write_text(text, encoding="utf-8")
    known = script.admitted(tmp_path)
    assert (known[0], known[-1]) == (parse(oldest or "0.0.60"), parse(newest or "1.1.0"))


def test_only_what_breaks_is_compared(script: ModuleType, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, frame in ((old, "LLMMessagesFrame, BotInterruptionFrame"), (new, "LLMMessagesFrame")):
        folder.mkdir()
        (folder / "a.py").write_text(f"from pipecat.frames.frames import {frame}\n\nx = LLMMessagesFrame\n", "utf-8")
        (folder / "b.py").write_text("from pipecat.pipeline.task import PipelineTask\n", "utf-8")
    numbers, alone = script.compared(old, new, parse("1.14.0"))
    assert numbers == [2, 1, 1, 1, 0]
    assert alone == []
