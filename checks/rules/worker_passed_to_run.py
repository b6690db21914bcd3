"""A worker passed to the runner's ``run`` instead of being added first.

What it finds:
    ``runner.run(task)`` on a ``PipelineRunner`` or ``WorkerRunner``, at targets from 1.3.0 on.

Why it matters:
    ``run`` takes a worker only until the release that is announced; ``run(task=…)`` fails already, since the parameter
    has another name. No type checker sees it, as the parameter is still there.

Example:
    ::

        await runner.run(task)

    becomes::

        await runner.add_workers(task)
        await runner.run()

Fix safety:
    Safe: ``run`` does just that with a worker it is given. Mended is a statement of its own that awaits ``run``; a
    runner built in the same statement gets a name first. Left to a human: runs handed to ``gather`` or
    ``create_task``, runners that a test replaces (what stands in may have no ``add_workers`` to await), and projects
    that admit a release before 1.3.0.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.guards import is_none, tests_version
from checks.pipecat.doubles import why_replaced
from checks.pipecat.members import is_defined_below
from checks.pipecat.objects import object_of
from checks.pipecat.releases import Release
from checks.receivers import is_super_call
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span
from checks.unclear import Unclear, if_clear

RULE = Rule(
    __name__,
    needles=(".run(",),
    fix=Fix.SAFE,
    impact=Impact.DEPRECATED,
    since="1.3.0",
    deprecated_in="1.3.0",
    removed_in="2.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
)
_SINCE = Release(1, 3, 0)
_RUNNER = "pipecat.workers.runner.WorkerRunner"
_CLASSES = ("pipecat.workers.runner.WorkerRunner", "pipecat.pipeline.runner.PipelineRunner")
_PARAMETERS = ("worker", "task")


class Steps(NamedTuple):
    """Facts of a statement: the lines that take its place."""

    statement: Span
    lines: tuple[str, ...]


@RULE.on(ast.Call)
def called(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on one call of ``run``."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr != "run" or source.project.target < _SINCE:
        return
    worker, found = _worker(node), object_of(function.value, source)
    if worker is None or is_none(worker) or found is None or _RUNNER not in found.lineage.names:
        return
    if found.lineage.method("run") is not None:
        return  # one of the project's own, which takes what it says
    if tests_version(node, source):
        return
    message = "run takes workers only until 2.0.0; add_workers takes them"
    facts, why = if_clear(_steps, node, function, worker, source)
    yield RULE.finding(source, node, message, facts=facts, why=why)


def _worker(call: ast.Call) -> ast.expr | None:
    """Return the worker a call of ``run`` is given."""
    if call.args:
        return call.args[0] if not isinstance(call.args[0], ast.Starred) else None
    return next((one.value for one in call.keywords if one.arg in _PARAMETERS), None)


def _steps(call: ast.Call, run: ast.Attribute, worker: ast.expr, source: Source) -> Steps:
    """Return the statements that add the worker, and then run.

    Raises:
        Unclear: the call is not a statement of its own, its layout leaves no place, or what it is made on may be
            something else.
    """
    if source.oldest < _SINCE:
        raise Unclear(f"{source.oldest}, which the project admits, has no add_workers")
    awaited = source.parent(call)
    statement = source.parent(awaited) if isinstance(awaited, ast.Await) else None
    if not isinstance(statement, (ast.Expr, ast.Return)):
        raise Unclear("the call is not awaited as a statement of its own")
    if not source.begins_line(statement):
        raise Unclear("the statement shares its line")
    span = source.span(statement)
    if span.line != span.end_line:
        raise Unclear("the statement runs over several lines")
    found, is_super = object_of(run.value, source), is_super_call(call, "run")
    if found is not None and not found.is_exact and not is_super and is_defined_below(_RUNNER, "run", source):
        raise Unclear("the runner may be one with a run of its own")
    replaced = why_replaced(run.value, found, _CLASSES, source) if found is not None and not is_super else ""
    if replaced:
        raise Unclear(replaced)
    runner, lines = source.segment(run.value), list[str]()
    if isinstance(run.value, ast.Call) and not is_super:
        lines.append(f"{_free_name(source)} = {runner}")
        runner = _free_name(source)
    elif not is_super and not isinstance(run.value, (ast.Name, ast.Attribute)):
        raise Unclear("the runner is worked out on the way")
    rest = [source.segment(one) for one in (*call.args[1:], *call.keywords) if _value(one) is not worker]
    lines.append(f"await {runner}.add_workers({source.segment(worker)})")
    back = "return " if isinstance(statement, ast.Return) else ""
    lines.append(f"{back}await {runner}.run({', '.join(rest)})")
    return Steps(span, tuple(lines))


def _value(argument: ast.expr | ast.keyword) -> ast.expr:
    return argument.value if isinstance(argument, ast.keyword) else argument


def _free_name(source: Source) -> str:
    """Return a name for a runner that the file does not use."""
    for name in ("runner", "worker_runner"):
        tables = (source.names.table(scope) for scope in source.names.scopes())
        if all(name not in table for table in tables) and all(use.id != name for use in source.nodes(ast.Name)):
            return name
    raise Unclear("the runner has no name, and those for it are taken")
