"""A service's settings given as arguments of their own.

What it finds:
    Keywords of a service's constructor, or of ``super().__init__`` in a class derived from one, that upstream has
    deprecated in favour of ``settings=``: ``model=``, ``voice_id=``, ``params=X.InputParams(…)``, ``live_options=`` and
    their likes.

Why it matters:
    They work until the release that is announced. After that most services ignore them without a word: the bot speaks
    with the default voice, and asks the default model. No type checker sees it.

Example:
    ::

        tts = CartesiaTTSService(api_key=key, voice_id="7134f9", params=CartesiaTTSService.InputParams(language=lang))

    becomes::

        tts = CartesiaTTSService(api_key=key, settings=CartesiaTTSService.Settings(voice="7134f9", language=lang))

Fix safety:
    Safe where the service is known to end up with the same settings, from 1.0.0 on. An argument that is None leaves
    most services their default, a field of the settings that is None does not; so where a value may be (it is
    ``os.getenv("VOICE")``, say), the fix is unsafe, but for services whose default is None anyway. Fields a call has in
    its ``settings=`` win, as they do in the service, and what the params stood for without saying so is written out.
    Left to a human: arguments unpacked from a dictionary, params made elsewhere, fields without a counterpart, values
    that the params turned into something else, and services that do nothing with the argument today.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat.keywords import built_name
from checks.pipecat.settings import moved_arguments, rewritten
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.DEPRECATED,
    deprecated_in="0.0.105",
    removed_in="2.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Call)
def called(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on the arguments of one call."""
    service = built_name(node, source) if node.keywords else None
    moved = moved_arguments(node, service, source) if service is not None else []
    if service is None or not moved or tests_version(node, source):
        return
    facts, why = if_clear(rewritten, node, service, moved, source)
    said = [(one.keyword, f"{one.keyword.arg} {one.record.story}") for one in moved]
    yield from RULE.together(source, said, facts, why=why, fix=facts.fix if facts is not None else None)
