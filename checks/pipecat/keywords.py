"""Keywords given to Pipecat's constructors that the target release has no use for, and what took their place.

keywords.tsv says of a class's keyword, with any value (``*``) or one that is written so, what becomes of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from checks.arguments import Change, Rewrite, arguments_of, works_on_the_way
from checks.guards import tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.releases import Release
from checks.receivers import is_super_call
from checks.rule import Finding, Fix, Rule
from checks.source import Source
from checks.unclear import Unclear

# task-manager-argument knows more of this one.
_OWNED = ("task_manager",)


@dataclass(frozen=True, slots=True)
class _Row:
    """What becomes of a keyword: ``""`` it goes, ``name`` it is called so, ``name=value`` is given instead."""

    value: str
    becomes: str
    fix: Fix


@dataclass(frozen=True, slots=True)
class Unknown:
    """A keyword of a call, the class it builds, since or until when that took it, and what becomes of it now."""

    call: ast.Call
    keyword: ast.keyword
    built: str
    story: str
    fate: Literal["swallowed", "refused"]

    @property
    def owner(self) -> str:
        """The name of the class."""
        return self.built.rpartition(".")[2]


@cache
def _rows() -> dict[tuple[str, str], list[_Row]]:
    text = files("checks.pipecat").joinpath("keywords.tsv").read_text(encoding="utf-8")
    found: dict[tuple[str, str], list[_Row]] = {}
    for owner, keyword, value, becomes, tier in (line.split("\t") for line in text.splitlines()[1:]):
        found.setdefault((owner, keyword), []).append(_Row(value, becomes, Fix(tier)))
    return found


def _rows_of(owner: str, keyword: str, release: Release) -> list[_Row]:
    """Return what is known to become of a keyword of a class, its ancestors asked too, or of a function."""
    for name in (owner, *timeline.lineage(owner, release)):
        if (name, keyword) in _rows():
            return _rows()[name, keyword]
    return []


def remedy(call: ast.Call, keyword: ast.keyword, owner: str, source: Source) -> Rewrite:
    """Return what becomes of a keyword the target release has no use for, or will have none.

    Raises:
        Unclear: nothing is known to take its place, or the call does not tell.
    """
    target, oldest = source.project.target, source.project.oldest
    value = source.segment(keyword.value)
    rows = [row for row in _rows_of(owner, str(keyword.arg), target) if row.value in ("*", value)]
    if not rows:
        raise Unclear("")
    name, _, new = rows[0].becomes.partition("=")
    if any(one.arg is None for one in call.keywords):
        raise Unclear("what the ** in the call holds is not seen")
    if works_on_the_way(keyword.value):
        raise Unclear("its value is worked out on the way")
    given = next((one for one in call.keywords if one.arg == name), None)
    if name and given is not None and source.segment(given.value) != (new or value):
        raise Unclear(f"{name} is given too")
    for release in (target, oldest):
        takes = timeline.constructor(owner, release)
        if name and takes is not None and name not in takes.keywords:
            raise Unclear(f"{release}, which the project admits, takes no {name}")
    if not name or given is not None:
        arguments = arguments_of(call, source)
        kept = [item for item in arguments.items if item.node is not keyword]
        return Rewrite((arguments.changed(kept, source),), rows[0].fix)
    text, imports = _as_imported(new)
    start = source.start(keyword)
    end = source.end(keyword) if new else start + len(str(keyword.arg))
    change = Change(source.span_between(start, end), f"{name}={text}" if new else name)
    return Rewrite((change,), rows[0].fix, imports)


def _as_imported(value: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return ``Class.member`` and where the class is from, of a dotted name of Pipecat's; other values as they are."""
    if not value.startswith("pipecat."):
        return value, ()
    module, name, member = value.rsplit(".", 2)
    return f"{name}.{member}", ((module, name),)


def unknown_keywords(source: Source) -> list[Unknown]:
    """Return the keywords in a file that the target release does not take, worked out once for all who ask."""
    memo = source.project.memo
    key = f"unknown keywords of {source.path}"
    if key not in memo:
        memo[key] = [unknown for node in source.nodes(ast.Call) for unknown in _of_call(node, source)]
    return memo[key]


def _of_call(node: ast.Call, source: Source) -> Iterator[Unknown]:
    if not node.keywords:
        return
    built = called_name(node, source)
    target = source.project.target
    takes = timeline.constructor(built, target) if built is not None else None
    if built is None or takes is None or takes.others is None:
        return
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in takes.keywords or keyword.arg in _OWNED:
            continue
        known = timeline.keyword_history(built, keyword.arg)
        if known and not tests_version(node, source):
            earlier = [release for release in known if release < target]
            if earlier:
                gone = timeline.RELEASES[timeline.RELEASES.index(earlier[-1]) + 1]
                story = f"takes no {keyword.arg} since {gone}"
            else:
                story = f"takes no {keyword.arg} before {known[0]}"
            yield Unknown(node, keyword, built, story, takes.others)
        elif _rows_of(built, keyword.arg, target) and not tests_version(node, source):
            # It was a keyword of a class that this one took the place of.
            yield Unknown(node, keyword, built, f"takes no {keyword.arg}", takes.others)


def called_name(node: ast.Call, source: Source) -> str | None:
    """Return the dotted name in Pipecat of what a call calls; ``super().__init__`` calls the one base class."""
    called: ast.expr = node.func
    if is_super_call(node, "__init__"):
        owner = source.names.enclosing_class(node)
        if owner is None or len(owner.bases) != 1 or owner.keywords:
            return None
        called = owner.bases[0]
    if isinstance(called, ast.Subscript):
        called = called.value
    found = source.project.resolve(called, source)
    return found if isinstance(found, str) and is_of_library(found, source) else None


def mended(
    rule: Rule,
    call: ast.Call,
    keyword: ast.keyword,
    owner: str,
    message: str,
    source: Source,
    removed_in: str | None = None,
) -> Finding:
    """Return a finding about a keyword, with its mend where one is known."""
    try:
        facts = remedy(call, keyword, owner, source)
    except Unclear as reason:
        why = f"; {reason}" if str(reason) else ""
        return rule.finding(source, keyword, message + why, removed_in=removed_in)
    return rule.finding(source, keyword, message, facts=facts, fix=facts.fix, removed_in=removed_in)
