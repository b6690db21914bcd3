"""An override of a method that Pipecat no longer has.

What it finds:
    A method of a class derived from Pipecat's that overrides one which an earlier release had and the target release
    has not, in none of the class's ancestors, and which nothing else in the project mentions.

Why it matters:
    Pipecat called it, and does not any more: what it did no longer happens, without a word.

Example:
    ::

        class Mute(BaseUserMuteStrategy):
            async def reset(self):
                self._muted = True

Fix safety:
    Not mended: what it did may belong elsewhere now.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.members import dead_overrides
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.NONE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.ClassDef)
def overridden(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the methods of one class."""
    for method, gone in dead_overrides(node, source):
        yield RULE.finding(source, source.name_of(method), f"{gone.story}; nothing of Pipecat's calls this override")
