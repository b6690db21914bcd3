"""A keyword that the target release refuses.

What it finds:
    A keyword given to a class of Pipecat's that has no use for it in the target release and had one in another, where
    that is an error: a dataclass, a plain constructor, a pydantic model that forbids what it does not know. And an
    argument that a method of an object whose class is plain took in an earlier release.

Why it matters:
    ``TypeError`` as soon as the line runs, which may be in the middle of a call.

Example:
    ::

        worker = PipelineWorker(pipeline, task_params=params)

Fix safety:
    Safe where the keyword has another name now, or did nothing any more. Left to a human otherwise.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.keywords import passed_on, unknown_keywords
from checks.pipecat.method_arguments import refused
from checks.pipecat.remedies import Given, mended
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Module)
def calls(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on the keywords of a file's calls."""
    for unknown in unknown_keywords(source):
        if unknown.fate == "refused":
            message = f"{unknown.owner} {unknown.story}: TypeError"
            yield mended(RULE, Given(unknown.call, unknown.keyword, unknown.built), message, source)
    for unknown in passed_on(source):
        if unknown.fate == "refused":
            yield RULE.finding(source, unknown.keyword, f"{unknown.owner} {unknown.story}: TypeError")
    for argument, message in refused(source):
        yield RULE.finding(source, argument, message)
