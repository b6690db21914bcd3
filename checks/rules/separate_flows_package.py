"""An import from ``pipecat_flows``, which is part of Pipecat now.

What it finds:
    Imports from the separate package ``pipecat_flows``, at targets from 1.5.0 on. And what it had before its 1.0, and
    Pipecat's never did: ``set_node`` and keywords of its ``FlowManager``, functions of a node as dictionaries, and
    where they lead told beside them.

Why it matters:
    ``pipecat-ai-flows`` cannot be installed beside the target release: its last version asks for ``pipecat-ai<1.5``.
    Pipecat has the same names as ``pipecat.flows``.

Example:
    ::

        from pipecat_flows import FlowManager, NodeConfig

    becomes::

        from pipecat.flows import FlowManager, NodeConfig

Fix safety:
    Safe: ``pipecat.flows`` of 1.5.0 has the modules and names of the package's 1.4.0. All imports of a project change
    together. ``set_node(name, config)`` becomes ``set_node_from_config`` with the name in the configuration, which does
    the same. Left to a human where an import names what Pipecat does not have, among it ``FlowConfig``, which is
    another class now, and where a string names the package; and old keywords and functions. The requirement
    ``pipecat-ai-flows`` is to go by hand.

References:
    https://docs.pipecat.ai/pipecat/migration/flows
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import asks_for, tests_version
from checks.pipecat import timeline
from checks.pipecat.flows import (
    HOME,
    PACKAGE,
    SET_NODE,
    SINCE,
    is_function,
    is_set_node,
    lost_keywords,
    named_in_config,
)
from checks.pipecat.moves import MovedImport, moved_names
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import Unclear, if_clear

_OTHERS = ("FlowConfig",)

RULE = Rule(
    __name__,
    needles=("pipecat_flows", "pipecat.flows", "FlowManager"),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    since="1.5.0",
    url="https://docs.pipecat.ai/pipecat/migration/flows",
)


@RULE.on(ast.ImportFrom)
def imported_names(node: ast.ImportFrom, source: Source) -> Iterator[Finding]:
    """Decide on ``from pipecat_flows import names``."""
    if _is_concerned(node, source):
        yield _finding(node, source)


@RULE.on(ast.Import)
def imported_module(node: ast.Import, source: Source) -> Iterator[Finding]:
    """Decide on ``import pipecat_flows``."""
    if _is_concerned(node, source):
        yield _finding(node, source)


@RULE.on(ast.Call)
def old_keywords(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on ``FlowManager(tts=…)`` and ``FlowsFunctionSchema(transition_to=…)``."""
    lost = lost_keywords(node, source) if node.keywords else {}
    if lost and _is_released(node, source):
        for name, advice in sorted(lost.items()):
            owner = source.segment(node.func).rpartition(".")[2]
            yield RULE.finding(source, node.func, f"{owner} of {HOME} takes no {name}; {advice}")


@RULE.on(ast.Attribute, named=(SET_NODE,))
def nodes_set(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``manager.set_node(name, config)``."""
    call = source.parent(node)
    if not isinstance(call, ast.Call) or call.func is not node or not is_set_node(node, source):
        return
    if _is_released(node, source) and not asks_for(SET_NODE, node, source):
        facts, why = if_clear(named_in_config, call, source)
        yield RULE.finding(source, node, f"FlowManager of {HOME} has no {SET_NODE}", facts=facts, why=why)


@RULE.on(ast.Dict)
def functions(node: ast.Dict, source: Source) -> Iterator[Finding]:
    """Decide on a function of a node."""
    if is_function(node, source) and _is_released(node, source):
        yield RULE.finding(
            source, node, f"{HOME} takes no dictionary for a function; a FlowsFunctionSchema says the same"
        )


def _is_released(node: ast.AST, source: Source) -> bool:
    """Tell whether flows are those of a target release at a node, and not a copy in the project."""
    if source.project.target < SINCE or tests_version(node, source):
        return False
    return not any(source.project.find_module(one, source.path) for one in (PACKAGE, "pipecat"))


def _finding(node: ast.Import | ast.ImportFrom, source: Source) -> Finding:
    message = f"{PACKAGE} cannot be installed with {source.project.target}; it is {HOME} since {SINCE}"
    try:
        count = _imports_of_project(source)
        facts = _moved(node, source)
    except Unclear as reason:
        return RULE.finding(source, node, f"{message}; {reason}")
    return RULE.finding(source, node, message, facts=facts, group=str(source.project.root), group_size=count)


def _is_concerned(node: ast.Import | ast.ImportFrom, source: Source) -> bool:
    """Tell whether an import is of the package, not of one that the project has itself, and not guarded."""
    if isinstance(node, ast.ImportFrom):
        modules = [node.module or ""] if not node.level else []
    else:
        modules = [alias.name for alias in node.names]
    if not any(module.partition(".")[0] == PACKAGE for module in modules) or source.project.target < SINCE:
        return False
    is_own = source.project.find_module(PACKAGE, source.path) is not None
    return not (is_own or source.names.is_guarded(node) or tests_version(node, source))


def _imports_of_project(source: Source) -> int:
    """Return how many imports of the package a project has.

    Raises:
        Unclear: one of them cannot change.
    """
    memo = source.project.memo
    if PACKAGE not in memo:
        try:
            memo[PACKAGE] = sum(_imports_of_file(user) for user in source.project.mentioning(PACKAGE))
        except Unclear as reason:
            memo[PACKAGE] = reason
    if isinstance(memo[PACKAGE], Unclear):
        raise memo[PACKAGE]
    return memo[PACKAGE]


def _imports_of_file(source: Source) -> int:
    found = [node for node in source.nodes(ast.Import, ast.ImportFrom) if _is_concerned(node, source)]
    for node in found:
        _moved(node, source)
    for text in source.nodes(ast.Constant):
        if isinstance(text.value, str) and f"{text.value}.".startswith(f"{PACKAGE}."):
            raise Unclear(f"a string of {source.path.name} names it too")
    return len(found)


def _moved(node: ast.Import | ast.ImportFrom, source: Source) -> MovedImport:
    """Return the import from Pipecat instead.

    Raises:
        Unclear: Pipecat does not have all of its names, in every release concerned.
    """
    if isinstance(node, ast.Import):
        raise Unclear(f"{source.path.name} imports the package, not its names")
    home = HOME + str(node.module).removeprefix(PACKAGE)
    new = {alias: f"{home}.{alias.name}" for alias in node.names}
    for alias, dotted in new.items():
        for release in source.releases:
            if alias.name in _OTHERS or not timeline.exists(dotted, release):
                raise Unclear(f"{home} of {release} has no such {alias.name}")
    return moved_names(node, new, source)
