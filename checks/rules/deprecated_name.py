"""A name of Pipecat's that is to be removed.

What it finds:
    An import or a dotted use of a module, class or function that upstream has deprecated by the target release.

Why it matters:
    It still works, and will not in the release that is announced (2.0.0 for most). Some went earlier than announced.

Example:
    ::

        from pipecat.adapters.schemas.tools_schema import ToolsSchema

    becomes::

        from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema

Fix safety:
    Safe where the old name is the same object passed on from a new module, or a class that only carries the new one
    under its old name; and where a call of a method takes the place of a function's, or a plain dict that of a typed
    one. Unsafe where the new one differs in its defaults, or in what it sends, and where what becomes of an argument
    that it does not take is. Left to a human where nothing simply takes its place, nothing is known to become of such
    an argument, where a file asks for either class by itself, and where the project's requirement admits a release
    without the new name.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat import flow_results, timeline
from checks.pipecat.calls import is_called_otherwise, told_by_use, uses_of
from checks.pipecat.deprecations import Deprecation, of_name
from checks.pipecat.hierarchy import is_of_library, library_attributes
from checks.pipecat.moves import move_of, new_name_of, one_by_one, place_taken, told, why_kept
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.DEPRECATED,
    removed_in="2.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.ImportFrom)
def imported_names(node: ast.ImportFrom, source: Source) -> Iterator[Finding]:
    """Decide on ``from module import names``."""
    if node.level or not node.module or not is_of_library(node.module, source):
        return
    found = {alias: _found(f"{node.module}.{alias.name}", source) for alias in node.names}
    said = {alias: f"{alias.name} {one.story}" for alias, one in found.items() if one is not None}
    if not said or move_of(node.module, source) is not None:
        return
    if source.names.is_guarded(node) or tests_version(node, source):
        return
    places = {alias: place_taken(f"{node.module}.{alias.name}", source) for alias in said}
    new = {alias: name for alias, name in places.items() if name is not None}
    for alias in said.keys() - new.keys():
        said[alias] += _why_kept(f"{node.module}.{alias.name}", source)
    for alias in list(said):
        dotted = f"{node.module}.{alias.name}"
        if is_called_otherwise(dotted, source.project.target):
            yield told_by_use(RULE, node, alias, said.pop(alias), source)
        elif dotted in flow_results.DOTTED:
            yield _without_it(node, alias, said.pop(alias), source)
    yield from one_by_one(node, said, new, RULE, source)


def _without_it(node: ast.ImportFrom, alias: ast.alias, message: str, source: Source) -> Finding:
    """Return the finding about a class of a flow's results, which are plain dicts now."""
    facts, why = if_clear(lambda: flow_results.without(uses_of(node, alias, source), source))
    return RULE.finding(source, alias, message, facts=facts, why=why, fix=facts.fix if facts is not None else None)


@RULE.on(ast.Import)
def imported_modules(node: ast.Import, source: Source) -> Iterator[Finding]:
    """Decide on ``import module``."""
    for alias in node.names:
        one = _found(alias.name, source) if is_of_library(alias.name, source) else None
        if one is not None and not source.names.is_guarded(node) and not tests_version(node, source):
            yield RULE.finding(source, alias, f"{alias.name} {one.story}", removed_in=one.removed_in)


@RULE.on(ast.Module)
def dotted_uses(_: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on ``module.Class`` and ``Class.Inner``."""
    for node, base in library_attributes(source):
        # What is said of an import is not said again of its uses.
        one = _found(f"{base}.{node.attr}", source) if _found(base, source) is None else None
        if one is not None and not tests_version(node, source):
            new = place_taken(f"{base}.{node.attr}", source)
            facts = new_name_of(node, new, source) if new is not None else None
            message = told(f"{source.segment(node)} {one.story}", new)
            message += _why_kept(f"{base}.{node.attr}", source) if new is None else ""
            yield RULE.finding(
                source, node, message, facts=facts, fix=new.fix if new else None, removed_in=one.removed_in
            )


def _why_kept(dotted: str, source: Source) -> str:
    why = why_kept(dotted, source)
    return f"; {why}" if why else ""


def _found(dotted: str, source: Source) -> Deprecation | None:
    target = source.project.target
    return of_name(dotted, target) if timeline.exists(dotted, target) else None
