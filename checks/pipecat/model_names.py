"""``set_model_name``, which is gone, and what is told of a service's model instead.

Facts from the wheels: until 0.0.95 ``AIService.set_model_name`` kept the name, from which traces took it, and gave it
to the metrics by ``set_core_metrics_data``, which every processor has. Traces take it from the service's settings now,
where the constructor of a service of the project's own can put it.
"""

from __future__ import annotations

import ast

from checks.arguments import Change, Rewrite
from checks.pipecat import timeline
from checks.pipecat.contexts import check_may_import
from checks.pipecat.kept_settings import NotYet, stored
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear, if_clear

SET_MODEL_NAME = "set_model_name"
DIFFERENCE = "traces name no model then that the settings do not"
_SERVICE = "pipecat.services.ai_service.AIService"
_TELL = "set_core_metrics_data"


def told(node: ast.Attribute, source: Source) -> tuple[Rewrite | None, str]:
    """Return the changes that do what ``set_model_name`` did, or most of it; and what to say beside the finding."""
    facts, why = if_clear(told_to_metrics, node, source)
    if facts is None:
        return None, why
    try:
        return Rewrite((_kept(node, source), *facts.changes), facts.fix, facts.imports), ""
    except NotYet as reason:
        return None, str(reason)
    except Unclear:
        return facts, DIFFERENCE


def _kept(node: ast.Attribute, source: Source) -> Change:
    """Return the change that puts the name of a model into the settings first.

    Raises:
        Unclear: see stored; or the name is worked out by a call, which would be made twice.
    """
    call = source.parent(node)
    assert isinstance(call, ast.Call)
    (change,) = stored(node, source).changes
    given = [*call.args, *(one.value for one in call.keywords)]
    start = source.start(call)
    begin = source.line_start(source.span(call).line)
    if not source.begins_line(call) or any(isinstance(part, ast.Call) for one in given for part in ast.walk(one)):
        raise Unclear("")
    return Change(source.span_between(start, start), f"{change.text}\n{source.text[begin:start]}")


def told_to_metrics(node: ast.Attribute, source: Source) -> Rewrite:
    """Return the changes that give the name of a model to the metrics.

    Raises:
        Unclear: it is not called as it is, or a release that the project admits has no such metrics.
    """
    check_may_import(source)
    call = source.parent(node)
    given = [*call.args, *call.keywords] if isinstance(call, ast.Call) and call.func is node else []
    is_statement = call is not None and isinstance(source.parent(call), ast.Expr)
    if len(given) != 1 or not is_statement or not isinstance(node.value, ast.Name):
        raise Unclear("it is not called with just a name")
    for release in source.releases:
        if timeline.member(_SERVICE, _TELL, release) is None:
            raise Unclear(f"{release}, which the project admits, has no {_TELL}")
    one = given[0]
    value = one.value if isinstance(one, ast.keyword) else one
    if isinstance(value, ast.Starred) or (isinstance(one, ast.keyword) and one.arg != "model"):
        raise Unclear("it is not called with just a name")
    start, end = source.start(one), source.end(one)
    wrapped = f"MetricsData(processor={node.value.id}.name, model={source.segment(value)})"
    behind = source.end(node)
    changes = (
        Change(source.span_between(behind - len(SET_MODEL_NAME), behind), _TELL),
        Change(source.span_between(start, end), wrapped),
    )
    return Rewrite(changes, Fix.UNSAFE, ("pipecat.metrics.metrics.MetricsData",))
