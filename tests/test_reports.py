"""The forms of the ledger that other tools read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from checks.pipecat.releases import NEWEST
from checks.report import Entry, Ledger, Status, github, gitlab, junit, sarif
from checks.rule import Finding, Fix
from checks.source import Span
from tests.running import CHECKS, python

ODD = "a,b: 100%\n.py"
ESCAPE = "says \x1b[2J 50%\nand more"


def finding(
    path: str, line: int, rule: str = "removed-name", message: str = "it is gone", *, lines: int = 1
) -> Finding:
    return Finding(path, Span(line, 5, line + lines - 1, 9), rule, message, fix=Fix.SAFE)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Return a run that mended one of two findings, met an odd name, and could not read a file."""
    monkeypatch.chdir(tmp_path)
    bot, odd = str(tmp_path / "bots" / "bot.py"), str(tmp_path / ODD)
    return Ledger(
        NEWEST,
        [
            Entry(
                tmp_path / "bots" / "bot.py", Status.CHANGED, "", ((finding(bot, 3), True), (finding(bot, 7), False))
            ),
            Entry(tmp_path / ODD, Status.SKIPPED, "", ((finding(odd, 2, "deprecated-name", ESCAPE, lines=2), False),)),
            Entry(tmp_path / "clean.py", Status.CLEAN),
            Entry(tmp_path / "bad.py", Status.ERROR, "is not valid utf-8"),
        ],
    )


def test_github_annotates_what_is_left(ledger: Ledger) -> None:
    assert github.document(ledger).split("\n") == [
        "::error file=bots/bot.py,line=7,endLine=7,col=5,endColumn=9,title=removed-name::it is gone",
        "::notice file=a%2Cb%3A 100%25\\n.py,line=2,endLine=3,title=deprecated-name::says \\x1b[2J 50%25\\nand more",
        "::error file=bad.py,title=not dealt with::is not valid utf-8",
    ]


def test_gitlab_fingerprints_outlive_moved_lines(ledger: Ledger) -> None:
    issues = json.loads(gitlab.document(ledger))
    assert [(one["check_name"], one["severity"], one["location"]["path"]) for one in issues] == [
        ("removed-name", "critical", "bots/bot.py"),
        ("deprecated-name", "minor", ODD),
        ("not-dealt-with", "blocker", "bad.py"),
    ]
    assert issues[1]["location"]["lines"] == {"begin": 2, "end": 3}
    path = str(ledger.entries[2].path)
    alike = [Ledger(NEWEST, [Entry(Path(path), Status.SKIPPED, "", ((finding(path, at), False),))]) for at in (1, 9)]
    first, moved = (json.loads(gitlab.document(one))[0]["fingerprint"] for one in alike)
    assert first == moved
    twice = ((finding(path, 1), False), (finding(path, 9), False))
    both = json.loads(gitlab.document(Ledger(NEWEST, [Entry(Path(path), Status.SKIPPED, "", twice)])))
    assert len({one["fingerprint"] for one in both}) == 2


def test_junit_counts_what_is_left(ledger: Ledger) -> None:
    suites = ElementTree.fromstring(junit.document(ledger))
    assert suites.attrib == {"name": "pipecat-codemods", "tests": "4", "failures": "2", "errors": "1"}
    assert [suite.get("failures") for suite in suites] == ["1", "1", "0", "0"]
    assert [len(list(suites.iter(name))) for name in ("testcase", "failure", "error")] == [4, 2, 1]
    failure = next(suites.iter("failure"))
    assert failure.get("message") == "it is gone"
    assert failure.text == "bots/bot.py:7:5: removed-name it is gone"


def test_sarif_names_rules_and_places(ledger: Ledger) -> None:
    log = json.loads(sarif.document(ledger))
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["deprecated-name", "removed-name"]
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("removed-name", 1, "error")
    assert place(first) == ("bots/bot.py", {"startLine": 7, "startColumn": 5, "endLine": 7, "endColumn": 9})
    assert place(second)[0] == "a%2Cb%3A%20100%25%0A.py"
    (failed,) = run["invocations"][0]["toolExecutionNotifications"]
    assert (run["invocations"][0]["executionSuccessful"], failed["message"]["text"]) == (False, "is not valid utf-8")


def place(result: dict[str, Any]) -> tuple[str, dict[str, int]]:
    where = result["locations"][0]["physicalLocation"]
    return where["artifactLocation"]["uri"], where["region"]


@pytest.mark.parametrize("module", [github, gitlab, junit, sarif])
def test_names_that_are_not_text(module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(os.fsdecode(b"caf\xe9.py"))
    entry = Entry(tmp_path / path, Status.SKIPPED, "", ((finding(str(tmp_path / path), 1), False),))
    assert module.document(Ledger(NEWEST, [entry])).encode()


def test_formats_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "bot.py").write_text("from pipecat.frames.frames import LLMMessagesFrame\n", encoding="utf-8")
    done = python(tmp_path, *CHECKS, "--output-format", "github", ".")
    assert done.code == 1
    assert done.out.startswith(b"::error file=bot.py,line=1,")
    done = python(tmp_path, "-m", "codemods", "plan", "--output-format", "sarif", ".")
    assert done.code == 2
    assert b"plan has no sarif report" in done.err
