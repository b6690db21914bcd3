"""A realtime service that brackets each audio item instead of each response.

What it finds:
    An LLM service whose handler of audio deltas keeps track of one item and pushes ``TTSStartedFrame`` when it takes
    one up, and whose handler of ``audio.done`` pushes ``TTSStoppedFrame``.

Why it matters:
    One response can hold more than one audio item (seen with gpt-realtime-2), and the first item's ``audio.done`` can
    arrive after deltas of the second. The bot then seems to stop while it still speaks, or to start twice, and an
    interruption truncates the wrong item, or one item by another's length.

Example:
    ::

        if not self._current_audio_response:
            self._current_audio_response = CurrentAudioResponse(item_id=evt.item_id, …)
            await self.push_frame(TTSStartedFrame())

    becomes::

        if not self._current_audio_response or self._current_audio_response.item_id != evt.item_id:
            self._current_audio_response = CurrentAudioResponse(item_id=evt.item_id, …)
            if not self._tts_turn_open:
                self._tts_turn_open = True
                await self.push_frame(TTSStartedFrame())

    and the handler of ``response.done`` begins by pushing the one ``TTSStoppedFrame`` of an open turn.

Fix safety:
    Unsafe: which frames are pushed, and when, changes as intended. What is tracked begins anew with each item, so that
    truncation names the last one with its own length. An interruption closes the turn as before. Left to a human where
    a handler does more than that, is called or overridden elsewhere, or where frames are pushed in other places too. A
    response that the API never ends, connection and all, leaves its turn open until the next one ends.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.realtime import llm_lineage
from checks.pipecat.speech_turns import Speech, taking_up
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("TTSStartedFrame",),
    fix=Fix.UNSAFE,
    impact=Impact.DEFECT,
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


@RULE.on(ast.ClassDef)
def service(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on one class."""
    ancestry = llm_lineage(node, source)
    taken = taking_up(node, source) if ancestry is not None else None
    if ancestry is None or taken is None:
        return
    parts = Speech(node, taken, source)
    if parts.stopped is None and not parts.dropped:
        return
    message = f"{node.name} brackets each audio item with TTSStartedFrame and TTSStoppedFrame, not each response"
    facts, why = if_clear(parts.turn, ancestry)
    yield RULE.finding(source, taken.started, message, facts=facts, why=why and f"no fix: {why}")
