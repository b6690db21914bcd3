"""The ledger as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from checks.registry import all_rules, impact_of
from checks.report import Ledger, posix_path
from checks.rule import Finding, Impact, Rule

_LEVELS = {Impact.BREAKS: "error", Impact.SILENT: "error", Impact.DEFECT: "warning", Impact.DEPRECATED: "note"}

_LEFT_ALONE = ("baselined", "unchanged", "stale")


def document(ledger: Ledger) -> str:
    """Return one log with one run; its results are the findings left, its notifications the files that failed."""
    left = list(ledger.left())
    known = all_rules()
    names = sorted({finding.rule for finding in left} & set(known))
    failed = [
        {"level": "error", "message": {"text": entry.reason}, "locations": [_place(entry.path)]}
        for entry in ledger.entries
        if entry.failed
    ]
    run = {
        "tool": {"driver": {"name": "pipecat-codemods", "rules": [_rule(known[name]) for name in names]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not failed, "toolExecutionNotifications": failed}],
        "results": [_result(finding, names) for finding in left],
        "properties": {key: count for key, count in ledger.summary().items() if key in _LEFT_ALONE},
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    described = {
        "id": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.doc},
        "defaultConfiguration": {"level": _LEVELS[rule.impact]},
        "properties": {"fix": rule.fix.value, "impact": rule.impact.value},
    }
    return {**described, "helpUri": rule.url} if rule.url else described


def _result(finding: Finding, names: list[str]) -> dict[str, Any]:
    region = {
        "startLine": finding.span.line,
        "startColumn": finding.span.column,
        "endLine": finding.span.end_line,
        "endColumn": finding.span.end_column,
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": names.index(finding.rule),
        "level": _LEVELS[impact_of(finding)],
        "message": {"text": finding.message},
        "locations": [_place(finding.path, region)],
        "properties": {"fix": finding.fix.value},
    }


def _place(path: Path | str, region: dict[str, int] | None = None) -> dict[str, Any]:
    where: dict[str, Any] = {"artifactLocation": {"uri": quote(posix_path(path).encode(errors="surrogateescape"))}}
    return {"physicalLocation": {**where, "region": region} if region else where}
