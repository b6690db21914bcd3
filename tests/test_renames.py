"""The table of names that took another's place, held against the timeline."""

from __future__ import annotations

import pytest

from checks.pipecat import timeline
from checks.pipecat.releases import NEWEST, RELEASES, parse
from checks.pipecat.renames import rows, successor
from checks.rule import Fix

# What a safe row's new class does not take; the rules for keywords find what is left of these.
_LOST = {
    "pipecat.services.aws.tts.PollyTTSService": {"text_aggregator", "text_filter"},
    "pipecat.services.openai_realtime.openai.OpenAIRealtimeLLMService": {"send_transcription_frames"},
    "pipecat.processors.frameworks.rtvi.RTVIBotReadyData": {"config"},
    # From 1.5.0 on calls.tsv says what is called instead.
    "pipecat.pipeline.base_task.PipelineTaskParams": {"loop"},
    # Fields of its summary_config now, which keywords.tsv says.
    "pipecat.utils.context.llm_context_summarization.LLMContextSummarizationConfig": {
        "llm",
        "min_messages_after_summary",
        "summarization_prompt",
        "summarization_timeout",
        "summary_message_template",
        "target_context_tokens",
    },
}


@pytest.mark.parametrize("old", rows())
def test_row(old: str) -> None:
    """A safe row's new name takes every keyword the old one took; it is there when the old one is gone."""
    new = rows()[old]
    (_, gone) = timeline.history(old)[-1]
    last = RELEASES[RELEASES.index(gone) - 1] if gone else NEWEST
    assert timeline.exists(new.dotted, gone or NEWEST)
    before, after = timeline.constructor(old, last), timeline.constructor(new.dotted, NEWEST)
    if new.fix is Fix.SAFE and before is not None and after is not None:
        assert before.keywords - after.keywords == _LOST.get(old, set())


def test_chains_are_followed_as_far_as_the_project_allows() -> None:
    old = "pipecat.frames.frames.BotInterruptionFrame"
    new, older = parse("1.14.0"), parse("1.0.0")
    followed = successor(old, new, new), successor(old, new, older), successor(old, older, older)
    assert [name and name.leaf for name in followed] == [
        "InterruptionWorkerFrame",
        "InterruptionTaskFrame",
        "InterruptionTaskFrame",
    ]


def test_a_new_name_the_project_cannot_rely_on_is_not_used() -> None:
    assert successor("pipecat.pipeline.task.PipelineTask", parse("1.14.0"), parse("1.2.0")) is None


def test_a_name_that_moved_is_taken_from_its_new_module_before_it_was_renamed() -> None:
    old = "pipecat.transports.network.websocket_server.WebsocketServerParams"
    before, after = (successor(old, release, release) for release in (parse("1.0.0"), parse("1.14.0")))
    assert before is not None
    assert after is not None
    assert before.dotted == "pipecat.transports.websocket.server.WebsocketServerParams"
    assert after.dotted == "pipecat.transports.websocket.server.SingleClientWebsocketServerParams"
