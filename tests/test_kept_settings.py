"""Rows of kept.tsv against the timeline and the wheels: what a service's settings hold in an attribute's place."""

from __future__ import annotations

import ast

import pytest

from checks.pipecat import tables, timeline
from checks.pipecat.releases import RELEASES, Release, parse
from tests.trees import released

ROWS = list(tables.rows("kept.tsv"))
FIRST = parse("0.0.104")
SETTINGS = {
    "pipecat.services.ai_service.AIService": "pipecat.services.settings.ServiceSettings",
    "pipecat.services.tts_service.TTSService": "pipecat.services.settings.TTSSettings",
}


def said(owner: str, release: Release) -> dict[str, str]:
    """Return what the methods of a class say, docstrings left out."""
    module, _, name = owner.rpartition(".")
    file = released(str(release)).joinpath(*module.split(".")).with_suffix(".py")
    classes = (node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef))
    methods = (one for one in next(node for node in classes if node.name == name).body)
    found = (one for one in methods if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return {one.name: "\n".join(ast.unparse(part) for part in one.body if not is_docstring(part)) for one in found}


def is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


@pytest.mark.parametrize(("owner", "member", "field"), ROWS)
def test_the_settings_have_the_field_since_the_member_is_gone(owner: str, member: str, field: str) -> None:
    for release in RELEASES[RELEASES.index(FIRST) :]:
        built = timeline.constructor(SETTINGS[owner], release)
        assert built is not None
        assert field in built.keywords
        left = timeline.member(owner, member, release)
        assert left is None or left.startswith("async")


@pytest.mark.parametrize("release", ["0.0.62", "0.0.95", "0.0.103"])
def test_the_methods_did_nothing_but_set_and_tell(release: str) -> None:
    before = parse(release)
    assert said("pipecat.services.tts_service.TTSService", before)["set_voice"] == "self._voice_id = voice"
    assert said("pipecat.services.ai_service.AIService", before)["set_model_name"] == (
        "self._model_name = model\nself.set_core_metrics_data(MetricsData(processor=self.name, model=self._model_name))"
    )


@pytest.mark.parametrize("release", [FIRST, RELEASES[-1]])
@pytest.mark.parametrize(("owner", "settings"), SETTINGS.items())
def test_the_constructor_makes_the_settings(release: Release, owner: str, settings: str) -> None:
    """It takes those that it is given, or an object of the plain class."""
    assert f"settings or {settings.rpartition('.')[2]}()" in said(owner, release)["__init__"]
