"""The cases of ``outdated-eval``: silent ones first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import Case, assert_case, cases
from tests.running import apply, check, project


@pytest.mark.parametrize("case", cases("outdated-eval"), ids=str)
def test_case(case: Case, tmp_path: Path) -> None:
    """What the fixture says is what check and apply do."""
    assert_case(case, tmp_path)


def test_what_is_no_text_stops_no_run_of_a_folder(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": "import pipecat\n"})
    (root / "another.yaml").write_bytes(b"name: caf\xe9\nturns:\n  - user: hi\n")
    assert check(root, ".").code == 0


@pytest.mark.parametrize("text", ["{name: cat, turns: [{user: hi}]}\n", "  name: cat\n  turns:\n    - user: hi\n"])
def test_a_file_behind_which_no_list_can_stand(text: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": "import pipecat\n", "cat.yaml": text})
    done = apply(root, "--unsafe", "cat.yaml")
    assert (done.code, done.errors[:-1]) == (1, [])
    assert b"the file is written in an odd way" in done.out
