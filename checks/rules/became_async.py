"""A call without await of a method that is async now.

What it finds:
    A method of Pipecat's that an earlier release had without ``async`` and the target release has with it, called
    where its coroutine is dropped, or taken for its result.

Why it matters:
    The method does not run: its caller gets a coroutine that nothing awaits. Only a warning at the end tells of it.

Example:
    ::

        async def greet(tts: TTSService):
            tts.set_voice("other")

    becomes::

        async def greet(tts: TTSService):
            await tts.set_voice("other")

Fix safety:
    Safe: the call did nothing. Mended is a statement of its own in an async function. Unsafe: a call on ``self``, whose
    state it changes from then on; and where the constructor of a service calls ``self.set_voice(…)`` behind its base's,
    the voice is put into ``self._settings.voice``, which does what the method did, and nothing more. Left to a human
    otherwise, where a call on ``self`` may lead back to where it stands, and where the project still admits a release
    that has the method without ``async``.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat import timeline
from checks.pipecat.coroutines import awaited, unawaited
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Attribute, named=timeline.once_sync)
def called(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on one call."""
    call = source.parent(node)
    found = unawaited(call, source) if isinstance(call, ast.Call) and call.func is node else None
    if found is None:
        return
    facts, why = if_clear(awaited, found, source)
    message = f"{found.method} is async since {found.since}: without await it does not run"
    if facts is not None and facts.fix is Fix.UNSAFE:
        why = "once it runs, it changes the object it stands in"
    yield RULE.finding(source, found.call, message, facts=facts, why=why, fix=facts.fix if facts is not None else None)
