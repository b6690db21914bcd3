"""A file of Pipecat's evals in a form that is to be removed.

What it finds:
    In YAML: a scenario whose own keys stand at the top of its file, without a list ``scenarios``; and a suite that
    names the file of a bot's arguments as ``runner_body: <file>``.

Why it matters:
    Both still load, with a warning, and no more once the form is removed.

Example:
    ::

        suite:
          - bot: bot.py
            runner_body: cat.yaml

    becomes::

        suite:
          - bot: bot.py
            runner_body: {path: cat.yaml}

Fix safety:
    Safe for a suite, which is read the same. Unsafe for a scenario: a list with it alone is added, and filters and
    results name it ``<file>/<scenario>`` then. Left to a human where the project still admits a release that does not
    read the new form, and where the file is written in an odd way.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.arguments import Change, Rewrite
from checks.evals import Body, EvalFile, Scenario, as_read_now
from checks.pipecat.deprecations import deprecation
from checks.pipecat.releases import Release
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import Unclear, if_clear

RULE = Rule(
    __name__,
    needles=("turns", "persona", "runner_body"),
    fix=Fix.SAFE,
    impact=Impact.DEPRECATED,
    deprecated_in="1.11.0",
    removed_in="2.0.0",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)
# What has a meaning of its own between braces.
_OF_FLOWS = ",[]{}"
# What begins or ends a document, or tells how it is to be read.
_MARKER = r"^(?:---|\.\.\.|%)"


@RULE.on_part(EvalFile)
def decided(part: Scenario | Body, source: EvalFile) -> Iterator[Finding]:
    """Decide on a scenario, or on a bot's arguments in a suite."""
    name = "pipecat.evals.scenario" if isinstance(part, Scenario) else "pipecat.evals.suite"
    one = deprecation(name, ("file-key",), source.project.target)
    if one is None:
        return
    if isinstance(part, Scenario):
        facts, why = if_clear(_listed, part, one.since, source)
        at, message = part.key, f"{part.key.text} at the top of a file without scenarios {one.story}"
        why = "filters and results name the scenario otherwise then" if facts is not None else why
    else:
        facts, why = if_clear(_with_path, part, one.since, source)
        at, message = part.path, f"runner_body: {part.path.text} in a suite {one.story}"
    fix = facts.fix if facts is not None else None
    yield RULE.finding(source, source.place(at), message, facts=facts, why=why, fix=fix, removed_in=one.removed_in)


def _check_pin(since: Release, source: Source) -> None:
    if source.oldest < since:
        raise Unclear(f"{source.oldest}, which the project admits, does not read that")


def _listed(part: Scenario, since: Release, source: EvalFile) -> Rewrite:
    """Return the change that adds a list with a scenario alone, which takes all from the top of its file."""
    _check_pin(since, source)
    if not part.name.text[:1].isalnum() or "\n" in part.name.text or re.search(_MARKER, source.text, re.MULTILINE):
        raise Unclear("the file is written in an odd way")
    at = len(source.text)
    lead = "" if source.text.endswith(("\n", "\r")) else "\n"
    listed = f"{lead}scenarios:\n  - name: {part.name.text}\n"
    # A list cannot stand behind what is indented, say, or stands between braces.
    if source.said is None or as_read_now(source.text + listed) != source.said:
        raise Unclear("the file is written in an odd way")
    return Rewrite((Change(source.span_between(at, at), listed),), Fix.UNSAFE)


def _with_path(part: Body, since: Release, source: EvalFile) -> Rewrite:
    """Return the change that says of a file with a bot's arguments that it is one."""
    _check_pin(since, source)
    text = part.path.text
    if "\n" in text or "\r" in text or text[:1] in "&!|>" or source.said is None:
        raise Unclear("the file's name is written in an odd way")
    if part.style is None and any(mark in text for mark in _OF_FLOWS):
        text = "'" + text.replace("'", "''") + "'"
    return Rewrite((Change(source.place(part.path), f"{{path: {text}}}"),))
