"""An error frame given to ``push_error``, which takes a message.

What it finds:
    ``push_error`` called with an ``ErrorFrame`` on a processor, at targets from 0.0.96 on.

Why it matters:
    Nothing fails at once: the frame becomes the message of another one, and whoever shows, sends or compares the text
    of an error gets a frame instead. That it is fatal is lost, too.

Example:
    ::

        await self.push_error(ErrorFrame("no connection"))

    becomes::

        await self.push_error_frame(ErrorFrame("no connection"))

Fix safety:
    Safe: ``push_error_frame`` does what ``push_error`` did until 0.0.95. Left to a human where the project still admits
    a release before that, and where its class has a ``push_error_frame`` of its own.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.arguments import Change, Rewrite
from checks.guards import tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import FRAME_PROCESSOR
from checks.pipecat.members import is_own
from checks.pipecat.objects import classes_of, owner_of
from checks.pipecat.releases import Release
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("push_error",),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    since="0.0.96",
    removed_in="0.0.96",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)
_SINCE = Release(0, 0, 96)
_OLD, _NEW = "push_error", "push_error_frame"
_FRAME = "pipecat.frames.frames.ErrorFrame"


@RULE.on(ast.Attribute, named=(_OLD,))
def calls(called: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``processor.push_error(frame)``."""
    node = source.parent(called)
    if not isinstance(node, ast.Call) or node.func is not called or source.project.target < _SINCE:
        return
    given = [*node.args, *(one.value for one in node.keywords if one.arg == "error")]
    if len(given) != 1 or len(node.args) + len(node.keywords) != 1 or _FRAME not in classes_of(given[0], source):
        return
    found = owner_of(called, source)
    if found is None or FRAME_PROCESSOR not in found.lineage.names or is_own(found.lineage, _OLD):
        return
    if tests_version(node, source):
        return
    why, facts = "", None
    release = next((one for one in source.releases if one < _SINCE), None)
    if release is not None:
        why = f", but not yet in {release}, which the project admits"
    elif is_own(found.lineage, _NEW) or not timeline.defines(FRAME_PROCESSOR, _NEW, source.project.target):
        why = ", but is something else in its class"
    else:
        end = source.end(called)
        facts = Rewrite((Change(source.span_between(end - len(_OLD), end), _NEW),))
    yield RULE.finding(source, node, f"{_OLD} takes a message since {_SINCE}; {_NEW} takes a frame{why}", facts=facts)
