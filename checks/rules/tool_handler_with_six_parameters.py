"""A tool's handler that takes six parameters instead of one.

What it finds:
    A function with six parameters given to ``register_function`` of an LLM service, at targets from 1.0.0 on; also by
    a loop over a list or dictionary of handlers that is written out.

Why it matters:
    It registers without a word, and fails when the model first calls the tool, in the middle of a conversation: it is
    given one argument, a ``FunctionCallParams``.

Example:
    ::

        async def weather(function_name, tool_call_id, args, llm, context, result_callback):
            await result_callback({"city": args["city"]})

    becomes::

        async def weather(params: FunctionCallParams):
            await params.result_callback({"city": params.arguments["city"]})

Fix safety:
    Safe: a crash is mended. Left to a human where the function is called or named anywhere else, or it cannot be told
    from which line on one of its parameters has another value, and where it is a lambda or another file's.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat.releases import Release
from checks.pipecat.tool_handlers import old_handlers, old_handlers_elsewhere, with_params
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("register_function",),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    since="1.0.0",
    deprecated_in="0.0.59",
    removed_in="1.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)
_SINCE = Release(1, 0, 0)


@RULE.on(ast.Module)
def handlers(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on the handlers of a file."""
    if source.project.target < _SINCE:
        return
    for handler in old_handlers(source):
        function = handler.function
        if any(tests_version(use, source) for use in handler.registrations):
            continue
        at = source.name_of(function)
        message = f"{function.name} takes six parameters; handlers of tools are given one since 1.0.0"
        facts, why = if_clear(with_params, handler, source)
        yield RULE.finding(source, at, message, facts=facts, why=why)
    for handler, name in old_handlers_elsewhere(source):
        if not tests_version(handler, source):
            yield RULE.finding(
                source, handler, f"{name} takes six parameters; handlers of tools are given one since 1.0.0"
            )
