"""The proof that a mended file holds nothing the target release does not have, unless it did before."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import cast

from checks.datafile import DataFile
from checks.evals import EvalFile
from checks.inspect import find
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.keywords import called_name
from checks.pipecat.variables import unread
from checks.registry import all_rules
from checks.requirements import RequirementFile, is_required, is_toml
from checks.rule import Finding
from checks.source import Source
from checks.variables import VariableFile

# The rules that the timeline alone drives: what code links to and the target release does not have.
LINKAGE = ("removed-name", "removed-keyword", "swallowed-keyword")


def unresolved(before: Source, after: Source) -> list[tuple[str, Finding | None]]:
    """Return what in the new text does not resolve against the target release, and was not in the old one.

    Each is a message, and the finding that says so if there is one.

    These are names, attributes and keywords that the release is known not to have, and imports of names of Pipecat's
    that no release is known to have.
    """
    known = Counter([*(what for what, _ in _missing(before)), *_given_to_what_is_gone(before)])
    new: list[tuple[str, Finding | None]] = []
    for what, finding in _missing(after):
        known[what] -= 1
        if known[what] < 0:
            new.append((finding.message.partition(";")[0], finding))
    unknown = sorted(_imports(after) - _imports(before))
    return [*new, *((f"no release is known to have {name}", None) for name in unknown)]


def misread(before: DataFile, after: DataFile) -> str | None:
    """Return why a mended file would not be read as before but for what is Pipecat's in it, None if it is."""
    if isinstance(before, RequirementFile) and isinstance(after, RequirementFile):
        return _misread_requirements(before, after)
    if isinstance(before, VariableFile) and isinstance(after, VariableFile):
        if _parts(before) != _parts(after):
            return "the result would differ in more than the names of variables"
    if isinstance(before, EvalFile) and isinstance(after, EvalFile):
        if before.said is None or before.said != after.said:
            return "the result would not be read as what was there"
    return None


def _parts(source: VariableFile) -> list[str]:
    """Return what a file says between the names of its variables, those told of as the ones they became."""
    parts: list[str] = []
    done = 0
    for variable in source.variables:
        known = unread().get(variable.text)
        parts += [source.text[done : variable.start], known.new if known is not None and known.new else variable.text]
        done = variable.end
    return [*parts, source.text[done:]]


def _misread_requirements(before: RequirementFile, after: RequirementFile) -> str | None:
    if len(before.requirements) != len(after.requirements):
        return "the result would not have the same requirements"
    if _without_requirements(before) != _without_requirements(after):
        return "the result would differ in more than its requirements of pipecat-ai"
    return None


def _without_requirements(source: RequirementFile) -> object:
    """Return what a file says beside the requirements of pipecat-ai, suppression comments left out."""
    if is_toml(source.path):
        try:
            return _rest(tomllib.loads(source.text.replace("\r\n", "\n")))
        except tomllib.TOMLDecodeError as error:
            return str(error)
    parts: list[str] = []
    done = 0
    for requirement in source.requirements:
        parts.append(source.text[done : requirement.whole.start])
        done = max(done, requirement.whole.end)
    return [re.sub(r"\s*# codemods:[^\r\n]*", "", part).rstrip() for part in (*parts, source.text[done:])]


def _rest(value: object) -> object:
    """Return a value of TOML less what it requires of pipecat-ai."""
    if isinstance(value, dict):
        table = cast(dict[str, object], value)
        return {key: _rest(inner) for key, inner in table.items() if not is_required(key)}
    if isinstance(value, list):
        values = cast(list[object], value)
        return [_rest(inner) for inner in values if not (isinstance(inner, str) and is_required(inner))]
    return value


def _missing(source: Source) -> Iterator[tuple[str, Finding]]:
    """Yield what is missing, and the finding of it; a keyword is the same whatever its class is called now."""
    rules = [all_rules()[name] for name in LINKAGE]
    for finding in find(source, rules, frozenset(LINKAGE)):
        message = finding.message.partition(";")[0]
        keyword = re.match(r"\w+ takes no (\w+)", message)
        yield keyword[1] if keyword else message, finding


def _given_to_what_is_gone(source: Source) -> Iterator[str]:
    """Yield the keywords given to what the target release does not have: whether one is missing too cannot be seen."""
    for call in source.nodes(ast.Call):
        called = called_name(call, source) if call.keywords else None
        if called is not None and timeline.exists(called, source.project.target) is False:
            yield from (keyword.arg for keyword in call.keywords if keyword.arg is not None)


def _imports(source: Source) -> set[str]:
    """Return the dotted names a file imports from Pipecat that the target release is not known to have."""
    found: set[str] = set()
    for node in source.nodes(ast.ImportFrom):
        if not node.level and node.module and is_of_library(node.module, source):
            found |= {f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*"}
    return {name for name in found if timeline.exists(name, source.project.target) is not True}
