"""A keyword that the target release ignores without a word.

What it finds:
    A keyword given to a class of Pipecat's that has no use for it in the target release, had one in another, and does
    not complain: it ends in ``BaseObject.__init__(**kwargs)``, or is unknown to a pydantic model.

Why it matters:
    Nothing fails: no import, no test, no warning, no type check. The program runs and does not do what the keyword was
    for. ``TransportParams(vad_enabled=True)`` from 1.0.0 on is a bot that hears nothing.

Example:
    ::

        transport = DailyTransport(url, token, "bot", DailyParams(vad_enabled=True))

    becomes::

        transport = DailyTransport(url, token, "bot", DailyParams(audio_in_enabled=True))

Fix safety:
    Safe where the keyword has another name now, or did nothing any more: ``allow_interruptions=True`` goes,
    ``vad_enabled=True`` becomes ``audio_in_enabled=True``, which it stood for. Unsafe where the params and the task
    have observers: until 0.0.108 only those of the params were heeded, then both are; and where the new keyword does
    again what the target no longer did: ``formatted_finals=False``. Left to a human otherwise.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.advice import advice_on_keyword
from checks.pipecat.interruptions import is_owned
from checks.pipecat.keywords import passed_on, unknown_keywords
from checks.pipecat.remedies import Given, mended
from checks.pipecat.turn_taking import is_misplaced
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Module)
def calls(node: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on the keywords of a file's calls."""
    for unknown in unknown_keywords(source):
        # The others are told to aggregators now, see the rules of their own.
        if unknown.fate == "swallowed" and not is_misplaced(unknown, source) and not is_owned(unknown, source):
            message = f"{unknown.owner} {unknown.story}, and ignores it without a word"
            yield mended(RULE, Given(unknown.call, unknown.keyword, unknown.built), message, source)
    for unknown in passed_on(source):
        if unknown.fate == "swallowed":
            advised = advice_on_keyword(unknown.built, unknown.name, source.project.target)
            message = f"{unknown.owner} {unknown.story}, and ignores it without a word"
            yield RULE.finding(source, unknown.keyword, f"{message}; {advised}" if advised else message)
