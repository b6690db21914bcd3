"""A private attribute or method that the target release's class does not have.

What it finds:
    A member of a class of Pipecat's whose name begins with an underscore, read or called on ``self`` or ``super()`` in
    a class derived from it, or on an object whose class is plain, which an earlier release had and the target release
    has not, and which nothing in the project sets.

Why it matters:
    ``AttributeError`` as soon as the line runs, which may be in the middle of a call.

Example:
    ::

        if self._enable_metrics:

    becomes::

        if self.metrics_enabled:

Fix safety:
    Safe where a property has always given the same. Left to a human otherwise, and where the project still admits a
    release without the property.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat import timeline
from checks.pipecat.advice import advice_on_keyword
from checks.pipecat.members import gone_at, is_in_dead_override, renamed
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


@RULE.on(ast.Attribute, named=timeline.lost_private)
def used(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``object._member``."""
    known = gone_at(node, source)
    if known is None or is_in_dead_override(node, source):
        return  # an override that never runs, dead-override tells of
    found, gone = known
    facts, why = if_clear(renamed, node, gone.owner, found, source)
    if facts is None:
        why = why or advice_on_keyword(gone.owner, node.attr, source.project.target) or ""
    yield RULE.finding(source, node, f"{gone.story}: AttributeError", facts=facts, why=why)
