"""The ledger as a GitLab Code Quality report: what is left, each with a fingerprint that outlives moved lines."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from checks.registry import impact_of
from checks.report import Ledger, posix_path
from checks.rule import Finding, Impact

_SEVERITIES = {Impact.BREAKS: "critical", Impact.SILENT: "critical", Impact.DEFECT: "major", Impact.DEPRECATED: "minor"}


def document(ledger: Ledger) -> str:
    """Return the report as one JSON array; files that could not be dealt with are in it as blockers."""
    seen: Counter[str] = Counter()
    issues = [_finding(finding, seen) for finding in ledger.left()]
    issues += [
        _issue("not-dealt-with", entry.reason, "blocker", posix_path(entry.path), (1, 1), seen)
        for entry in ledger.entries
        if entry.failed
    ]
    return json.dumps(issues, indent=2)


def _finding(finding: Finding, seen: Counter[str]) -> dict[str, object]:
    lines = (finding.span.line, finding.span.end_line)
    severity = _SEVERITIES[impact_of(finding)]
    return _issue(finding.rule, finding.message, severity, posix_path(finding.path), lines, seen)


def _issue(
    rule: str, message: str, severity: str, path: str, lines: tuple[int, int], seen: Counter[str]
) -> dict[str, object]:
    key = f"{rule}\n{path}\n{message}"
    seen[key] += 1
    return {
        "description": message,
        "check_name": rule,
        "fingerprint": hashlib.sha256(f"{key}\n{seen[key]}".encode(errors="surrogateescape")).hexdigest(),
        "severity": severity,
        "location": {"path": path, "lines": {"begin": lines[0], "end": lines[1]}},
    }
