"""A frame of the benchmark's that has another name now.

What it finds:
    Imports and uses of ``pipecat.frames.frames.Frame``, in another file than its own.

Why it matters:
    It is what the peers are given to do, too.

Example:
    ``Frame`` becomes ``BenchmarkFrame``.

Fix safety:
    None; there is no such class.

References:
    benchmarks/peers
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from checks.rule import Finding, Fix, Rule
from checks.source import Source, Span

MODULE, OLD, NEW = "pipecat.frames.frames", "Frame", "BenchmarkFrame"
RULE = Rule(__name__, needles=(OLD,), about=None, fix=Fix.SAFE)


@dataclass(frozen=True, slots=True)
class Facts:
    """Where the old name stands."""

    name: Span


@RULE.on(ast.ImportFrom)
def imported(node: ast.ImportFrom, source: Source) -> Iterator[Finding]:
    """Find the name among those imported."""
    if node.module == MODULE and not node.level:
        for alias in node.names:
            if alias.name == OLD:
                at = source.span(alias)
                name = Span(at.line, at.column, at.line, at.column + len(OLD))
                yield RULE.finding(source, alias, "renamed", facts=Facts(name))


@RULE.on(ast.Name)
def used(node: ast.Name, source: Source) -> Iterator[Finding]:
    """Find uses of the imported name."""
    if node.id == OLD and source.module != MODULE and source.names.resolve(node) == f"{MODULE}.{OLD}":
        yield RULE.finding(source, node, "renamed", facts=Facts(source.span(node)))
