"""A keyword of Pipecat's that is to be removed.

What it finds:
    A keyword that upstream has deprecated by the target release, given to a class, to ``super().__init__`` of one, or
    to a function or a method named by its class; and such a key of a dict that is a node of a flow.

Why it matters:
    It still works, and will not in the release that is announced. After that most classes ignore it without a word. No
    type checker sees it: it is a parameter like any other to them.

Example:
    ::

        worker = PipelineWorker(pipeline, tool_resources=resources)

Fix safety:
    Safe where the keyword has another name now, is ignored already, or a statement beside the call does what it did.
    Unsafe where the new one has another default, where a frame's field goes that nothing reads, and where a node's role
    is told to the LLM as its instruction instead of standing in the context. Left to a human otherwise.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat import role_messages, timeline
from checks.pipecat.deprecations import Deprecation, deprecation, of_member, records
from checks.pipecat.keywords import called_name
from checks.pipecat.members import is_defined_below, is_own
from checks.pipecat.objects import owner_of
from checks.pipecat.remedies import Given, mended, stays
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import Unclear

# Functions and methods with a parameter that is to be removed.
_METHODS = frozenset(one.name.split(".")[-2] for one in records() if one.kind == "parameter")
_KEYWORDS = frozenset(one.name.rpartition(".")[2] for one in records() if one.kind == "parameter")

_NODE = "pipecat.flows.types.NodeConfig"

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.DEPRECATED,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.keyword, named=_KEYWORDS)
def given(keyword: ast.keyword, source: Source) -> Iterator[Finding]:
    """Decide on one keyword of a call."""
    call = source.parent(keyword)
    if not isinstance(call, ast.Call):
        return
    found = ((owner, _found(owner, str(keyword.arg), source)) for owner in _owners(call, source))
    owner, one = next(((owner, record) for owner, record in found if record is not None), ("", None))
    if one is None or _is_of_settings(one) or tests_version(call, source) or _is_overridden(call, source):
        return
    message = f"{keyword.arg} of {owner.rpartition('.')[2]} {one.story}"
    is_class = timeline.constructor(owner, source.project.target) is not None
    told = Given(call, keyword, owner if is_class else one.name.rpartition(".")[0], one.since)
    if not stays(told, source):
        yield mended(RULE, told, message, source, one.removed_in)


@RULE.on(ast.Dict)
def written(node: ast.Dict, source: Source) -> Iterator[Finding]:
    """Decide on a dict that is a node of a flow."""
    key = role_messages.key_of(node) if role_messages.OLD in source.text else None
    one = deprecation(f"{_NODE}.{role_messages.OLD}", ("parameter",), source.project.target)
    if key is None or one is None or not _uses_flows(source) or tests_version(node, source):
        return
    message = f"{role_messages.OLD} of NodeConfig {one.story}"
    try:
        if source.oldest < one.since:
            raise Unclear(f"{source.oldest}, which the project admits, still takes it")
        facts = role_messages.with_one(node, key, source)
    except Unclear as reason:
        yield RULE.finding(source, key, f"{message}; {reason}", removed_in=one.removed_in)
    else:
        yield RULE.finding(source, key, message, facts=facts, fix=facts.fix, removed_in=one.removed_in)


def _uses_flows(source: Source) -> bool:
    package = _NODE.rpartition(".types.")[0]
    return any((one.module or "").startswith(package) and not one.level for one in source.nodes(ast.ImportFrom))


def _owners(node: ast.Call, source: Source) -> Iterator[str]:
    """Yield the dotted names of what a call calls: a class or function, or a method by each class it may be of."""
    name = called_name(node, source)
    if name is not None:
        yield name
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        found = owner_of(node.func, source)
        for owner in sorted(found.lineage.names) if found is not None else ():
            yield f"{owner}.{node.func.attr}"


def _is_overridden(node: ast.Call, source: Source) -> bool:
    """Tell whether a class of the project's may answer the call of a method with one of its own."""
    is_method = called_name(node, source) is None
    found = owner_of(node.func, source) if is_method and isinstance(node.func, ast.Attribute) else None
    if found is None or not isinstance(node.func, ast.Attribute):
        return False
    method, outside = node.func.attr, found.lineage.outside
    if is_own(found.lineage, method):
        return True
    return not found.is_exact and any(is_defined_below(one, method, source) for one in outside)


def _found(owner: str, keyword: str, source: Source) -> Deprecation | None:
    target = source.project.target
    plain = deprecation(f"{owner}.{keyword}", ("parameter",), target)
    return plain or of_member(owner, keyword, ("parameter",), target)


def _is_of_settings(record: Deprecation) -> bool:
    """Tell whether settings-as-arguments knows more of it."""
    return (record.replacement or "").startswith("settings=")
