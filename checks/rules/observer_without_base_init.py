"""An observer that does not call its base class's constructor.

What it finds:
    A class derived from ``BaseObserver`` with an ``__init__`` that never calls ``super().__init__``, at targets from
    1.12.0 on.

Why it matters:
    Until 1.11 it went unnoticed. From 1.12.0 on the pipeline asks every observer for what that constructor sets, and
    an observer without it fails with an AttributeError as soon as a frame comes by again.

Example:
    ::

        class Counter(BaseObserver):
            def __init__(self):
                self.seen = 0

    becomes::

        class Counter(BaseObserver):
            def __init__(self):
                super().__init__()
                self.seen = 0

Fix safety:
    Safe: the call comes first, so that what the class sets itself still holds. Left to a human where another class of
    the project's, or one that is not seen, stands in between or beside, since its constructor may need arguments.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.guards import tests_version
from checks.pipecat.hierarchy import BASE_OBSERVER, Lineage, is_of_library, lineage, method
from checks.pipecat.releases import Release
from checks.pipecat.timeline import signature
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span
from checks.walk import walk

_ASKED_SINCE = Release(1, 12, 0)
_ASKED_FOR = "observe_every_push"

RULE = Rule(
    __name__,
    needles=("Observer",),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    since="1.12.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
)


class Facts(NamedTuple):
    """The first statement of the constructor, and whether it is the docstring."""

    first: Span
    is_docstring: bool


@RULE.on(ast.ClassDef)
def derived(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on the constructor of one class."""
    init = method(node, "__init__")
    if source.project.target < _ASKED_SINCE or not node.bases or init is None or _calls_a_constructor(node):
        return
    found = lineage(node, source)
    if BASE_OBSERVER not in found.names or _answers_itself(found) or tests_version(node, source):
        return
    first = init.body[0]
    facts = None
    is_alone = source.begins_line(first) and all(one.lineno > first.lineno for one in init.body[1:])
    if _needs_nothing(found, node, source) and is_alone and not hasattr(first, "decorator_list"):
        facts = Facts(source.span(first), ast.get_docstring(init) is not None)
    message = f"{node.name} does not call the constructor of {BASE_OBSERVER.rpartition('.')[2]}; the pipeline needs it"
    yield RULE.finding(source, source.name_of(init), message, facts=facts)


def _needs_nothing(found: Lineage, node: ast.ClassDef, source: Source) -> bool:
    """Tell whether the one base is a class of Pipecat's that can be built without arguments, for no class derives.

    In a class that derives from this one another constructor may come next.
    """
    if len(found.own) != 1 or len(node.bases) != 1 or not is_of_library(found.outside[0], source):
        return False
    for user in source.project.mentioning(node.name):
        for other in user.nodes(ast.ClassDef):
            if any(node.name in ast.unparse(base) for base in other.bases):
                return False
    built = signature(found.outside[0], "__init__", source.project.target)
    return built is not None and not built.required


def _calls_a_constructor(owner: ast.ClassDef) -> bool:
    """Tell whether a class calls a constructor, or anything that may, such as ``vars(self).update(…)``."""
    for node in walk(owner):
        if isinstance(node, ast.Attribute) and node.attr in ("__init__", "__dict__"):
            return True
        if isinstance(node, ast.Name) and node.id in ("super", "setattr", "vars"):
            return True
    return False


def _answers_itself(found: Lineage) -> bool:
    """Tell whether one of the project's classes has, or sets, what the pipeline asks for."""
    names = (_ASKED_FOR, f"_{_ASKED_FOR}", "__getattr__", "__getattribute__", "__new__")
    for _, node in found.own:
        for part in walk(node):
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and part.name in names:
                return True
            if isinstance(part, ast.Attribute) and part.attr in names and isinstance(part.ctx, ast.Store):
                return True
            if isinstance(part, ast.Name) and part.id in names:
                return True
    return False
