"""The cases of ``worker-passed-to-run``: silent ones first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import Case, assert_case, cases
from tests.running import check, project


@pytest.mark.parametrize("case", cases("worker-passed-to-run"), ids=str)
def test_case(case: Case, tmp_path: Path) -> None:
    """What the fixture says is what check and apply do."""
    assert_case(case, tmp_path)


@pytest.mark.parametrize(
    ("line", "test", "reason"),
    [
        ("if task: await runner.run(task)", "", "the statement shares its line"),
        ("print(await runner.run(task))", "", "the call is not awaited as a statement of its own"),
        (
            "await runner.run(task)",
            '@patch("bot.WorkerRunner")\ndef test(): ...\n',
            "test_bot.py:1 may put something else in the place of WorkerRunner",
        ),
        (
            "await runner.run(task)",
            "def test(mocker):\n    mocker.patch.multiple('bot', WorkerRunner=mocker.DEFAULT)\n",
            "test_bot.py:2 may put something else in the place of WorkerRunner",
        ),
        (
            "await Runner().run(task)",
            '@patch("bot.Runner")\ndef test(): ...\n',
            "test_bot.py:1 may put something else in the place of Runner",
        ),
        (
            "await runner.run(task)",
            "patch.dict('sys.modules', {'pipecat.pipeline.runner': None})\n",
            "test_bot.py:1 may put something else in the place of pipecat.pipeline.runner",
        ),
    ],
)
def test_why_a_human_must(line: str, test: str, reason: str, tmp_path: Path) -> None:
    """The reason is the one that holds."""
    head = "from pipecat.workers.runner import WorkerRunner\n\nRunner = WorkerRunner\n\nasync def main(task):\n    "
    head += "runner = WorkerRunner()\n    "
    root = project(tmp_path, {"bot.py": f"{head}{line}\n", "test_bot.py": test})

    assert reason in check(root, "--target", "1.14", "--select", "worker-passed-to-run", ".").out.decode()
