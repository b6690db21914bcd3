"""What an upgrade will hit, as text: by release, then by what becomes of the code, then rule by rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from checks.registry import impact_of
from checks.report import left_alone, plural, printable, shown_path
from checks.rule import Finding, Fix, Impact

if TYPE_CHECKING:
    from checks.plan import Upgrade

KeyT = TypeVar("KeyT", bound=Hashable)
_HEADS = {
    Impact.BREAKS: "breaks: fails when the line runs",
    Impact.SILENT: "silent: runs, and does not do what it says",
    Impact.DEPRECATED: "deprecated: works until it is removed",
    Impact.DEFECT: "defect: wrong by itself",
}
_WHO = {Fix.SAFE: "safe", Fix.UNSAFE: "unsafe", Fix.NONE: "human"}


def lines(upgrade: Upgrade, *, verbose: bool) -> Iterator[str]:
    """Yield the report's lines. ``verbose``: what can be mended is listed too, not only counted."""
    for release, findings in upgrade.begun.items():
        head = f"Already at {release}" if release == upgrade.start else f"From {release} on"
        yield f"{head}: {plural(len(findings), 'finding')} ({_shares(findings)})"
        by_impact = _grouped(findings, impact_of)
        for impact in (impact for impact in Impact if impact in by_impact):
            yield f"  {_HEADS[impact]}"
            yield from _rules(by_impact[impact], verbose=verbose)
        yield ""
    yield from _total(upgrade)
    if said := left_alone(upgrade.baselined, 0):
        yield said


def _rules(findings: Iterable[Finding], *, verbose: bool) -> Iterator[str]:
    order = list(_WHO)
    by_rule = _grouped(findings, lambda finding: (finding.rule, order.index(finding.fix)))
    for (rule, index), found in sorted(by_rule.items()):
        fix = order[index]
        yield f"    {len(found)} × {rule} ({_WHO[fix]})"  # noqa: RUF001
        if fix is Fix.NONE or verbose:
            yield from map(_place, found)
        if fix is Fix.NONE:
            # Findings of one rule share a page; it is named once.
            yield from (f"      see {url}" for url in dict.fromkeys(finding.url for finding in found) if url)


def _place(finding: Finding) -> str:
    at = finding.span
    return f"      {printable(shown_path(finding.path))}:{at.line}:{at.column}: {printable(finding.message)}"


def _total(upgrade: Upgrade) -> Iterator[str]:
    findings = upgrade.findings
    way = f"from pipecat-ai {upgrade.start} to {upgrade.end}"
    files = plural(upgrade.files, "file")
    if not findings:
        trouble = f", {plural(len(upgrade.failed), 'path')} could not be read" if upgrade.failed else ""
        yield f"Nothing to do {way}: {files} looked at{trouble}."
        return
    counts = upgrade.summary()
    impacts = ("breaking", "silent", "deprecated", "defect")
    shares = ", ".join(f"{counts[impact]} {impact}" for impact in impacts if counts[impact])
    yield f"{plural(len(findings), 'finding')} {way} in {files}: {shares}."
    parts = [f"{counts['safe']} can be mended by `apply --target {upgrade.end}`"]
    if counts["unsafe"]:
        parts.append(f"{counts['unsafe']} more with --unsafe")
    parts.append(f"{counts['human']} {'needs' if counts['human'] == 1 else 'need'} a human")
    yield f"{', '.join(parts)}."


def _shares(findings: Sequence[Finding]) -> str:
    by_fix = _grouped(findings, lambda finding: finding.fix)
    return ", ".join(f"{len(by_fix[fix])} {who}" for fix, who in _WHO.items() if fix in by_fix)


def _grouped(findings: Iterable[Finding], key: Callable[[Finding], KeyT]) -> dict[KeyT, list[Finding]]:
    groups: dict[KeyT, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[key(finding)].append(finding)
    return groups
