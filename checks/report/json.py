"""The ledger as JSON, version 1. Lines and columns count from 1, columns in characters."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from checks.registry import impact_of
from checks.report import Ledger, shown_path
from checks.rule import Finding

if TYPE_CHECKING:
    from checks.plan import Upgrade


def document(ledger: Ledger) -> str:
    """Return the whole ledger as one JSON document."""
    return json.dumps(
        {
            "version": 1,
            "target": str(ledger.target),
            "findings": [_finding(finding, mended and ledger.written) for finding, mended in ledger.findings()],
            "files": [
                {
                    "path": shown_path(entry.path),
                    "status": entry.status.value,
                    "reason": entry.reason or entry.note,
                }
                for entry in ledger.entries
            ],
            "summary": ledger.summary(),
        },
        indent=2,
    )


def plan(upgrade: Upgrade) -> str:
    """Return what an upgrade will hit as one JSON document."""
    already = upgrade.begun.get(upgrade.start, [])
    return json.dumps(
        {
            "version": 1,
            "from": str(upgrade.start),
            "to": str(upgrade.end),
            "releases": [
                {"release": str(release), "findings": _with_impact(findings)}
                for release, findings in upgrade.begun.items()
                if release != upgrade.start
            ],
            "already": _with_impact(already),
            "summary": upgrade.summary(),
        },
        indent=2,
    )


def _with_impact(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [{**_finding(finding, False), "impact": impact_of(finding).value} for finding in findings]


def _finding(finding: Finding, applied: bool) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "path": shown_path(finding.path),
        "line": finding.span.line,
        "column": finding.span.column,
        "end_line": finding.span.end_line,
        "end_column": finding.span.end_column,
        "message": finding.message,
        "fix": finding.fix.value,
        "applied": applied,
        "since": finding.since,
        "deprecated_in": finding.deprecated_in,
        "removed_in": finding.removed_in,
        "url": finding.url,
    }
