"""A keyword of Pipecat's that is to be removed.

What it finds:
    A keyword that upstream has deprecated by the target release, given to a class, to ``super().__init__`` of one, or
    to a function or a method named by its class.

Why it matters:
    It still works, and will not in the release that is announced. After that most classes ignore it without a word. No
    type checker sees it: it is a parameter like any other to them.

Example:
    ::

        worker = PipelineWorker(pipeline, tool_resources=resources)

Fix safety:
    Safe where the keyword has another name now, or is ignored already. Left to a human otherwise.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat.deprecations import Deprecation, deprecation, of_member
from checks.pipecat.keywords import called_name, mended
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.DEPRECATED,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
)


@RULE.on(ast.Call)
def called(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on the keywords of one call."""
    name = called_name(node, source) if node.keywords else None
    if name is None:
        return
    for keyword in node.keywords:
        one = _found(name, keyword.arg, source) if keyword.arg else None
        if one is not None and not _is_of_settings(one) and not tests_version(node, source):
            message = f"{keyword.arg} of {name.rpartition('.')[2]} {one.story}"
            yield mended(RULE, node, keyword, name, message, source, one.removed_in)


def _found(name: str, keyword: str, source: Source) -> Deprecation | None:
    target = source.project.target
    plain = deprecation(f"{name}.{keyword}", ("parameter",), target)
    return plain or of_member(name, keyword, ("parameter",), target)


def _is_of_settings(record: Deprecation) -> bool:
    """Tell whether settings-as-arguments knows more of it."""
    return (record.replacement or "").startswith("settings=")
