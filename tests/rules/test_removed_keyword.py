"""The cases of ``removed-keyword``: silent ones first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import Case, assert_case, cases
from tests.running import check, project


@pytest.mark.parametrize("case", cases("removed-keyword"), ids=str)
def test_case(case: Case, tmp_path: Path) -> None:
    """What the fixture says is what check and apply do."""
    assert_case(case, tmp_path)


def test_a_keyword_within_a_dictionary_is_named(tmp_path: Path) -> None:
    module, name = "pipecat.utils.context.llm_context_summarization", "LLMAutoContextSummarizationConfig"
    text = f'from {module} import {name}\n\n{name}(**{{"target_context_tokens": 5}})\n'
    done = check(project(tmp_path, {"bot.py": text}), "--target", "1.14.0", "--output-format", "json", "bot.py")
    assert [one["message"] for one in done.report["findings"]] == [f"{name} takes no target_context_tokens: TypeError"]
