"""An override that the target release calls with other arguments than it takes, or awaits in vain.

What it finds:
    A method of a class derived from one of Pipecat's that agrees with how an earlier release called it, and not with
    how the target release does: it has too few parameters, or too many that must be given; it is not async and returns
    nothing to await, where it is awaited now.

Why it matters:
    The call fails with a TypeError when it is made: a TTS service whose ``run_tts`` takes the text alone starts, and
    says nothing from 0.0.102 on.

Example:
    ::

        async def run_tts(self, text: str):
            yield TTSStartedFrame()

    becomes::

        async def run_tts(self, text: str, context_id: str):
            yield TTSStartedFrame(context_id=context_id)

Fix safety:
    Safe: the method could not be called at all. Mended where the release only adds parameters at the end, which are
    handed on to ``super()`` and to the frames made in the method; where it gives what may be left out, which is
    handed on to ``super()`` too; and where it only has to be async. Unsafe: from 0.0.105 on, a service that opens
    audio contexts by ids it makes up opens those it is told of, whenever it is told of another one; what it flushes
    is still the last one. Left to a human where they differ otherwise, where somebody else calls the method, and
    where the project still admits a release that calls it the old way.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.overrides import extended, outdated_methods
from checks.pipecat.sync_overrides import made_async, sync_overrides
from checks.pipecat.timeline import Signature
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.ClassDef)
def overridden(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the methods of one class."""
    for outdated in outdated_methods(node, source):
        facts, why = if_clear(extended, outdated, source)
        name = outdated.method.name
        message = f"{name} is called with {_shown(outdated.now)} since {outdated.now.since}"
        fix = facts.fix if facts is not None else None
        yield RULE.finding(source, source.name_of(outdated.method), message, facts=facts, why=why, fix=fix)


@RULE.on(ast.ClassDef)
def overridden_without_async(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the methods of one class that are awaited."""
    for found in sync_overrides(node, source):
        facts, why = if_clear(made_async, found, node, source)
        message = f"{found.method.name} is awaited since {found.since}, and this one gives nothing to await"
        yield RULE.finding(source, source.name_of(found.method), message, facts=facts, why=why)


def _shown(signature: Signature) -> str:
    names = [*signature.required, *(f"{name}=…" for name in (*signature.optional, *signature.by_keyword))]
    rest = (one.rstrip(">?") for one in signature.rest)
    return f"({', '.join([*names, *rest])})"
