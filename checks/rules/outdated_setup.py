"""A ``setup`` that expects what earlier releases gave it.

What it finds:
    ``setup`` of a turn or mute strategy, of the controllers around them, or of a serializer, whose parameter is a task
    manager or a ``StartFrame``, at targets from 1.8.0 on.

Why it matters:
    It is given a ``FrameProcessorSetup``, and no warning says so: ``AttributeError`` once the task manager is used, in
    the middle of a call.

Example:
    ::

        async def setup(self, task_manager: BaseTaskManager):
            await super().setup(task_manager)
            self._watch = task_manager.create_task(self._wait(), "watch")

    becomes::

        async def setup(self, setup: FrameProcessorSetup):
            await super().setup(setup)
            self._watch = setup.task_manager.create_task(self._wait(), "watch")

Fix safety:
    Safe: the setup holds the task manager, and what it has of the frame under the same names. Left to a human where the
    method asks the frame for anything else, where the project calls such a method by itself, and where it still admits
    a release before 1.8.0.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.setup_contract import SINCE, expecting, moved
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("def setup",),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    since="1.8.0",
    removed_in="1.8.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
)


@RULE.on(ast.ClassDef)
def classes(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the ``setup`` of one class."""
    found = expecting(node, source)
    if found is None:
        return
    facts, why = if_clear(moved, found, source)
    kind = found.given.rpartition(".")[2]
    message = f"setup is given a FrameProcessorSetup since {SINCE}, no {kind}"
    yield RULE.finding(source, found.parameter, message, facts=facts, why=why)
