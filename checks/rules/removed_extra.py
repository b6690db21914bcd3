"""An extra of ``pipecat-ai[…]`` that the target release does not provide.

What it finds:
    An extra in a requirement of pipecat-ai, in pyproject.toml, setup.cfg, Pipfile, requirements and constraints files,
    that the target release does not have: it is gone, has another name, or comes with a later release. A requirement
    that keeps to other releases than the target is left alone.

Why it matters:
    The installer warns at most, and installs nothing for the extra. What it was for fails when it is first used.

Example:
    ::

        pipecat-ai[daily,riva]>=1.0

    becomes::

        pipecat-ai[daily,nvidia]>=1.0

Fix safety:
    Safe: an extra gets its new name, or goes where everything it asked for is installed with pipecat-ai itself, both in
    the target release and in the oldest one that the requirement admits. Left to a human otherwise.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.arguments import Change, Rewrite
from checks.datafile import Written
from checks.pipecat import extras
from checks.pipecat.releases import Release
from checks.requirements import Requirement, RequirementFile
from checks.rule import Finding, Fix, Impact, Rule

RULE = Rule(
    __name__,
    needles=("pipecat", "Pipecat", "PIPECAT"),
    fix=Fix.SAFE,
    impact=Impact.SILENT,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
)


@RULE.on_part(RequirementFile)
def asked_for(requirement: Requirement, source: RequirementFile) -> Iterator[Finding]:
    """Decide on the extras of a requirement."""
    target = source.project.target
    oldest = _oldest(requirement, source)
    if oldest is None:
        return
    for extra in requirement.extras:
        name = extras.canonical(extra.text)
        if extras.requires(name, target) is not None:
            continue
        lost = f"pipecat-ai has no extra {extra.text} {_when(name, target)}"
        new, last = extras.new_name(name, target, oldest), extras.last_requires(name, target)
        text: str | None = None
        if extras.is_needless(name, target, oldest):
            lost += ", and has all it was for without it" if last else "; it installed nothing"
            text = ""
        elif extras.is_needless(name, target, target):
            continue  # the target does not need it, an older release does
        elif new is not None:
            lost += f"; its name is {new} now"
            text = "" if new in {extras.canonical(one.text) for one in requirement.extras} else new
        elif last is not None:
            lost += _loss(name, last)
        change = _change(requirement, extra, text, source) if text is not None else None
        facts = Rewrite((change,)) if change is not None else None
        yield RULE.finding(source, source.place(extra), lost, facts=facts)


def _oldest(requirement: Requirement, source: RequirementFile) -> Release | None:
    """Return the oldest release a requirement stands for beside the target, None where it keeps to others.

    What an address leads to may be any release.
    """
    if requirement.specifier is None:
        return None
    admitted = requirement.admitted()
    if source.project.moves or not requirement.standard:
        return source.oldest
    return admitted[0] if source.project.target in admitted else None


def _when(name: str, target: Release) -> str:
    gone, coming = extras.gone_since(name, target), extras.comes_with(name, target)
    if gone is not None:
        return f"since {gone}"
    if coming is not None:
        return f"before {coming}"
    import difflib

    near = difflib.get_close_matches(name, [one for one in extras.known() if one != extras.CORE], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"in any release from {extras.first_known()} on{hint}"


def _loss(name: str, last: frozenset[str]) -> str:
    new = extras.renames().get(name)
    if new is not None and new != extras.CORE:
        return f"; its name is {new} now, which an older release that the requirement admits does not have"
    brought = " and ".join(sorted(last))
    return f"; {brought} is not installed any more: require it yourself if you need it, and take the extra out"


def _change(requirement: Requirement, extra: Written, text: str, source: RequirementFile) -> Change | None:
    """Return the change that puts another name, or nothing, in an extra's place; None where that is not plain."""
    if text:
        return Change(source.place(extra), text)
    others = requirement.extras
    at, quote = others.index(extra), 1 if requirement.is_poetrys else 0
    if len(others) == 1 and requirement.bracket is not None:
        start, end = requirement.bracket.start, requirement.bracket.end
    elif at + 1 < len(others):
        start, end = extra.start - quote, others[at + 1].start - quote
    else:
        start, end = (others[at - 1].end if at else extra.start - 2 * quote) + quote, extra.end + quote
    if re.search(r"[#\r\n]", source.text[start:end]):
        return None
    return Change(source.span_between(start, end), "")
