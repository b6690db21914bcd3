"""The ledger as workflow commands of GitHub Actions: an annotation for each finding left and each failed file."""

from __future__ import annotations

from checks.registry import impact_of
from checks.report import Ledger, left_alone, posix_path, printable
from checks.rule import Impact

_LEVELS = {Impact.BREAKS: "error", Impact.SILENT: "error", Impact.DEFECT: "warning", Impact.DEPRECATED: "notice"}


def document(ledger: Ledger) -> str:
    """Return one line for each annotation; the paths are those seen from the current folder."""
    lines = [
        _command(
            _LEVELS[impact_of(finding)],
            finding.message,
            file=posix_path(finding.path),
            line=finding.span.line,
            endLine=finding.span.end_line,
            # Columns of an annotation are only shown within one line.
            **_columns(finding.span.column, finding.span.end_column, finding.span.line == finding.span.end_line),
            title=finding.rule,
        )
        for finding in ledger.left()
    ]
    lines += [
        _command("error", entry.reason, file=posix_path(entry.path), title="not dealt with")
        for entry in ledger.entries
        if entry.failed
    ]
    counts = ledger.summary()
    if said := left_alone(counts["baselined"], counts["unchanged"]):
        lines.append(_command("notice", said, title="pipecat-codemods"))
    return "\n".join(lines)


def _columns(start: int, end: int, is_one_line: bool) -> dict[str, int]:
    return {"col": start, "endColumn": end} if is_one_line else {}


def _command(level: str, message: str, **properties: str | int) -> str:
    shown = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {shown}::{_escaped(printable(message))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(printable(text)).replace(":", "%3A").replace(",", "%2C")
