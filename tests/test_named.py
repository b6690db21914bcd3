"""``apply --pyright-report``: only what the report of a run elsewhere names is mended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checks.errors import UsageError
from checks.pyright import read
from checks.session import Request, begin
from codemods.named import named_lines
from tests.cases import contents
from tests.running import BAD, GOOD, NEW, OLD, TOGETHER, TOGETHER_MENDED, apply, project, statuses

TWICE = BAD + b"\n\n" + BAD.replace(b"def f", b"def g")
THERE = "/builds/acme/bots"


def entry(file: str, line: int, end_line: int | None = None, **changes: Any) -> dict[str, Any]:
    """Return a diagnostic as pyright writes it; lines count from 1 here."""
    end = {"line": (end_line or line) - 1, "character": 5}
    span = {"start": {"line": line - 1, "character": 4}, "end": end}
    return {"file": file, "severity": "error", "message": "m", "rule": "r", "range": span, **changes}


def report(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"version": "1.1.414", "generalDiagnostics": entries, "summary": {}}).encode()


def lines(root: Path, data: bytes) -> dict[str, set[int]]:
    """Return the lines named in each file of a project."""
    (root.parent / "report.json").write_bytes(data)
    session = begin(Request((str(root),)))
    found = named_lines(str(root.parent / "report.json"), session)
    assert session.unreadable == []
    return {path.relative_to(root).as_posix(): numbers for path, numbers in found.items() if numbers}


# -- driving a run


def test_only_the_lines_named_are_mended(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": TWICE, "b.py": BAD})
    (tmp_path / "report.json").write_bytes(report(entry(f"{THERE}/a.py", 6)))
    done = apply(root, "--pyright-report", "../report.json", "--output-format", "json", ".")
    assert contents(root) == {"a.py": TWICE[:40] + TWICE[40:].replace(OLD, NEW), "b.py": BAD, "pyproject.toml": b""}
    assert (done.code, statuses(done)) == (1, {"a.py": "changed", "b.py": "clean"})
    assert [(one["path"], one["line"], one["applied"]) for one in done.report["findings"]] == [("a.py", 6, True)]

    again = apply(root, "--pyright-report", "../report.json", ".")
    assert (again.code, again.err) == (0, b"")


def test_the_report_may_come_on_standard_input(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    done = apply(root, "--pyright-report", "-", ".", stdin=report(entry(str(root / "a.py"), 1, 2)))
    assert (done.code, done.err, contents(root)["a.py"]) == (1, b"", GOOD)


def test_what_must_land_together_does(tmp_path: Path) -> None:
    root = project(tmp_path, TOGETHER)
    (tmp_path / "report.json").write_bytes(report(entry(f"{THERE}/main.py", 5)))
    done = apply(root, "--target", "1.2.0", "--pyright-report", "../report.json", ".")
    assert done.code == 1
    assert contents(root) == {**TOGETHER_MENDED, "pyproject.toml": b""}


def test_named_lines_are_followed_through_earlier_edits(tmp_path: Path) -> None:
    bot = (
        b"from pipecat.pipeline.task import PipelineTask\n\n\n"
        b"def f(c, p):\n    PipelineTask(p)\n    return c.cr_code.co_name\n\n\n"
        b"def g(c):\n    return c.cr_code.co_name\n"
    )
    root = project(tmp_path, {"a.py": bot})
    (tmp_path / "report.json").write_bytes(report(entry(f"{THERE}/a.py", 1), entry(f"{THERE}/a.py", 6)))
    done = apply(root, "--target", "1.14.0", "--pyright-report", "../report.json", ".")
    assert (done.code, done.err) == (1, b"")
    after = contents(root)["a.py"]
    assert b"PipelineTask" not in after
    assert (after.count(NEW), after.count(OLD)) == (1, 1)
    assert after.endswith(b"def g(c):\n    return c.cr_code.co_name\n")


def test_a_report_without_diagnostics_is_nothing_to_do(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    done = apply(root, "--pyright-report", "-", ".", stdin=report())
    assert (done.code, done.err, contents(root)["a.py"]) == (0, b"", BAD)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not a whole report of pyright --outputjson: it is empty"),
        (report(entry("a.py", 1))[:-30], "is not a whole report of pyright --outputjson: "),
        (b"0 errors, 0 warnings\n", "is not a whole report of pyright --outputjson: "),
        (b'{"results": []}', "is not a report of pyright --outputjson"),
        (b"[1]", "is not a report of pyright --outputjson"),
        (b"\xff\xfe\x00", "is not a whole report of pyright --outputjson: "),
        (report(entry("a.py", 1, severity=None)), None),
        (report(entry("a.py", 1, message=1)), "is not a report of pyright --outputjson"),
        (report(entry("a.py", -3)), "is not a report of pyright --outputjson"),
        (report(entry("/elsewhere/far.py", 1)), "is of none of the files given: it names /elsewhere/far.py"),
    ],
)
def test_a_report_that_is_none(data: bytes, reason: str | None, tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    done = apply(root, "--pyright-report", "-", ".", stdin=data)
    assert contents(root)["a.py"] == BAD
    if reason is not None:
        assert done.code == 2
        assert len(done.errors) == 1
        assert done.errors[0].startswith(f"error: the report on standard input {reason}")


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    done = apply(root, "--pyright-report", "nowhere.json", ".")
    assert (done.code, done.errors) == (2, ["error: nowhere.json cannot be read: No such file or directory"])


def test_a_path_that_may_be_several_files_is_named(tmp_path: Path) -> None:
    root = project(tmp_path, {"a/bot.py": BAD, "b/bot.py": BAD, "c.py": BAD})
    data = report(entry("/x/bot.py", 2), entry("/x/c.py", 2))
    done = apply(root, "--pyright-report", "-", ".", stdin=data)
    assert done.code == 2
    assert done.errors == ["error: /x/bot.py: the report names it, which may be a/bot.py or b/bot.py here"]
    assert contents(root) == {"a/bot.py": BAD, "b/bot.py": BAD, "c.py": GOOD, "pyproject.toml": b""}


# -- which file, which lines


def test_files_are_known_by_the_end_of_their_paths(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BAD, "a/bot.py": BAD, "b/src/bot.py": BAD, "only.py": BAD})
    assert lines(root, report(entry("/x/a/bot.py", 1))) == {"a/bot.py": {1}}
    assert lines(root, report(entry("/x/src/bot.py", 1))) == {"b/src/bot.py": {1}}
    assert lines(root, report(entry("C:\\x\\b\\src\\bot.py", 2))) == {"b/src/bot.py": {2}}
    assert lines(root, report(entry("/x/bot.py", 2))) == {"bot.py": {2}}
    assert lines(root, report(entry(str(root / "bot.py"), 2), entry("/x/only.py", 1))) == {
        "bot.py": {2},
        "only.py": {1},
    }
    # The nearer of two that may be the same file is; the other is none of those given.
    assert lines(root, report(entry("/x/a/bot.py", 1), entry("/x/y/a.py", 1))) == {"a/bot.py": {1}}


def test_a_diagnostic_of_an_import_names_the_whole_statement(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": "from x import (\n    a,\n    b,\n)\n\nf(\n    a,\n)\n"})
    assert lines(root, report(entry("a.py", 1))) == {"a.py": {1, 2, 3, 4}}
    assert lines(root, report(entry("a.py", 3))) == {"a.py": {1, 2, 3, 4}}
    assert lines(root, report(entry("a.py", 6, 8))) == {"a.py": {6, 7, 8}}
    assert lines(root, report(entry("a.py", 60, 80))) == {}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_that_shells_write(encoding: str) -> None:
    data = report(entry("ä.py", 1)).decode().encode(encoding)
    assert [one.path for one in read(data, "report")] == [Path("ä.py")]


def test_what_a_package_manager_says_first_is_passed_over() -> None:
    assert len(read(b"* Installing node {1}\n" + report(entry("a.py", 1)), "report")) == 1


def test_no_file_is_none_of_those_given(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    with pytest.raises(UsageError, match="of none of the files given"):
        lines(root, report(entry("/x/b.py", 1)))
