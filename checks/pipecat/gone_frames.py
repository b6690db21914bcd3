"""Frames that went without a successor, where a file only asks of others too whether they are one.

Facts from the wheels: aggregators asked their transport by ``EmulateUserStartedSpeakingFrame``, and the one of
stopping, to tell of a user who was transcribed but not heard; it did so by ``UserStartedSpeakingFrame`` and the one of
stopping. Both are gone since 1.0.0, from which on the aggregators tell by themselves.
"""

from __future__ import annotations

import ast

from checks.arguments import Change, Rewrite, check_comments, elements_of
from checks.pipecat import timeline
from checks.pipecat.calls import uses_of
from checks.pipecat.contexts import is_taken_from
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

_FRAMES = "pipecat.frames.frames"
GONE = (f"{_FRAMES}.EmulateUserStartedSpeakingFrame", f"{_FRAMES}.EmulateUserStoppedSpeakingFrame")
STORY = "no frame is one of these any more, so a test for others besides does without"


def is_one(dotted: str, source: Source) -> bool:
    """Tell whether a name is of one of these frames."""
    return timeline.canonical(dotted, source.project.target) in GONE


def tested_beside_others(dotted: str, node: ast.ImportFrom, alias: ast.alias, source: Source) -> Rewrite:
    """Return the changes by which class tests no longer ask for a frame that went.

    Raises:
        Unclear: it is asked for alone, or more is done with it.
    """
    release = next((one for one in source.releases if timeline.exists(dotted, one)), None)
    if release is not None:
        raise Unclear(f"{release}, which the project admits, sends it")
    uses = uses_of(node, alias, source)
    if is_taken_from(alias.asname or alias.name, source):
        raise Unclear("other files take it from here")
    return Rewrite(tuple(_without(use, source) for use in uses), Fix.UNSAFE)


def _without(use: ast.Name, source: Source) -> Change:
    tested = source.parent(use)
    test = source.parent(tested) if isinstance(tested, ast.Tuple) else None
    if not isinstance(tested, ast.Tuple) or not _is_test(test, tested, source):
        raise Unclear(f"line {use.lineno} asks for more than whether a frame is one of several")
    left = [one for one in tested.elts if (source.names.resolve(one) or "") not in GONE]
    if not left or any(isinstance(one, ast.Starred) for one in tested.elts):
        raise Unclear(f"line {use.lineno} asks for nothing else")
    kept = [one for one in tested.elts if one is not use]
    if len(kept) == 1:
        change = Change(source.span(tested), source.segment(kept[0]))
    else:
        written = elements_of(tested, source)
        change = written.changed([item for item in written.items if item.node is not use], source)
    check_comments(change, source)
    return change


def _is_test(call: ast.AST | None, tested: ast.Tuple, source: Source) -> bool:
    """Tell whether a call asks of which of several classes an object is."""
    match call:
        case ast.Call(func=ast.Name(id="isinstance") as asked, args=[_, second], keywords=[]):
            return second is tested and not source.names.bindings(asked)
        case _:
            return False
