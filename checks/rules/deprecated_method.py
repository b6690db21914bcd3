"""A method or property of Pipecat's that is to be removed.

What it finds:
    A method or property that upstream has deprecated by the target release: used on an object whose class is plain, on
    the class itself, or on ``self`` in a class derived from it, and overridden in such a class.

Why it matters:
    It still works, and will not in the release that is announced. An override is never called from then on.

Example:
    ::

        llm = OpenAILLMService(api_key=key)
        llm.register_direct_function(search)

Fix safety:
    Not mended by this rule: most are replaced by a frame or by an argument elsewhere.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat.deprecations import Deprecation, of_member, records
from checks.pipecat.hierarchy import lineage
from checks.pipecat.objects import classes_of
from checks.receivers import is_self_attribute
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

_KINDS = ("method", "property")
_MEMBERS = frozenset(one.name.rpartition(".")[2] for one in records() if one.kind in _KINDS)

RULE = Rule(
    __name__,
    needles=sorted(_MEMBERS),
    fix=Fix.NONE,
    impact=Impact.DEPRECATED,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
)


@RULE.on(ast.Attribute)
def used(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``object.member``."""
    if node.attr not in _MEMBERS or not isinstance(node.ctx, ast.Load):
        return
    for owner in _owners(node, source):
        one = _found(owner, node.attr, source)
        if one is not None and not tests_version(node, source):
            yield RULE.finding(source, node, f"{_short(one)} {one.story}", removed_in=one.removed_in)
            return


@RULE.on(ast.ClassDef)
def overridden(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the methods of one class."""
    methods = [one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    named = [one for one in methods if one.name in _MEMBERS]
    outside = lineage(node, source).outside if named else ()
    for method in named:
        found = (_found(owner, method.name, source) for owner in outside)
        one = next((record for record in found if record is not None), None)
        if one is not None:
            start = source.text.index(method.name, source.start(method))
            at = source.span_between(start, start + len(method.name))
            yield RULE.finding(source, at, f"{_short(one)} {one.story}", removed_in=one.removed_in)


def _owners(node: ast.Attribute, source: Source) -> Iterator[str]:
    """Yield the classes of what a member is asked of."""
    if is_self_attribute(node, source):
        owner = source.names.enclosing_class(node)
        found = lineage(owner, source) if owner is not None else None
        if found is not None and found.method(node.attr) is None:
            yield from found.outside
        return
    named = source.project.resolve(node.value, source)
    if isinstance(named, str) and named.startswith("pipecat."):
        yield named
    else:
        yield from sorted(classes_of(node.value, source))


def _found(owner: str, member: str, source: Source) -> Deprecation | None:
    return of_member(owner, member, _KINDS, source.project.target) if owner.startswith("pipecat.") else None


def _short(record: Deprecation) -> str:
    return ".".join(record.name.split(".")[-2:])
