"""What a rule is, and what it finds.

A rule is a module in ``checks.rules`` with a ``RULE`` and the functions that decide; its docstring is what ``explain``
shows. Installed packages add rules through the entry point group ``pipecat_codemods.rules``, each entry naming a
module of the same form.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from checks.source import Located, Source, Span

if TYPE_CHECKING:
    from checks.datafile import DataFile

NodeT = TypeVar("NodeT", bound=ast.AST)
Visitor = Callable[[Any, Source], Iterable["Finding"]]
# What decides on a part of a file that is no Python, given it and the file.
Decider = Callable[[Any, Any], Iterable["Finding"]]
DeciderT = TypeVar("DeciderT", bound=Decider)
# Names of nodes, or what gives them when they are first asked for.
NodeNames = Collection[str] | Callable[[], Collection[str]]
Finisher = Callable[[Source, list["Finding"], frozenset[str]], Iterable["Finding"]]


class Fix(StrEnum):
    """How a finding can be mended.

    ``SAFE``: same behaviour on the target release, or a crash mended. ``UNSAFE``: behaviour changes as the rule says.
    ``NONE``: a human must; the message says what.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    NONE = "none"


class Impact(StrEnum):
    """What becomes of code that a rule objects to, once it runs on the target release.

    ``BREAKS``: it fails when the line runs. ``SILENT``: it runs, and does not do what it says. ``DEPRECATED``: it works
    until what it uses is removed. ``DEFECT``: it is wrong by itself, whatever the release.
    """

    BREAKS = "breaks"
    SILENT = "silent"
    DEPRECATED = "deprecated"
    DEFECT = "defect"


class Finding(NamedTuple):
    """One place where a rule objects.

    ``facts`` holds everything the fix needs, decided by the check; it is None exactly where ``fix`` is ``NONE``.
    The ``group_size`` findings with the same ``group`` are mended together, across files, or not at all.
    """

    path: str
    span: Span
    rule: str
    message: str
    fix: Fix = Fix.NONE
    facts: object = None
    group: str | None = None
    group_size: int = 1
    since: str | None = None
    deprecated_in: str | None = None
    removed_in: str | None = None
    url: str | None = None

    @property
    def place(self) -> tuple[str, Span, str]:
        """The key findings are sorted by."""
        return self.path, self.span, self.rule


class Rule:
    """One rule's facts and the functions that decide where it objects.

    Args:
        module: The ``__name__`` of the rule's module; its last part, with hyphens, is the rule's name.
        needles: Literals one of which must occur in a file for the rule to look at it; empty: every file.
        fix: The best that ``apply`` can do about a finding.
        impact: What becomes of the code on the target release.
        since: The Pipecat release from which on the rule has something to say.
        deprecated_in: The release that deprecated the old form.
        removed_in: The release that removed it.
        url: Where upstream says so.
        option: The option of the command line without which the rule does not run.
        about: A literal that some file of a project must hold for the rule to look at any; None: whatever they hold.
        unless_own: A module for whose released forms alone the rule speaks: where a file's project has one of that name
            itself, which answers for itself, it does not look.
    """

    def __init__(
        self,
        module: str,
        *,
        needles: Iterable[str],
        fix: Fix,
        impact: Impact = Impact.DEFECT,
        since: str | None = None,
        deprecated_in: str | None = None,
        removed_in: str | None = None,
        url: str | None = None,
        option: str | None = None,
        about: str | None = "pipecat",
        unless_own: str | None = None,
    ):
        self.module = module
        self.name = module.rpartition(".")[2].replace("_", "-")
        self.needles = tuple(needle.encode() for needle in needles)
        self.fix = fix
        self.impact = impact
        self.since = since
        self.deprecated_in = deprecated_in
        self.removed_in = removed_in
        self.url = url
        self.option = option
        self.about = about.encode() if about is not None else None
        self.unless_own = unless_own
        self.visitors: list[tuple[type[ast.AST], Visitor, NodeNames | None]] = []
        self.deciders: list[tuple[type[DataFile], Decider]] = []
        self.finisher: Finisher | None = None
        self._loaded = False

    def on(
        self, kind: type[NodeT], *, named: NodeNames | None = None
    ) -> Callable[
        [Callable[[NodeT, Source], Iterable[Finding]]],
        Callable[[NodeT, Source], Iterable[Finding]],
    ]:
        """Have the decorated function decide on every node of one type; ``named``: only on those of these names."""

        def register(
            visitor: Callable[[NodeT, Source], Iterable[Finding]],
        ) -> Callable[[NodeT, Source], Iterable[Finding]]:
            self.visitors.append((kind, visitor, named))
            return visitor

        return register

    def on_part(self, kind: type[DataFile]) -> Callable[[DeciderT], DeciderT]:
        """Have the decorated function decide on every part of a kind of files that are no Python."""

        def register(decider: DeciderT) -> DeciderT:
            self.deciders.append((kind, decider))
            return decider

        return register

    def at_end(self, finisher: Finisher) -> Finisher:
        """Have the decorated function decide last, knowing every finding of the file and the rules that ran."""
        self.finisher = finisher
        return finisher

    def load(self) -> Rule:
        """Return the rule with the functions that decide, importing its module if that has not been."""
        if not self._loaded:
            one: Rule = importlib.import_module(self.module).RULE
            self.visitors, self.deciders, self.finisher = one.visitors, one.deciders, one.finisher
            self._loaded = True
        return self

    @property
    def is_of_code(self) -> bool:
        """Whether the rule, once loaded, decides on Python files."""
        return bool(self.visitors or self.finisher)

    def visit(self, source: Source) -> Iterator[Finding]:
        """Yield what the rule finds in a file, its say at the end left out."""
        self.load()
        for kind, visitor, names in self.visitors:
            wanted = names() if callable(names) else names
            for node in source.nodes(kind) if wanted is None else source.named(kind, wanted):
                yield from visitor(node, source)

    def finding(
        self,
        source: Source,
        at: Located | Span,
        message: str,
        *,
        facts: object = None,
        why: str = "",
        fix: Fix | None = None,
        group: str | None = None,
        group_size: int = 1,
        removed_in: str | None = None,
    ) -> Finding:
        """Return a finding of this rule; without facts nothing can be mended. ``why`` ends the message."""
        span = at if isinstance(at, Span) else source.span(at)
        return Finding(
            path=str(source.path),
            span=span,
            rule=self.name,
            message=f"{message}; {why}" if why else message,
            fix=Fix.NONE if facts is None else fix or self.fix,
            facts=facts,
            group=group if facts is not None else None,
            group_size=group_size,
            since=self.since,
            deprecated_in=self.deprecated_in,
            removed_in=removed_in or self.removed_in,
            url=self.url,
        )

    def together(
        self,
        source: Source,
        said: Sequence[tuple[Located, str]],
        facts: object,
        *,
        why: str = "",
        fix: Fix | None = None,
    ) -> Iterator[Finding]:
        """Yield a finding for each place and message, mended together: the first has the facts for all of them."""
        group = f"{source.path}:{source.span(said[0][0])}" if said else None
        for at, message in said:
            yield self.finding(source, at, message, facts=facts, why=why, fix=fix, group=group, group_size=len(said))
            facts = () if facts is not None else None

    @property
    def doc(self) -> str:
        """The rule's documentation: its module's docstring."""
        return (importlib.import_module(self.module).__doc__ or "").strip()

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.doc.partition("\n")[0]
