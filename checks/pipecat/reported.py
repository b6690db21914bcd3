"""Which of pyright's diagnostics are of Pipecat, and which of those a finding of a rule's says already.

A diagnostic names a class by its last name only, which another package's class may bear too; so what it is about must
be told from the code itself: an import, a name that stands for one of Pipecat's, an object of a known class. What
cannot be told so is not Pipecat's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache

from checks.guards import asks_for, catches, tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import Lineage, is_of_library
from checks.pipecat.objects import object_of, owner_of
from checks.pyright import Diagnostic, span_of
from checks.rule import Finding
from checks.source import Source, Span

RULES = ("reportDeprecated", "reportAttributeAccessIssue", "reportCallIssue", "reportMissingImports")
_CLASS = re.compile(r'class "(?:type\[)?(?P<name>[A-Za-z_]\w*)')
_PARAMETER = re.compile(r'No parameter named "(?P<name>\w+)"')
_NO_MEMBER = re.compile(r"Cannot (?:access|assign to|delete) attribute ")


def is_of_pipecat(one: Diagnostic, source: Source) -> bool:
    """Tell whether a diagnostic is of something Pipecat's in this file, and holds at the target release as well.

    It does not hold where the release is known to have what pyright misses, nor where the code has looked first.
    """
    span = span_of(one, source) if one.rule in RULES else None
    if span is None:
        return False
    imported = _import_at(span, source)
    if imported is not None:
        return _is_of_import(one, span, imported, source) and not is_guarded(one, source)
    node = _node_at(span, source)
    if node is None or tests_version(node, source):
        return False
    if one.rule == "reportCallIssue":
        call = _call_at(span, source)
        return call is not None and not catches(call, source, "TypeError") and _is_of_call(one, call, source)
    if isinstance(node, ast.Attribute):
        if one.rule == "reportAttributeAccessIssue" and asks_for(node.attr, node, source):
            return False
        return _is_of_attribute(one, node, source)
    return isinstance(node, ast.Name) and is_of_library(source.names.resolve(node), source)


def is_guarded(one: Diagnostic, source: Source) -> bool:
    """Tell whether a diagnostic is of an import that may fail, or under a test of Pipecat's version."""
    span = span_of(one, source)
    imported = _import_at(span, source) if span is not None else None
    return imported is not None and (source.names.is_guarded(imported) or tests_version(imported, source))


def is_said(one: Diagnostic, findings: Iterable[Finding], source: Source) -> bool:
    """Tell whether one of a file's findings says what a diagnostic says.

    It stands where the diagnostic does, or covers or touches it, and names the same. What is said of an import is said
    of each use of the name, and what is said of a name's import is said of the module it is imported from.
    """
    span = span_of(one, source)
    if span is None:
        return False
    imported = _import_at(span, source)
    if imported is not None and one.rule == "reportMissingImports":
        return any(_within(finding.span, source.span(imported)) for finding in findings)
    names = {*re.findall(r'"(?:type\[)?([A-Za-z_]\w*)', one.message), *re.findall(r"\w+", _text(span, source)[:200])}
    places = [span, *(_imports_of(span, source) if imported is None else ())]
    return any(
        _within(finding.span, span) or names & set(re.findall(r"\w+", finding.message))
        for finding in findings
        if any(_touch(finding.span, place) for place in places)
    )


# -- where a diagnostic stands


def _import_at(span: Span, source: Source) -> ast.Import | ast.ImportFrom | None:
    for node in source.nodes(ast.Import, ast.ImportFrom):
        if _within(span, source.span(node)):
            return node
    return None


def _node_at(span: Span, source: Source) -> ast.expr | None:
    """Return what a diagnostic is of: the name, the attribute that ends there, else the call around it."""
    end = source.offset(span.end_line, span.end_column)
    for name in source.nodes(ast.Name):
        if source.span(name) == span:
            return name
    text = _text(span, source)
    for attribute in source.nodes(ast.Attribute):
        if attribute.attr == text and source.end(attribute) == end:
            return attribute
    return _call_at(span, source)


def _call_at(span: Span, source: Source) -> ast.Call | None:
    """Return the innermost call that a diagnostic is of or within."""
    around = [call for call in source.nodes(ast.Call) if _within(span, source.span(call))]
    # Of calls that hold the same place the one begun last, or ended first, is innermost.
    return min(around, key=lambda call: source.end(call) - source.start(call), default=None)


def _imports_of(span: Span, source: Source) -> Iterator[Span]:
    """Yield the imports by which the name at a place, or the one its attribute chain begins with, is bound."""
    node: ast.AST | None = _node_at(span, source)
    while isinstance(node, ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        for binding in source.names.bindings(node):
            if isinstance(binding.node, (ast.Import, ast.ImportFrom)):
                yield source.span(binding.node)


def _text(span: Span, source: Source) -> str:
    return source.text[source.offset(span.line, span.column) : source.offset(span.end_line, span.end_column)]


def _within(inner: Span, outer: Span) -> bool:
    return (outer.line, outer.column) <= (inner.line, inner.column) and (
        (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _touch(left: Span, right: Span) -> bool:
    return (left.line, left.column) <= (right.end_line, right.end_column) and (
        (right.line, right.column) <= (left.end_line, left.end_column)
    )


# -- whether what stands there is Pipecat's


def _is_of_import(one: Diagnostic, span: Span, node: ast.Import | ast.ImportFrom, source: Source) -> bool:
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names if _within(span, source.span(alias))]
    else:
        base = source.names.import_base(node)
        aliases = [alias for alias in node.names if _within(span, source.span(alias))]
        dotted = [f"{base}.{alias.name}" for alias in aliases] or [str(base)]
    if not any(is_of_library(name, source) for name in dotted):
        return False
    return one.rule == "reportDeprecated" or not any(timeline.exists(name, source.project.target) for name in dotted)


def _is_of_call(one: Diagnostic, call: ast.Call, source: Source) -> bool:
    keyword = _PARAMETER.match(one.message)
    target = source.project.target
    callee = source.project.resolve(call.func, source)
    if isinstance(callee, str):
        takes = timeline.constructor(callee, target) if keyword is not None else None
        taken = takes is not None and keyword is not None and keyword["name"] in takes.keywords
        return is_of_library(callee, source) and not taken
    if callee is not None:
        found = object_of(call, source)
        return found is not None and _inherits(found.lineage, "__init__", source)
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = owner_of(call.func, source)
    return owner is not None and _inherits(owner.lineage, call.func.attr, source)


def _inherits(found: Lineage, method: str, source: Source) -> bool:
    """Tell whether a class has a method from Pipecat, not from a class of the project's."""
    if not found.names or found.method(method) is not None or source.project.find_module("pipecat", source.path):
        return False
    return method == "__init__" or bool(_known_to(found, method, source))


def _known_to(found: Lineage, member: str, source: Source) -> list[str]:
    """Return which ancestors of Pipecat's have a member at the target release, or had it before."""
    target = source.project.target
    return [
        name
        for name in sorted(found.names)
        if timeline.member(name, member, target) is not None or timeline.last_member(name, member, target) is not None
    ]


def _is_of_attribute(one: Diagnostic, node: ast.Attribute, source: Source) -> bool:
    target = source.project.target
    is_missing = one.rule == "reportAttributeAccessIssue"
    dotted = source.names.resolve(node)
    if is_of_library(dotted, source):
        return not (is_missing and _has(str(dotted), source))
    if is_missing and not _NO_MEMBER.match(one.message):
        return False
    named = _CLASS.search(one.message)
    owner = owner_of(node, source)
    if owner is not None and owner.lineage.names and not source.project.find_module("pipecat", source.path):
        known = _known_to(owner.lineage, node.attr, source)
        if is_missing and any(timeline.member(name, node.attr, target) is not None for name in known):
            return False
        if owner.lineage.own:
            # What no release of Pipecat's ever had is the class's own matter.
            return bool(known) and owner.lineage.method(node.attr) is None
        return named is None or named["name"] in _last_names(owner.lineage.names)
    return named is not None and named["name"] in _class_names() and _begins_in_pipecat(node.value, source)


def _has(dotted: str, source: Source) -> bool:
    """Tell whether the target release has a name, be it a member of a class."""
    owner, _, member = dotted.rpartition(".")
    target = source.project.target
    return timeline.exists(dotted, target) is True or timeline.member(owner, member, target) is not None


def _begins_in_pipecat(node: ast.expr, source: Source) -> bool:
    """Tell whether a chain of calls and attributes begins with something of Pipecat's: ``params.llm``."""
    inner: ast.expr = node
    while True:
        match inner:
            case ast.Attribute() | ast.Await() | ast.Subscript():
                inner = inner.value
            case ast.Call():
                inner = inner.func
            case _:
                break
        if _is_pipecats(inner, source):
            return True
    return inner is not node and _is_pipecats(inner, source)


def _is_pipecats(node: ast.expr, source: Source) -> bool:
    if is_of_library(source.names.resolve(node), source):
        return True
    found = object_of(node, source)
    own_copy = source.project.find_module("pipecat", source.path) is not None
    return found is not None and not found.lineage.own and bool(found.lineage.names) and not own_copy


def _last_names(names: Iterable[str]) -> set[str]:
    return {name.rpartition(".")[2] for name in names}


@cache
def _class_names() -> frozenset[str]:
    """Return the last names of Pipecat's classes of all releases."""
    every = (name for module in timeline.module_names() for name in timeline.names_of(module))
    return frozenset(name.rpartition(".")[2] for name in every if name.rpartition(".")[2][:1].isupper())
