"""The table of names that took another's place, held against the timeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.pipecat import deprecations, timeline
from checks.pipecat.releases import NEWEST, RELEASES, parse
from checks.pipecat.renames import rows, successor
from checks.rule import Fix
from checks.session import Request
from codemods import apply
from codemods.journal import Journal
from tests.cases import contents

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


def taken_no_more() -> list[tuple[str, str]]:
    """Return each class that is to go, with each keyword that the one to use instead does not take."""
    found: list[tuple[str, str]] = []
    for old in sorted({one.name for one in deprecations.records()} | rows().keys()):
        new = successor(old, NEWEST, NEWEST) if deprecations.of_name(old, NEWEST) is not None else None
        before = timeline.constructor(old, NEWEST)
        after = timeline.constructor(new.dotted, NEWEST) if new is not None else None
        if before is not None and after is not None:
            found += [(old, keyword) for keyword in sorted(before.keywords - after.keywords)]
    return found


@pytest.mark.parametrize("unsafe", [False, True])
def test_a_name_moves_with_what_its_calls_give_or_not_at_all(unsafe: bool, tmp_path: Path) -> None:
    """No result is refused: what cannot be mended with its keywords is a finding, safe mends alone or all of them."""
    lost, root = taken_no_more(), tmp_path / "project"
    assert len(lost) >= 8
    root.mkdir()
    for number, (old, keyword) in enumerate(lost):
        module, _, leaf = old.rpartition(".")
        for value in ("value", "500", "None"):
            text = f"from {module} import {leaf}\n\n\ndef make(value):\n    return {leaf}({keyword}={value})\n"
            (root / f"use_{number:03}_{value}.py").write_text(text)
    before = contents(root)

    plan = apply.mended(Request((str(root),), target=str(NEWEST)), unsafe=unsafe, jobs=1)
    ledger = apply.write(plan, Journal(tmp_path / "journal"))

    assert [entry.reason for entry in ledger.entries if entry.status in ("error", "refused")] == []
    assert ledger.exit_code() == 1
    for name, data in contents(root).items():
        old, keyword = lost[int(name[4:7])]
        new = successor(old, NEWEST, NEWEST)
        assert new is not None
        assert data == before[name] or new.leaf.encode() in data
        if unsafe and new.fix is Fix.SAFE:
            assert data != before[name]
