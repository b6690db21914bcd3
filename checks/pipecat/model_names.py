"""``set_model_name``, which is gone, and what is told of a service's model instead.

Facts from the wheels: until 0.0.95 ``AIService.set_model_name`` kept the name, from which traces took it, and gave it
to the metrics by ``set_core_metrics_data``, which every processor has. Traces take it from the service's settings now,
where a service of the project's own can put it; and so do the requests of Pipecat's own services, which the metrics
alone would name a model that is not asked.
"""

from __future__ import annotations

import ast

from checks.arguments import Change, Rewrite
from checks.pipecat import timeline
from checks.pipecat.contexts import check_may_import
from checks.pipecat.kept_settings import NotYet, stored
from checks.pipecat.members import heirs
from checks.pipecat.objects import object_of
from checks.pipecat.own_settings import SETTINGS, has_plain_bases
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear, if_clear

SET_MODEL_NAME = "set_model_name"
DIFFERENCE = "traces name no model then that the settings do not"
_SERVICE = "pipecat.services.ai_service.AIService"
_TELL = "set_core_metrics_data"
# What is to be worked out once: it may do something, or read what it then sets.
_ONCE = (ast.Attribute, ast.Await, ast.Call, ast.Subscript)
_NAMES = ("model_name", "_model_name")


def told(node: ast.Attribute, source: Source) -> tuple[Rewrite | None, str]:
    """Return the changes that do what ``set_model_name`` did, or most of it; and what to say beside the finding."""
    facts, why = if_clear(told_to_metrics, node, source)
    if facts is None:
        return None, why
    try:
        return _kept(node, facts, source), ""
    except NotYet as reason:
        return None, str(reason)
    except Unclear:
        if _is_asked_for(node, source):
            return None, "what asks for the model would not get this one"
        return facts, DIFFERENCE


def _kept(node: ast.Attribute, facts: Rewrite, source: Source) -> Rewrite:
    """Return the changes that put the name of a model into the settings first, where they can be.

    Raises:
        Unclear: see stored.
    """
    call = source.parent(node)
    assert isinstance(call, ast.Call)
    assert isinstance(node.value, ast.Name)
    (change,) = stored(node, source, anywhere=True).changes
    start = source.start(call)
    begin = source.line_start(source.span(call).line)
    parted = f"\n{source.text[begin:start]}" if source.begins_line(call) else "; "
    given = [*call.args, *(one.value for one in call.keywords)]
    if not any(isinstance(part, _ONCE) for one in given for part in ast.walk(one)):
        return facts._replace(changes=(Change(source.span_between(start, start), change.text + parted), *facts.changes))
    this = node.value.id
    told = f"{this}.{_TELL}(MetricsData(processor={this}.name, model={this}.{SETTINGS}.model))"
    return facts._replace(changes=(change._replace(text=change.text + parted + told),))


def _is_asked_for(node: ast.Attribute, source: Source) -> bool:
    """Tell whether anything may ask an object for its model: a service of Pipecat's, or a method of its class."""
    found, target = object_of(node.value, source), source.project.target
    if found is None or not found.lineage.own or not has_plain_bases(found.lineage, target):
        return True
    home, first = found.lineage.own[0]
    classes = {one for line in (found.lineage, *heirs(first, home)) for _, one in line.own}
    asked = (part for one in classes for part in ast.walk(one) if isinstance(part, ast.Attribute))
    return any(
        one.attr in _NAMES
        or (one.attr == "model" and isinstance(one.value, ast.Attribute) and one.value.attr == SETTINGS)
        for one in asked
        if isinstance(one.ctx, ast.Load)
    )


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
