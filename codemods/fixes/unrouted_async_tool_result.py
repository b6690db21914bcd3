"""Routes async-tool messages: the final result is sent, streamed ones are reported, the rest is passed over."""

from __future__ import annotations

from collections.abc import Iterator

from checks.pipecat.realtime import ASYNC_TOOL_MESSAGES
from checks.pipecat.tool_results import CONTEXT, Routing
from codemods.edit import Draft

_UNSUPPORTED = "Streamed results of async tools are not supported."


def fix(facts: Routing, draft: Draft) -> None:
    """Put the routing in front of what the loop does with a message."""
    package, _, module = ASYNC_TOOL_MESSAGES.rpartition(".")
    reader = draft.import_name(package, module)
    specific = draft.import_name(CONTEXT, "LLMSpecificMessage") if facts.skips else None
    draft.insert_lines(facts.before, _routing(facts, reader, specific))
    if facts.warned is not None:
        for statement in facts.warned.begins:
            draft.insert_behind(statement, [f"self.{facts.warned.flag} = False"])


def _routing(facts: Routing, reader: str, specific: str | None) -> list[str]:
    payload = facts.payload
    skipping = [f"if isinstance({facts.message}, {specific}):", "    continue"] if specific is not None else []
    return [
        *skipping,
        "",
        "# What an async tool reports is never a result in itself.",
        f"{payload} = {reader}.parse_message({facts.message})",
        f"if {payload} is not None:",
        *(f"    {line}" for line in _warning(facts)),
        f"    if {payload}.tool_call_id in {facts.completed}:",
        "        continue",
        f'    if {payload}.kind == "intermediate":',
        *(f"        {line}" for line in _dropping(facts)),
        f'    elif {payload}.kind == "final":',
        *(f"        {line}" for line in _delivery(facts)),
        f"        {facts.completed}.add({payload}.tool_call_id)",
        "    continue",
        "",
    ]


def _warning(facts: Routing) -> Iterator[str]:
    if facts.warned is None:
        return
    yield f"if not self.{facts.warned.flag}:"
    yield f"    self.{facts.warned.flag} = True"
    text = "delayed results of async tools may be lost; cancel_on_interruption=True is reliable"
    if facts.logger:
        yield "    logger.warning("
        yield f'        f"{{self}}: {text}",'
        yield "    )"
    else:
        yield "    await self.push_error("
        yield f'        error_msg="{text}",'
        yield "    )"


def _dropping(facts: Routing) -> Iterator[str]:
    if facts.logger:
        yield "logger.error("
        yield f'    f"{{self}}: dropping a streamed result for {{{facts.payload}.tool_call_id}}",'
        yield ")"
    yield "await self.push_error("
    yield f'    error_msg="{_UNSUPPORTED}",'
    yield ")"


def _delivery(facts: Routing) -> Iterator[str]:
    indent = ""
    if facts.condition is not None:
        yield f"if {facts.condition}:"
        indent = "    "
    for statement in facts.deliver:
        yield indent + statement
