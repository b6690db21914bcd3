"""What a run says at its end: the ledger, as text for people or in a form that machines read."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.pipecat.releases import Release
from checks.rule import Finding, Fix

if TYPE_CHECKING:
    from checks.baseline import Key


class Status(StrEnum):
    """What became of a file."""

    CHANGED = "changed"
    CLEAN = "clean"
    SKIPPED = "skipped"
    REFUSED = "refused"
    ERROR = "error"


class Entry(NamedTuple):
    """One file of the ledger: its status with the reason, and its findings, each with whether the run mends it.

    A changed file has a reason where some of its fixes were refused. ``note`` says what changes beside findings.
    ``baselined`` and ``unchanged`` count the findings that the run leaves alone.
    """

    path: Path
    status: Status
    reason: str = ""
    findings: tuple[tuple[Finding, bool], ...] = ()
    note: str = ""
    baselined: int = 0
    unchanged: int = 0

    @property
    def failed(self) -> bool:
        """Whether something asked for could not be done to the file."""
        return self.status in (Status.ERROR, Status.REFUSED) or (self.status is Status.CHANGED and bool(self.reason))


@dataclass(slots=True)
class Ledger:
    """The truth about a run. ``written`` is False for a run that only shows what it would do.

    ``stale`` are the entries of baselines that count more than was found, by how many; ``strict``: they are an error.
    """

    target: Release
    entries: list[Entry] = field(default_factory=list[Entry])
    written: bool = True
    stale: list[tuple[Path, Key, int]] = field(default_factory=list[tuple[Path, "Key", int]])
    strict: bool = False

    def findings(self) -> Iterable[tuple[Finding, bool]]:
        """Yield every finding with whether the run mends it, by file."""
        for entry in self.entries:
            yield from entry.findings

    def left(self) -> Iterable[Finding]:
        """Yield every finding that is still there after the run, by file."""
        for entry in self.entries:
            yield from self.left_of(entry)

    def left_of(self, entry: Entry) -> Iterable[Finding]:
        """Yield the findings of one file that are still there after the run."""
        return (finding for finding, mended in entry.findings if not (mended and self.written))

    def exit_code(self) -> int:
        """Return 2 if some file could not be dealt with, 1 if anything was found or changed, else 0."""
        if any(entry.failed for entry in self.entries):
            return 2
        if self.strict and self.stale:
            return 1
        return 1 if any(entry.findings or entry.status is Status.CHANGED for entry in self.entries) else 0

    def summary(self) -> dict[str, int]:
        """Return the counts of files by status and of findings by what can be done about them."""
        files = Counter(entry.status for entry in self.entries)
        findings = list(self.findings())
        left = list(self.left())
        return {
            "files": len(self.entries),
            **{status.value: files[status] for status in Status},
            "findings": len(findings),
            "applied": len(findings) - len(left),
            "fixable_safe": sum(finding.fix is Fix.SAFE for finding in left),
            "fixable_unsafe": sum(finding.fix is Fix.UNSAFE for finding in left),
            "needs_human": sum(finding.fix is Fix.NONE for finding in left),
            "baselined": sum(entry.baselined for entry in self.entries),
            "unchanged": sum(entry.unchanged for entry in self.entries),
            "stale": sum(count for _, _, count in self.stale),
        }


def shown_path(path: Path | str) -> str:
    """Return a path as a person at the current folder would write it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def left_alone(baselined: int, unchanged: int) -> str:
    """Return what a run found and does not show, as a sentence; nothing if that is nothing."""
    parts = [f"{plural(baselined, 'finding')} in the baseline"] if baselined else []
    parts += [f"{plural(unchanged, 'finding')} on unchanged lines"] if unchanged else []
    return f"Not shown: {', '.join(parts)}." if parts else ""


def posix_path(path: Path | str) -> str:
    """Return the same with forward slashes, as other tools take it."""
    return Path(shown_path(path)).as_posix()


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """Return text with everything that could move a terminal's cursor or hide text written out as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char == "\t" or unicodedata.category(char)[0] != "C" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
