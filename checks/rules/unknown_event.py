"""An event that no release up to the target one has, so that its handler is never called.

What it finds:
    A handler for an event of an object whose class is plain, by ``event_handler`` or ``add_event_handler``, where
    neither the class nor one it derives from registers the event in the target release or has in an earlier one: its
    name is misspelt, it is another class's, or it comes with a later release.

Why it matters:
    A warning in the log is all that tells. The handler is not kept, and what it is there for is not done.

Example:
    ::

        transport = SmallWebRTCTransport(connection, params)

        @transport.event_handler("on_participant_left")
        async def left(transport, client): ...

Fix safety:
    No fix: only its author knows which event was meant. The message names those of the class that are spelt most like
    it. Nothing is said where the object may know events that are not told here: where a class above it is not known, or
    takes handlers in a way of its own; where only a class of Pipecat's is known that it is of or below, as of an
    annotated parameter; and where the project anywhere registers an event of that name, or one whose name is not
    written out.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.event_handlers import event_of, is_guarded
from checks.pipecat.events import HANDLED, nearest, unknown_event
from checks.pipecat.objects import owner_of
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("event_handler",),
    fix=Fix.NONE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Attribute, named=HANDLED)
def handled(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``object.event_handler("event")``."""
    event = event_of(node, source)
    found = owner_of(node, source) if event is not None else None
    unknown = unknown_event(found, event.name, source) if event is not None and found is not None else None
    if event is None or unknown is None or is_guarded(event.call, event.name, source):
        return
    near = nearest(unknown.owner, event.name, source.project.target)
    why = f"the nearest that it has: {', '.join(near)}" if near else ""
    yield RULE.finding(source, event.at, f"{unknown.story}: its handler is never called", why=why)
