"""The coverage ledger: which rule flags each record of upstream's registry, and whether it can be mended.

ledger.tsv has a line for each record: its name and kind, the rules that flag a use of it (tests/uses.py), the fix
(``safe``, ``unsafe``, ``none``), and for ``none`` why. The file is what people read; the test holds it against what the
rules and fixes do. ``python -m tests.test_ledger`` writes it as things are now.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

from checks.pipecat.releases import NEWEST
from checks.rule import Finding
from checks.session import Request
from codemods import apply
from tests.uses import records, suffix, use

LEDGER = Path(__file__).parent / "ledger.tsv"


class Line(NamedTuple):
    """What the ledger says of one record."""

    name: str
    kind: str
    rules: str
    fix: str


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    return work_out(tmp_path_factory.mktemp("uses"))


def work_out(root: Path) -> list[Line]:
    """Write a use of every record, run the mends at the newest release, and return what became of each."""
    (root / "pyproject.toml").write_text(f'[project]\ndependencies = ["pipecat-ai=={NEWEST}"]\n')
    used = {root / f"use_{number:03}{suffix(record)}": record for number, record in enumerate(records())}
    for path, record in used.items():
        path.write_text(use(record))
    outcomes = {unsafe: _outcomes(root, unsafe=unsafe) for unsafe in (False, True)}
    lines: list[Line] = []
    for path, record in used.items():
        found = {unsafe: _about(record.name, by_path.get(path, [])) for unsafe, by_path in outcomes.items()}
        rules = ",".join(sorted({finding.rule for finding, _ in found[True]}))
        mended = {unsafe: bool(some) and all(done for _, done in some) for unsafe, some in found.items()}
        fix = "safe" if mended[False] else "unsafe" if mended[True] else "none"
        lines.append(Line(record.name, record.kind, rules, fix))
    return sorted(lines)


def _outcomes(root: Path, *, unsafe: bool) -> dict[Path, list[tuple[Finding, bool]]]:
    request = Request((str(root),), target=str(NEWEST))
    ledger = apply.ledger_of(apply.mended(request, unsafe=unsafe, jobs=2), written=False)
    assert [entry.reason for entry in ledger.entries if entry.status in ("error", "refused")] == []
    return {entry.path: list(entry.findings) for entry in ledger.entries}


def _about(name: str, findings: list[tuple[Finding, bool]]) -> list[tuple[Finding, bool]]:
    """Return the findings of a use that are about the record, not about what the use needs beside it."""
    *_, owner, member = name.split(".")
    for word in (member, owner):
        named = [(finding, done) for finding, done in findings if word in finding.message]
        if named:
            return named
    return findings


def test_every_record_stands_in_the_ledger_as_it_is(seen: list[Line]) -> None:
    """The ledger says of each record what the rules and fixes do about it, and why nothing where they do nothing."""
    with LEDGER.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [Line(row["name"], row["kind"], row["rules"], row["fix"]) for row in rows] == seen
    assert [row["name"] for row in rows if (row["fix"] == "none") != bool(row["reason"])] == []


def test_every_record_is_flagged(seen: list[Line]) -> None:
    """A use of anything that upstream has announced to remove is found."""
    assert [line for line in seen if not line.rules] == []
    assert len(seen) == 507


def test_seven_of_eight_records_can_be_mended(seen: list[Line]) -> None:
    """What has a fix in at least one form that people write."""
    mended = [line for line in seen if line.fix != "none"]
    assert len(mended) >= 0.875 * len(seen)


def main() -> None:
    """Write the ledger as things are now, reasons kept; a new row without a fix has the reason ``?``."""
    with LEDGER.open(newline="", encoding="utf-8") as file:
        reasons = {(row["name"], row["kind"]): row["reason"] for row in csv.DictReader(file, delimiter="\t")}
    with tempfile.TemporaryDirectory() as scratch:
        lines = work_out(Path(scratch).resolve())
    with LEDGER.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["name", "kind", "rules", "fix", "reason"])
        for line in lines:
            known = reasons.get((line.name, line.kind), "") or "?"
            writer.writerow([*line, known if line.fix == "none" else ""])


if __name__ == "__main__":
    main()
