"""The engine that reads: bytes, needles, tree, rules, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.datafile import DataFile
from checks.kinds import is_data_file
from checks.needles import Needles
from checks.project import Project
from checks.rule import Finding, Rule
from checks.source import Source, Unreadable, decode
from checks.suppression import suppressions, unsuppressed

if TYPE_CHECKING:
    from checks.baseline import Mark


class RuleCrashed(Exception):
    """A rule failed on a file; the message names the rule and what happened."""


class Inspection(NamedTuple):
    """What was found in one file; ``error`` says why it could not be read, in one line.

    ``marks`` are what the findings are known by, if the run has a baseline. Of the findings, a run leaves those alone
    that are ``baselined``, or stand on ``unchanged`` lines; they are no longer among ``findings`` then. ``sought``:
    the paths under which modules were looked for, where that is to be known.
    """

    path: Path
    findings: Sequence[Finding] = ()
    error: str | None = None
    marks: tuple[Mark, ...] = ()
    baselined: tuple[Finding, ...] = ()
    unchanged: tuple[Finding, ...] = ()
    sought: frozenset[str] = frozenset()


def inspect(path: Path, project: Project, rules: Mapping[str, Rule], *, thorough: bool = False) -> Inspection:
    """Return what the rules find in one file. Never raises for what a file holds.

    A file that holds no rule's needle is only decoded, unless ``thorough`` asks that it parse all the same.
    """
    try:
        data = project.read(path)
        wanted = _wanted(rules, path, data, project)
        if wanted or thorough:
            return Inspection(path, find(project.source(path, data), wanted, frozenset(rules)))
        decode(data)
        return Inspection(path)
    except OSError as error:
        return Inspection(path, error=f"cannot be read: {error.strerror or error}")
    except (Unreadable, RuleCrashed) as error:
        return Inspection(path, error=str(error))


def _wanted(rules: Mapping[str, Rule], path: Path, data: bytes, project: Project) -> list[Rule]:
    """Return the rules that look at a file: those whose needles it holds, of the ones a project has anything for."""
    is_data = is_data_file(path)
    # A project may say what it requires in a file, and nothing of it in its code.
    needles = Needles(tuple(rules.values())) if is_data else _needles(rules, project)
    held = [
        rule for rule in needles.held(data) if rule.about is None or rule.about in data or project.holds(rule.about)
    ]
    named = {rule.unless_own for rule in held if rule.unless_own is not None}
    own = {name for name in named if project.find_module(name, path) is not None}
    return [rule for rule in held if rule.unless_own not in own and (is_data or rule.load().is_of_code)]


def _needles(rules: Mapping[str, Rule], project: Project) -> Needles:
    """Return what looks for the needles of the rules that a project has anything for.

    The last answer is kept, as it is that of most files.
    """
    last: tuple[Mapping[str, Rule], frozenset[bytes], Needles] | None = project.memo.get("needles")
    if last is None or last[0] is not rules or last[1] != project.lacking:
        found = Needles([rule for rule in rules.values() if rule.about not in project.lacking])
        last = project.memo["needles"] = rules, project.lacking, found
    return last[2]


def find(source: Source, rules: Iterable[Rule], ran: frozenset[str]) -> list[Finding]:
    """Return the findings of these rules in one file, sorted, suppressed ones left out.

    ``ran`` names every rule of the run, also those whose needles the file lacks.

    Raises:
        Unreadable: the file does not parse.
        RuleCrashed: a rule failed.
    """
    findings: list[Finding] = []
    rules = [rule.load() for rule in rules]
    finishers = [rule for rule in rules if rule.finisher]
    source.tree  # noqa: B018
    for rule in rules:
        try:
            findings += _found(rule, source)
        except (Unreadable, OSError):
            raise
        except Exception as error:
            raise RuleCrashed(f"rule {rule.name} failed: {_described(error)}") from error
    for rule in finishers:
        if rule.finisher is not None:
            findings += list(rule.finisher(source, list(findings), ran))
    kept = unsuppressed(findings, suppressions(source))
    return sorted(kept, key=lambda finding: finding.place)


def _found(rule: Rule, source: Source) -> Iterator[Finding]:
    if isinstance(source, DataFile):
        for decider in (decider for kind, decider in rule.deciders if isinstance(source, kind)):
            for part in source.parts:
                yield from decider(part, source)
        return
    yield from rule.visit(source)


def _described(error: Exception) -> str:
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
