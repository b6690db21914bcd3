"""An event that the target release does not have, so that its handler is never called.

What it finds:
    A handler for an event of an object whose class is plain, by ``event_handler`` or ``add_event_handler``, where the
    class knew the event in an earlier release and does not know it in the target release.

Why it matters:
    A warning in the log is all that tells. The handler is not kept, and what it did is done no more: a transcript is
    not saved, a call not hung up.

Example:
    ::

        @task.event_handler("on_pipeline_ended")
        async def ended(task, frame):
            await save(task)

    becomes::

        @task.event_handler("on_pipeline_finished")
        async def ended(task, frame):
            if not isinstance(frame, EndFrame):
                return
            await save(task)

Fix safety:
    Safe: ``on_pipeline_finished`` came beside the other event, with the same frame, and for other frames too;
    ``on_client_disconnected`` comes where ``on_client_closed`` did. Left to a human where nothing comes in an event's
    place, where the handler may be called for something else too, and where the project still admits a release in which
    the new event does not come or is another one.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.advice import advice_on_keyword
from checks.pipecat.event_handlers import event_of, is_guarded
from checks.pipecat.event_moves import handed_on, move_of
from checks.pipecat.events import HANDLED, GoneEvent, gone_event, nearest, once_lost
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
    """Decide on ``object.event_handler("event")``."""
    event = event_of(node, source)
    if event is None or event.name not in once_lost():
        return
    found = owner_of(node, source)
    gone = gone_event(found, event.name, source) if found is not None else None
    if gone is None or is_guarded(event.call, event.name, source):
        return
    move = move_of(gone, source.project.target)
    if move is not None:
        facts, reason = if_clear(handed_on, event, move, source)
        why = f"{move.event} comes now{reason and f', but {reason}'}"
    else:
        facts, why = None, _advice(gone, source)
    yield RULE.finding(source, event.at, f"{gone.story}: its handler is never called", facts=facts, why=why)


def _advice(gone: GoneEvent, source: Source) -> str:
    target = source.project.target
    said = advice_on_keyword(gone.owner, gone.event, target)
    near = nearest(gone.owner, gone.event, target)
    return said or (f"the nearest that it has: {', '.join(near)}" if near else "")
