"""An environment variable that Pipecat read once, and the target release does not.

What it finds:
    A variable in ``.env``, ``.env.example`` and the like, or one that code gives ``os.environ`` or a child's
    environment, which an earlier release read and the target release does not; unless the one that is read in its place
    is set there too, or the project itself reads it.

Why it matters:
    Nothing fails. What the variable was to say is not heard: a bot that was to join one room makes a room of its own.

Example:
    ::

        DAILY_SAMPLE_ROOM_URL=https://acme.daily.co/lobby

    becomes::

        DAILY_ROOM_URL=https://acme.daily.co/lobby

Fix safety:
    Safe: the variable gets the name that is read now. Left to a human where the project still admits a release that
    reads the old one, where other files of the repository name it or code may put its name together, where the project
    reads the new one itself or a file beside sets it, and where what is read now means something else. Where else a
    variable is set, as in what a platform keeps, is not seen.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.arguments import Change, Rewrite
from checks.datafile import Written
from checks.guards import tests_version
from checks.pipecat.elsewhere import named_by, piece_of, set_beside
from checks.pipecat.variables import Unread, is_pipecats, is_read, is_set, unread, users
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span
from checks.unclear import Unclear, if_clear
from checks.variables import VariableFile

RULE = Rule(
    __name__,
    needles=("DAILY_SAMPLE_ROOM_URL", "KRISP_MODEL_PATH", "PIPECAT_OBSERVER_FILES"),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on_part(VariableFile)
def set_in_file(variable: Written, source: VariableFile) -> Iterator[Finding]:
    """Decide on ``NAME=value`` in a file of variables."""
    one = unread().get(variable.text)
    if one is None or any(other.text == one.new for other in source.variables) or not _is_concerned(one, source):
        return
    yield _finding(one, source.place(variable), source)


@RULE.on(ast.Constant, named=unread)
def set_by_code(node: ast.Constant, source: Source) -> Iterator[Finding]:
    """Decide on ``os.environ["NAME"] = value`` and the like."""
    one = unread()[str(node.value)]
    if not is_set(node, source) or (one.new and one.new in source.text) or not _is_concerned(one, source):
        return
    text = source.segment(node)
    if not tests_version(node, source) and text[1:-1] == one.name:
        span, start = source.span(node), source.start(node)
        yield _finding(one, source.span_between(start + 1, start + 1 + len(one.name)), source, span)


def _is_concerned(one: Unread, source: Source) -> bool:
    return source.project.target >= one.since and is_pipecats(one, source.project)


def _finding(one: Unread, name: Span, source: Source, at: Span | None = None) -> Finding:
    facts, why = if_clear(_renamed, one, name, source)
    message = f"nothing of Pipecat's reads {one.name} since {one.since}; {one.advice}"
    return RULE.finding(source, at or name, message, facts=facts, why=why)


def _renamed(one: Unread, name: Span, source: Source) -> Rewrite:
    """Return the change that gives a variable the name of the one that is read now.

    Raises:
        Unclear: there is none, an older release reads the old one, or others may.
    """
    if not one.new:
        raise Unclear("")
    project = source.project
    oldest = min(source.oldest, *(user.oldest for user in users(one, project)))
    if oldest < one.since:
        raise Unclear(f"{oldest}, which the project admits, reads {one.name}: set both")
    if (other := named_by(source, one.name)) is not None:
        raise Unclear(f"{other} names it too")
    if (other := piece_of(one.name, project)) is not None:
        raise Unclear(f"{other} holds a piece of its name, and may read it by that")
    if is_read(one.new, project):
        raise Unclear(f"the project reads {one.new} itself")
    if (other := set_beside(source, one.new)) is not None:
        raise Unclear(f"{other} sets {one.new} already")
    return Rewrite((Change(name, one.new),))
