"""What pyright reports of Pipecat that no other rule finds; only with ``--pyright``.

What it finds:
    A diagnostic of the real pyright, as it sees the project and the Pipecat installed for it, that is of something
    Pipecat's: ``reportMissingImports``, ``reportAttributeAccessIssue``, ``reportCallIssue``, and ``reportDeprecated``
    where the project's settings turn it on. One that a finding of another rule's says already is left to that rule,
    whether it runs, is ignored or suppressed. One that is of nothing Pipecat's, or that cannot be told to be, is
    never shown; nor one of what the target release is known to have, or behind a guard.

Why it matters:
    Pyright follows types where the other rules do not guess: through functions' results, containers and the
    project's own classes. What it cannot find there is an exception as soon as the line runs.

Example:
    ::

        async def weather(params: FunctionCallParams):
            params.llm.get_llm_adapter().translate_tools(tools)  # reportAttributeAccessIssue

Fix safety:
    None: a human must look at what the line is for.

References:
    https://github.com/microsoft/pyright/blob/main/docs/configuration.md
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.registry import all_rules
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

OPTION = "--pyright"
RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.NONE,
    impact=Impact.BREAKS,
    url="https://github.com/microsoft/pyright/blob/main/docs/configuration.md",
    option="--pyright",
)


@RULE.at_end
def left_over(source: Source, findings: list[Finding], ran: frozenset[str]) -> Iterator[Finding]:
    """Find the diagnostics of Pipecat that no finding says already."""
    said = source.project.diagnostics.get(source.path, ())
    if not said:
        return
    # What a run without pyright does not need takes a while to load.
    from checks.pipecat.reported import is_of_pipecat, is_said
    from checks.pyright import span_of

    diagnostics = [one for one in said if is_of_pipecat(one, source)]
    if not diagnostics:
        return
    for rule in all_rules().values():
        if rule.name not in ran:
            findings = [*findings, *rule.visit(source)]
    for one in diagnostics:
        span = span_of(one, source)
        if span is not None and not is_said(one, findings, source):
            yield RULE.finding(source, span, str(one))
