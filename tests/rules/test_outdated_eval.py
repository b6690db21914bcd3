"""The cases of ``outdated-eval``: silent ones first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import Case, assert_case, cases


@pytest.mark.parametrize("case", cases("outdated-eval"), ids=str)
def test_case(case: Case, tmp_path: Path) -> None:
    """What the fixture says is what check and apply do."""
    assert_case(case, tmp_path)
