"""A tool told to go on through interruptions, on a service that cannot be relied on for that.

What it finds:
    ``cancel_on_interruption=False`` where a function is registered with a realtime service whose delayed results are
    unreliable (Inworld's), and a handler that reports intermediate results
    (``FunctionCallResultProperties(is_final=False)``) registered with any realtime service. The service's class must be
    plain; all else is silent.

Why it matters:
    Inworld's realtime API does not reliably take up a result that comes after the conversation has gone on. Streamed
    intermediate results reach no realtime service before 1.13.0: they are dropped with an error.

Example:
    ::

        llm = InworldRealtimeLLMService(api_key=key)
        llm.register_function("search", search, cancel_on_interruption=False)

Fix safety:
    Not mended: whether the tool may be cancelled, or another service is used, is for the author to say.

References:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.objects import classes_of
from checks.pipecat.realtime import INWORLD_REALTIME, PUSHED_SINCE, REALTIME
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

REGISTER = ("register_function", "register_direct_function")

RULE = Rule(
    __name__,
    needles=("cancel_on_interruption", "is_final"),
    fix=Fix.NONE,
    impact=Impact.DEFECT,
    since="1.0.0",
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)


@RULE.on(ast.Call)
def registered(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on one registration of a function."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in REGISTER:
        return
    services = classes_of(node.func.value, source)
    kept = next((one for one in node.keywords if one.arg == "cancel_on_interruption"), None)
    if kept is not None and isinstance(kept.value, ast.Constant) and kept.value.value is False:
        named = {name.rpartition(".")[2] for name in services}
        if INWORLD_REALTIME in services or named & set(source.project.best_effort_services):
            message = "this service does not reliably take up results that come later; let the tool be cancelled"
            yield RULE.finding(source, kept, message)
    if services & REALTIME and source.project.target < PUSHED_SINCE:
        for argument in (*node.args, *(one.value for one in node.keywords if one.arg == "handler")):
            for place in _streams(argument, source):
                message = f"{place} of this handler are dropped: realtime services take no streamed results"
                yield RULE.finding(source, argument, message)


def _streams(handler: ast.expr, source: Source) -> Iterator[str]:
    """Yield, if a handler reports intermediate results, what they are."""
    found = source.project.resolve(handler, source)
    if not isinstance(found, tuple) or not isinstance(found[1], (ast.AsyncFunctionDef, ast.FunctionDef)):
        return
    home, function = found
    for part in ast.walk(function):
        if isinstance(part, ast.Call) and str(home.names.resolve(part.func)).endswith(".FunctionCallResultProperties"):
            for keyword in part.keywords:
                if keyword.arg == "is_final" and isinstance(keyword.value, ast.Constant) and not keyword.value.value:
                    yield "the intermediate results"
                    return
