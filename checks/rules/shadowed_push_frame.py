"""A push_frame put on a realtime service from outside, behind which tools' results are lost.

What it finds:
    ``service.push_frame = …`` where the service is a realtime LLM service of Pipecat's, by a class that is plain, and
    ``self.push_frame = …`` in a class derived from one.

Why it matters:
    From 1.13.0 these services send a tool's result to the model from their own ``push_frame``. An attribute of the
    instance hides it, so that no result arrives any more unless it is called; with a copy of its old body it is not.

Example:
    ::

        llm = OpenAIRealtimeLLMService(api_key=key)
        llm.push_frame = spy

Fix safety:
    Not mended: derive a class that overrides ``push_frame`` and calls ``super().push_frame``, or use an observer.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.13.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.hierarchy import lineage
from checks.pipecat.objects import classes_of
from checks.pipecat.realtime import PUSHED_SINCE, REALTIME
from checks.receivers import is_self_attribute
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("push_frame",),
    fix=Fix.NONE,
    impact=Impact.SILENT,
    since="1.13.0",
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.13.0",
)


@RULE.on(ast.Assign)
def assigned(node: ast.Assign, source: Source) -> Iterator[Finding]:
    """Decide on one assignment."""
    if source.project.target < PUSHED_SINCE:
        return
    for target in node.targets:
        if isinstance(target, ast.Attribute) and target.attr == "push_frame":
            if _services(target, source) & REALTIME:
                message = "this hides the service's own push_frame, which sends tools' results from 1.13.0 on"
                yield RULE.finding(source, target, f"{message}; override it in a class, or use an observer")


def _services(target: ast.Attribute, source: Source) -> frozenset[str]:
    if is_self_attribute(target, source):
        owner = source.names.enclosing_class(target)
        return lineage(owner, source).names if owner is not None else frozenset()
    return classes_of(target.value, source)
