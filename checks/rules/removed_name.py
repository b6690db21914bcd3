"""A name of Pipecat's that the target release does not have.

What it finds:
    An import, a dotted use, or a string given to ``patch`` or ``import_module``, of a module, class, function or other
    name that some release of Pipecat has and the target release has not: gone by then, or not there yet. Silent on
    imports that may fail (``try``/``except ImportError``), under tests of Pipecat's version, and on what the project
    defines itself. Also a name that nothing but ``from pipecat.module import *`` brings, to the file or through it to
    another.

Why it matters:
    It is an ``ImportError`` or ``AttributeError`` as soon as the line runs: at start, or in the middle of a call.

Example:
    ::

        from pipecat.transports.services.daily import DailyTransport

    becomes, where the old module passed the name on from its new home while it was there::

        from pipecat.transports.daily.transport import DailyTransport

Fix safety:
    Safe where the last release with both names had them for one and the same object, or where the new class is built
    and behaves as the old one did. Unsafe where something else took the place: other defaults, other messages on the
    wire; and OpenAI's realtime service for that of the vendor's beta, mended together with the properties of its
    session or not at all. Where nothing is known to have taken it, a human decides; but it is left out, unsafe, as one
    of several classes in a test or annotation, and a statement goes that only sends such a frame, which nothing hears.
    Also left to a human where the project's requirement admits a release that does not have the new name yet, and where
    a file asks for either class by itself.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.guards import tests_version
from checks.pipecat import idle_processor, mute_filter, realtime_beta, timeline, transcript_processor
from checks.pipecat.advice import advice
from checks.pipecat.calls import is_called_otherwise, told_by_use
from checks.pipecat.contexts import GONE_SINCE, is_owned
from checks.pipecat.hierarchy import is_of_library, library_attributes
from checks.pipecat.moves import (
    move_of,
    new_name_of,
    new_string,
    one_by_one,
    place_taken,
    string_given,
    told,
    why_kept,
)
from checks.pipecat.renames import newest_name, successor
from checks.pipecat.stars import lost_elsewhere, lost_names
from checks.pipecat.unheard import given_up
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)
_LEAVING = (mute_filter.MODULE, idle_processor.MODULE, transcript_processor.MODULE)


@RULE.on(ast.ImportFrom)
def imported_names(node: ast.ImportFrom, source: Source) -> Iterator[Finding]:
    """Decide on ``from module import names``."""
    if node.level or not node.module or not is_of_library(node.module, source):
        return
    if move_of(node.module, source) is not None:
        return  # task-manager-argument moves it, with what else changes there
    if node.names[0].name == "*":
        if _is_guarded(node, source):
            return
        if _is_missing(node.module, source):
            yield RULE.finding(source, node, _message(node.module, source))
        else:
            yield from _brought_by_star(node, source)
        return
    if node.module in _LEAVING and source.project.target >= GONE_SINCE:
        return  # removed-processor takes them out of the pipeline
    if realtime_beta.is_of_it(node.module):
        return  # moved with all that is made of it
    missing = {alias: f"{node.module}.{alias.name}" for alias in node.names}
    # Contexts and their frames are mended with what is done with them.
    missing = {
        alias: dotted
        for alias, dotted in missing.items()
        if _is_missing(dotted, source) and not is_owned(dotted, source)
    }
    if not missing or _is_guarded(node, source):
        return
    said = {alias: _message(dotted, source) for alias, dotted in missing.items()}
    places = {alias: place_taken(dotted, source) for alias, dotted in missing.items()}
    new = {alias: name for alias, name in places.items() if name is not None}
    for alias, dotted in missing.items():
        if is_called_otherwise(dotted, source.project.target):
            yield told_by_use(RULE, node, alias, said.pop(alias), source)
        elif newest_name(dotted, source.project.target) is None:
            yield _given_up(node, alias, said.pop(alias), source)
    yield from one_by_one(node, said, new, RULE, source)


def _given_up(node: ast.ImportFrom, alias: ast.alias, message: str, source: Source) -> Finding:
    """Return the finding of a name that nothing took the place of."""
    dotted, oldest = f"{node.module}.{alias.name}", source.oldest
    was_there = timeline.gone_since(dotted, oldest) is not None
    facts, _ = if_clear(given_up, alias, node, source) if was_there else (None, "")
    return RULE.finding(source, alias, message, facts=facts, fix=Fix.UNSAFE)


def _brought_by_star(node: ast.ImportFrom, source: Source) -> Iterator[Finding]:
    """Yield a finding for the first use of each name that nothing brings but a star, and that no more."""
    for use, dotted in lost_names(node, source):
        yield RULE.finding(source, use, _message(dotted, source))
    for dotted, user, line in lost_elsewhere(node, source):
        yield RULE.finding(
            source, node, f"{_message(dotted, source)}; line {line} of {user.path.name} takes it from here"
        )


@RULE.on(ast.Module)
def realtime_services(_: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on OpenAI's realtime beta in a file, on all of it together."""
    nodes = [node for node in realtime_beta.imports(source) if is_of_library(str(node.module), source)]
    named = {alias: f"{node.module}.{alias.name}" for node in nodes for alias in node.names if alias.name != "*"}
    if any(_is_guarded(node, source) for node in nodes):
        return
    missing = {
        alias: dotted for alias, dotted in named.items() if _is_missing(dotted, source) and not is_owned(dotted, source)
    }
    if not missing:
        return
    facts, why = if_clear(realtime_beta.moved, source)
    why = realtime_beta.DIFFERENCE if facts is not None else why
    said = [(alias, _message(dotted, source)) for alias, dotted in missing.items()]
    yield from RULE.together(source, said, facts, why=why, fix=facts.rewrite.fix if facts is not None else None)


@RULE.on(ast.Import)
def imported_modules(node: ast.Import, source: Source) -> Iterator[Finding]:
    """Decide on ``import module``."""
    for alias in node.names:
        if is_of_library(alias.name, source) and _is_missing(alias.name, source) and not _is_guarded(node, source):
            yield RULE.finding(source, alias, _message(alias.name, source))


@RULE.on(ast.Module)
def dotted_uses(_: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on ``module.name`` and ``Class.Inner``."""
    for node, base in library_attributes(source):
        dotted, target = f"{base}.{node.attr}", source.project.target
        # What is said of the import is not said again of its uses.
        if isinstance(source.parent(node), ast.Attribute) or not timeline.exists(base, target):
            continue
        if _is_missing(dotted, source) and not tests_version(node, source):
            new = place_taken(dotted, source)
            facts = new_name_of(node, new, source) if new is not None else None
            message = told(_message(dotted, source), new)
            yield RULE.finding(source, node, message, facts=facts, fix=new.fix if new else None)


@RULE.on(ast.Module)
def names_in_strings(_: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on ``patch("pipecat.…")`` and ``import_module("pipecat.…")``."""
    for named in source.strings_with("pipecat"):
        call = source.parent(named)
        if not isinstance(call, ast.Call) or string_given(call, source) is not named:
            continue
        missing = _missing_in(str(named.value), source)
        if missing is not None and not tests_version(call, source):
            yield RULE.finding(source, named, _message(missing, source), facts=new_string(named, source))


def _missing_in(value: str, source: Source) -> str | None:
    """Return what is missing of a dotted name: all of it, or the class of which it names a member."""
    at = timeline.place(value)
    owner = f"{at.module}.{at.name.partition('.')[0]}" if at is not None and at.name else value
    return next((dotted for dotted in (value, owner) if _is_missing(dotted, source)), None)


def _is_missing(dotted: str, source: Source) -> bool:
    return timeline.exists(dotted, source.project.target) is False


def _is_guarded(node: ast.Import | ast.ImportFrom, source: Source) -> bool:
    return source.names.is_guarded(node) or tests_version(node, source)


def _message(dotted: str, source: Source) -> str:
    target = source.project.target
    gone = timeline.gone_since(dotted, target)
    if gone is None:
        spans = timeline.history(dotted)
        if not spans:  # a class within one that its module only passes on
            return f"{target} does not have {dotted}"
        return f"{dotted} comes with {spans[0][0]}; {target} does not have it"
    oldest = source.oldest
    new = successor(dotted, target, oldest)
    if new is not None:
        why = why_kept(dotted, source)
        return f"{dotted} is gone since {gone}; it is {new.dotted} now" + (f"; {why}" if why else "")
    newest = newest_name(dotted, target)
    if newest is None:
        advised = advice(dotted, target)
        return f"{dotted} is gone since {gone}" + (f"; {advised}" if advised else "")
    return f"{dotted} is gone since {gone}; it is {newest} now, but not yet in {oldest}, which the project still admits"
