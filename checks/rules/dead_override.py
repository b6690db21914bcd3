"""An override of a method that Pipecat no longer has.

What it finds:
    A method of a class derived from Pipecat's that overrides one which an earlier release had and the target release
    has not, in none of the class's ancestors, and which nothing else in the project mentions.

Why it matters:
    Pipecat called it, and does not any more: what it did no longer happens, without a word.

Example:
    ::

        class Output(BaseOutputTransport):
            async def write_raw_audio_frames(self, frames: bytes) -> None:
                await self._socket.send(frames)

    becomes::

        class Output(BaseOutputTransport):
            async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
                await self._socket.send(frame.audio)
                return True

Fix safety:
    Unsafe, as the method runs again: where it is known which method is called in its place and how its argument is read
    off the new one, and the override only reads it. Otherwise not mended: what it did may belong elsewhere now.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.members import dead_overrides
from checks.pipecat.override_moves import move_of, moved
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.UNSAFE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.ClassDef)
def overridden(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the methods of one class."""
    for method, gone in dead_overrides(node, source):
        move, facts, why = move_of(gone, source.project.target), None, ""
        if move is not None:
            facts, reason = if_clear(moved, method, gone, move, node, source)
            why = f"{move.method} is called in its place{reason and f', but {reason}'}"
        message = f"{gone.story}; nothing of Pipecat's calls this override"
        yield RULE.finding(source, source.name_of(method), message, facts=facts, why=why)
