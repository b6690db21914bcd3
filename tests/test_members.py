"""What is known of members, held against the timeline and the released wheels."""

from __future__ import annotations

import ast

import pytest

from checks.pipecat import timeline
from checks.pipecat.deprecations import of_member
from checks.pipecat.members import renames
from checks.pipecat.releases import NEWEST, RELEASES, parse
from tests.trees import released

TTS = "pipecat.services.tts_service.TTSService"


@pytest.mark.parametrize(("owner", "old"), renames())
def test_row(owner: str, old: str) -> None:
    """The new member is there when the old one is gone or deprecated, and upstream names it where it says anything."""
    new, _ = renames()[owner, old]
    record = of_member(owner, old, ("property", "method"), NEWEST)
    if record is not None:
        assert (record.replacement or "").rpartition(".")[2] == new
        since = record.since
    else:
        last = timeline.last_member(owner, old, NEWEST)
        assert last is not None
        since = RELEASES[RELEASES.index(last[0]) + 1]
    there = [timeline.member(owner, new, one) for one in RELEASES if one >= since]
    assert None not in there[there.index(next(one for one in there if one is not None)) :]
    assert there[-1] is not None


@pytest.mark.parametrize(("owner", "old"), renames())
def test_the_old_member_only_hands_on(owner: str, old: str) -> None:
    """Where the newest release has both, the old one's body says nothing but the new one, or what that one says."""
    new, _ = renames()[owner, old]
    if timeline.member(owner, old, NEWEST) is None:
        return
    module, _, name = owner.rpartition(".")
    file = released(str(NEWEST)).joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(file.read_text("utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name).body
    said = {
        part.name: part.body[-1] for part in reversed(body) if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    handed_on = (f"return self.{new}", f"await self.{new}()")
    assert ast.unparse(said[old]) in (*handed_on, ast.unparse(said[new]) if new in said else "")


def test_a_member_is_told_by_release() -> None:
    before, after = parse("0.0.108"), parse("1.0.0")
    assert timeline.member(TTS, "say", before) == "async(text)"
    assert timeline.member(TTS, "say", after) is None
    assert timeline.last_member(TTS, "say", NEWEST) == (before, "async(text)")
    assert "say" in timeline.lost()


def test_what_classes_have_lost_is_what_the_timeline_says() -> None:
    modules = [name for name in timeline.module_names() if name.startswith(("pipecat.processors", "pipecat.pipeline"))]
    found = set(timeline.lost_members(modules))
    assert len(found) > 50
    assert found <= timeline.lost()


def test_what_methods_take_no_more_is_what_the_timeline_says() -> None:
    modules = [name for name in timeline.module_names() if name.startswith(("pipecat.processors", "pipecat.adapters"))]
    found = set(timeline.narrowed_methods(modules))
    assert "push_error" in found
    assert found <= timeline.narrowed()


def test_what_methods_set_on_self_is_a_member() -> None:
    match = "pipecat.utils.text.pattern_pair_aggregator.PatternMatch"
    assert timeline.member(match, "content", parse("0.0.95")) == "self"
    assert timeline.member(match, "content", NEWEST) is None


@pytest.mark.parametrize(
    ("owner", "answers"),
    [
        (TTS, True),
        ("pipecat.transports.base_transport.TransportParams", True),  # pydantic's
        ("pipecat.processors.frame_processor.FrameProcessorQueue", False),  # asyncio's
        ("pipecat.services.deepgram.stt.LiveOptions", False),  # has a __getattr__
        ("pipecat.services.no_such.Thing", False),
    ],
)
def test_classes_that_have_no_members_but_those_known(owner: str, answers: bool) -> None:
    assert timeline.answers_for_itself(owner, NEWEST) is answers


def test_when_a_method_became_async() -> None:
    def since(owner: str, name: str) -> str:
        return str(timeline.async_since(lambda one: timeline.signature(owner, name, one), NEWEST))

    assert since(TTS, "set_voice") == "0.0.104"
    assert since("pipecat.adapters.services.open_ai_adapter.OpenAILLMAdapter", "get_llm_invocation_params") == "1.13.0"
    assert since(TTS, "run_tts") == "None"
    assert since("pipecat.utils.text.simple_text_aggregator.SimpleTextAggregator", "aggregate") == "None"
