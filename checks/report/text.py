"""The ledger as text: each finding with its line, then what became of the files, then one line of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from checks.report import Entry, Ledger, Status, left_alone, plural, printable, shown_path
from checks.rule import Finding, Fix

_MARKS = {
    Fix.SAFE: "can be mended",
    Fix.UNSAFE: "can be mended with --unsafe",
    Fix.NONE: "needs a human",
}


# The longest line that is shown whole, in characters.
_WIDEST = 400


def lines(ledger: Ledger, sources: dict[str, list[str]], *, mended: bool) -> Iterator[str]:
    """Yield the report's lines.

    ``sources`` holds the lines of the files with findings, by path. ``mended``: the run was to mend, so the findings
    it mends are only counted.
    """
    for entry in ledger.entries:
        for finding, applied in entry.findings:
            if not applied:
                yield from _finding(finding, sources.get(finding.path, []))
    for entry in ledger.entries:
        if entry.status is Status.CHANGED:
            yield _changed(entry, ledger)
    yield _counts(ledger, mended=mended)
    counts = ledger.summary()
    if said := left_alone(counts["baselined"], counts["unchanged"]):
        yield said
    if counts["stale"]:
        gone = plural(counts["stale"], "finding")
        yield f"No longer found: {gone} in the baseline; --write-baseline drops what is gone."


def errors(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a line for each file that could not be dealt with."""
    for entry in entries:
        if entry.failed:
            yield f"{printable(shown_path(entry.path))}: {printable(entry.reason)}"


def _finding(finding: Finding, source: list[str]) -> Iterator[str]:
    at = finding.span
    place = f"{printable(shown_path(finding.path))}:{at.line}:{at.column}"
    yield f"{place}: {finding.rule} {printable(finding.message)} [{_MARKS[finding.fix]}]"
    if at.line <= len(source):
        text = source[at.line - 1].replace("\t", " ")
        end = at.end_column if at.end_line == at.line else len(text) + 1
        # Of a line without end, as generated code has it, only what is around the place.
        first = 0 if len(text) <= _WIDEST else max(0, at.column - 1 - _WIDEST // 2)
        last = min(len(text), first + _WIDEST)
        shown = printable(text[first:last])
        before = len(printable(text[first : at.column - 1]))
        width = len(printable(text[at.column - 1 : min(end - 1, last)]))
        number = str(at.line)
        yield f"  {number} | {shown}"
        yield f"  {' ' * len(number)} | {' ' * before}{'^' * max(width, 1)}"
    if finding.fix is Fix.NONE and finding.url:
        yield f"  see {finding.url}"


def _changed(entry: Entry, ledger: Ledger) -> str:
    count = sum(applied for _, applied in entry.findings)
    verb = "mended" if ledger.written else "would mend"
    said = [entry.note if ledger.written else f"would have {entry.note}"] if entry.note else []
    said += [f"{verb} {plural(count, 'finding')}"] if count or not entry.note else []
    return f"{printable(shown_path(entry.path))}: {', '.join(said)}"


def _counts(ledger: Ledger, *, mended: bool) -> str:
    counts = ledger.summary()
    done = sum(one for _, one in ledger.findings())
    files = plural(counts["files"], "file")
    if not counts["findings"] and counts["changed"]:
        verb = "changed" if ledger.written else "would change"
        return f"No findings for pipecat-ai {ledger.target}: {files} looked at, {counts['changed']} {verb}."
    if not counts["findings"]:
        broken = counts["error"] + counts["refused"]
        trouble = f", {broken} could not be read" if broken else ""
        return f"Nothing to do for pipecat-ai {ledger.target}: {files} looked at{trouble}."
    parts: list[str] = []
    if mended:
        verb = "mended" if ledger.written else "would be mended"
        parts.append(f"{done} {verb} in {plural(counts['changed'], 'file')}")
    left = Counter(finding.fix for finding, one in ledger.findings() if not one)
    parts += [f"{left[fix]} {_MARKS[fix]}" for fix in (Fix.SAFE, Fix.UNSAFE) if left[fix]]
    if counts["needs_human"]:
        needs = "needs" if counts["needs_human"] == 1 else "need"
        parts.append(f"{counts['needs_human']} {needs} a human")
    found = plural(counts["findings"], "finding")
    return f"{found} for pipecat-ai {ledger.target} in {files}: {', '.join(parts)}."
