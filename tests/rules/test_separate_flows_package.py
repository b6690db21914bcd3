"""The cases of ``separate-flows-package``: silent ones first, and what it goes by."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from checks.pipecat import flows, timeline
from checks.pipecat.releases import RELEASES
from tests.cases import Case, assert_case, cases
from tests.trees import released


@pytest.mark.parametrize("case", cases("separate-flows-package"), ids=str)
def test_case(case: Case, tmp_path: Path) -> None:
    """What the fixture says is what check and apply do."""
    assert_case(case, tmp_path)


def test_set_node_was_set_node_from_config_with_a_name() -> None:
    manager = released("0.0.22", "pipecat_ai_flows") / "pipecat_flows" / "manager.py"
    bodies = {
        node.name: [ast.unparse(one) for one in node.body]
        for node in ast.walk(ast.parse(manager.read_bytes()))
        if isinstance(node, ast.AsyncFunctionDef)
    }
    assert bodies["set_node"][-1] == "await self._set_node(node_id, node_config)"
    named = "await self._set_node(get_or_generate_node_name(node_config), node_config)"
    assert bodies["set_node_from_config"][-1] == named


@pytest.mark.parametrize("release", [one for one in RELEASES if one >= flows.SINCE], ids=str)
def test_only_the_one_is_left(release: timeline.Release) -> None:
    owner = f"{flows.HOME}.manager.FlowManager"
    assert timeline.member(owner, flows.SET_NODE, release) is None
    assert timeline.member(owner, "set_node_from_config", release) is not None
