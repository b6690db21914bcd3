"""The proof that a mended file holds nothing the target release does not have, unless it did before."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from checks.inspect import find
from checks.pipecat import timeline
from checks.pipecat.hierarchy import is_of_library
from checks.rule import all_rules
from checks.source import Source

# The rules that the timeline alone drives: what code links to and the target release does not have.
LINKAGE = ("removed-name", "removed-keyword", "swallowed-keyword")


def unresolved(before: Source, after: Source) -> list[str]:
    """Return what in the new text does not resolve against the target release, and was not in the old one.

    These are names, attributes and keywords that the release is known not to have, and imports of names of Pipecat's
    that no release is known to have.
    """
    new = Counter(_missing(after)) - Counter(_missing(before))
    return [*new, *(f"no release is known to have {name}" for name in sorted(_imports(after) - _imports(before)))]


def _missing(source: Source) -> Iterator[str]:
    rules = [all_rules()[name] for name in LINKAGE]
    for finding in find(source, rules, frozenset(LINKAGE)):
        yield finding.message.partition(";")[0]


def _imports(source: Source) -> set[str]:
    """Return the dotted names a file imports from Pipecat that the target release is not known to have."""
    found: set[str] = set()
    for node in source.nodes(ast.ImportFrom):
        if not node.level and node.module and is_of_library(node.module, source):
            found |= {f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*"}
    return {name for name in found if timeline.exists(name, source.project.target) is not True}
