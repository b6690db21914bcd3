"""The ledger as JUnit XML: a suite for each file, a failed test for each finding left, an error where a file failed.

Findings that the run leaves alone are one skipped test for each file.
"""

from __future__ import annotations

from xml.etree import ElementTree

from checks.report import Entry, Ledger, left_alone, printable, shown_path


def document(ledger: Ledger) -> str:
    """Return one XML document; a file with nothing left has one test that passed."""
    suites = ElementTree.Element("testsuites", name="pipecat-codemods")
    for entry in ledger.entries:
        _add(suites, entry, ledger)
    for name in ("tests", "failures", "errors"):
        suites.set(name, str(sum(int(suite.get(name, 0)) for suite in suites)))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def _add(suites: ElementTree.Element, entry: Entry, ledger: Ledger) -> None:
    path = printable(shown_path(entry.path))
    suite = ElementTree.SubElement(suites, "testsuite", name=path)
    left = list(ledger.left_of(entry))
    for finding in left:
        at = f"{finding.span.line}:{finding.span.column}"
        case = ElementTree.SubElement(suite, "testcase", classname=path, name=f"{finding.rule} {at}")
        failure = ElementTree.SubElement(case, "failure", type=finding.rule, message=printable(finding.message))
        failure.text = f"{path}:{at}: {finding.rule} {printable(finding.message)}"
    if entry.failed:
        case = ElementTree.SubElement(suite, "testcase", classname=path, name="dealt with")
        ElementTree.SubElement(case, "error", type="not-dealt-with", message=printable(entry.reason))
    if said := left_alone(entry.baselined, entry.unchanged):
        case = ElementTree.SubElement(suite, "testcase", classname=path, name="left alone")
        ElementTree.SubElement(case, "skipped", message=said)
    if not len(suite):
        ElementTree.SubElement(suite, "testcase", classname=path, name="nothing found")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(left)))
    suite.set("errors", str(int(entry.failed)))
    if said:
        suite.set("skipped", "1")
