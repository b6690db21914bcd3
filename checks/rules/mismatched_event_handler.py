"""A handler of an event that cannot take what the target release calls it with.

What it finds:
    A function or method of the file that is given to an object whose class is plain, by ``event_handler`` or
    ``add_event_handler``, and takes fewer arguments than the class calls handlers of the event with, or wants more.

Why it matters:
    Each call fails with a TypeError, and Pipecat writes that to the log and goes on: what the handler is there for is
    not done. Until 0.0.85 the handlers given after it are not called either.

Example:
    ::

        @transport.event_handler("on_app_message")
        async def on_app_message(transport, message):
            await answer(message)

    becomes, for a ``SmallWebRTCTransport`` from 0.0.86 on::

        @transport.event_handler("on_app_message")
        async def on_app_message(transport, message, sender):
            await answer(message)

Fix safety:
    Safe: it could not be called at all, and does what it did in the release it was written for. Mended where something
    was added at the end, with a default if the project still admits a release without it, and where what is not handed
    on any more is not read. Left to a human where no release called handlers as this one is written, where something
    else may call it too, and where it reads what it does not get any more.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat.event_calls import adapted, fits_any, mismatch
from checks.pipecat.event_handlers import event_of, handler_of
from checks.pipecat.events import HANDLED
from checks.pipecat.objects import owner_of
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("event_handler",),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Attribute, named=HANDLED)
def handled(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on the handler in ``object.event_handler("event")``."""
    event = event_of(node, source)
    handler = handler_of(event.call, source) if event is not None else None
    if event is None or handler is None or fits_any(event.name, handler, source):
        return
    found = owner_of(node, source)
    wrong = mismatch(found, event.name, handler, source) if found is not None else None
    if wrong is None or tests_version(event.call, source):
        return
    facts, why = if_clear(adapted, wrong, handler, source)
    message = f"{wrong.story}, and this one cannot be called so: a TypeError that only the log tells of"
    yield RULE.finding(source, event.at, message, facts=facts, why=why)
