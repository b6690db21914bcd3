"""The command line as its users see it: bytes on disk, stdout, stderr and exit codes of real processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from checks.pipecat.releases import NEWEST
from tests.cases import contents
from tests.running import (
    BAD,
    CHECKS,
    CODEMODS,
    GOOD,
    HUMAN,
    NEW,
    OLD,
    TOGETHER,
    TOGETHER_MENDED,
    UNSAFE,
    UNSAFE_MENDED,
    Done,
    apply,
    at_once,
    check,
    environment,
    found,
    git,
    project,
    python,
    python_sources,
    statuses,
    undo,
)

CLEAN = b"x = 1\n"
BROKEN = b"def f(:\n"
SAFE_RULE, UNSAFE_RULE, COMMENT_RULE = "unguarded-cr-code", "task-manager-argument", "unused-suppression"
TABLE = "[tool.pipecat-codemods]\n"


# -- apply


def test_apply_mends_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "pkg/b.pyi": BAD, "clean.py": CLEAN, "notes.txt": BAD})

    done = apply(root, ".")

    wanted = {"a.py": GOOD, "pkg/b.pyi": GOOD, "clean.py": CLEAN, "notes.txt": BAD, "pyproject.toml": b""}
    assert contents(root) == wanted
    assert (done.code, done.err) == (1, b"")
    assert done.out.decode().splitlines() == [
        "a.py: mended 1 finding",
        "pkg/b.pyi: mended 1 finding",
        f"2 findings for pipecat-ai {NEWEST} in 3 files: 2 mended in 2 files.",
    ]

    inodes = [(root / name).stat().st_ino for name in wanted]
    again = apply(root, ".")
    assert (again.code, again.err) == (0, b"")
    assert contents(root) == wanted
    assert [(root / name).stat().st_ino for name in wanted] == inodes


def test_the_current_folder_is_the_default(tmp_path: Path) -> None:
    root = project(tmp_path, {"sub/a.py": BAD, "b.py": BAD})

    assert statuses(check(root / "sub", "--output-format", "json")) == {"a.py": "skipped"}


def test_files_that_belong_together_are_mended_together(tmp_path: Path) -> None:
    root = project(tmp_path, TOGETHER)

    alone = apply(root, "--target", "1.2", "--output-format", "json", "watcher.py")
    assert alone.code == 1
    assert python_sources(root) == TOGETHER
    assert statuses(alone) == {"watcher.py": "skipped"}

    assert apply(root, "--target", "1.2", ".").code == 1
    assert python_sources(root) == TOGETHER_MENDED


# -- apply --diff

SOURCES = {
    "plain": BAD,
    "pkg/crlf": BAD.replace(b"\n", b"\r\n"),
    "lone carriage returns": BAD.replace(b"\n", b"\r"),
    "mixed newlines": b"x = 1\ry = 2\r\n" + BAD,
    "byte order mark": b"\xef\xbb\xbf" + BAD,
    "latin-1": b"# coding: latin-1\n# \xe9\n" + BAD,
    "no final newline": BAD.rstrip(b"\n"),
    "form feed and line separators": b"x = 1\n\x0c\ny = '\xe2\x80\xa8\xc2\x85'\n" + BAD,
    "terminal escape": b"x = '\x1b[31m'\n" + BAD,
    "two hunks": BAD + b"\n" * 20 + BAD,
}
SOURCES = {f"{name.replace(' ', '-')}.py": source for name, source in SOURCES.items()}
NAMES = ["a b.py", "a\tb.py", "é.py", 'a"b.py', "a\\b.py", "-a.py", "a\nb.py", "a\x1b]0;x\x07b.py", "\udcff.py"]


def refused_parts(root: Path, diff: bytes) -> list[bytes]:
    """Have git apply a diff file by file, and return what it says about those it cannot apply."""
    parts = re.split(rb"(?<=[\n\r])(?=--- )", diff)
    patched = [git(root, "apply", "-", stdin=part) for part in parts]
    return [one.stderr for one in patched if one.returncode]


def test_diff_is_a_patch(tmp_path: Path) -> None:
    """Stdout is only a diff, which gives the bytes that apply gives; stderr has the report; nothing is written."""
    root = project(tmp_path, SOURCES)
    mended = {name: source.replace(OLD, NEW) for name, source in SOURCES.items()}

    done = apply(root, "--diff", ".")

    assert python_sources(root) == SOURCES
    assert done.code == 1
    assert done.out.startswith(b"--- a/byte-order-mark.py\n+++ b/byte-order-mark.py\n@@ ")
    told = [line.partition(":")[0] for line in done.err.decode().splitlines() if ": would mend " in line]
    assert told == sorted(SOURCES)
    refused = refused_parts(root, done.out)
    assert python_sources(root) == mended
    assert refused == []

    assert apply(project(tmp_path, SOURCES, "applied"), ".").code == 1
    assert python_sources(tmp_path / "applied") == mended


def test_diff_is_a_patch_whatever_the_names(tmp_path: Path) -> None:
    """And no name is printed raw that could do something to a terminal."""
    root = project(tmp_path, dict.fromkeys(NAMES, BAD))

    out = apply(root, "--diff", ".").out

    refused = refused_parts(root, out)
    assert python_sources(root) == dict.fromkeys(NAMES, GOOD)
    assert refused == []
    assert [byte for byte in (b"\x1b", b"\x07", b"\xff") if byte in out] == []
    assert out.count(b"\n--- ") + 1 == out.count(b"\n+++ ") == len(NAMES)


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
def test_diff_is_a_patch_for_patch_too(tmp_path: Path) -> None:
    root = project(tmp_path, {"a b/c d.py": BAD, "other.py": BAD.rstrip(b"\n")})

    done = apply(root, "--diff", ".")

    patched = subprocess.run(["patch", "-p1", "--batch"], cwd=root, input=done.out, capture_output=True)
    assert contents(root) == {"a b/c d.py": GOOD, "other.py": GOOD.rstrip(b"\n"), "pyproject.toml": b""}
    assert patched.returncode == 0


def test_diff_shows_findings_and_errors_on_stderr_only(tmp_path: Path) -> None:
    root = project(tmp_path, {"bad.py": BROKEN, "human.py": HUMAN})

    done = apply(root, "--diff", ".")

    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith(b"error: bad.py: line 1: ")
    assert b"human.py:2:12: unguarded-cr-code" in done.err


# -- apply --check


def test_check_writes_nothing_and_says_so(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "b.py": HUMAN, "clean.py": CLEAN})

    done, nothing = at_once([partial(apply, root, "--check", "."), partial(apply, root, "--check", "clean.py")])

    assert (nothing.code, nothing.err) == (0, b"")
    assert (done.code, done.err) == (1, b"")
    assert "a.py: would mend 1 finding" in done.out.decode().splitlines()
    assert python_sources(root) == {"a.py": BAD, "b.py": HUMAN, "clean.py": CLEAN}
    assert undo(root).code == 2


# -- what to aim at


LOCK = '[[package]]\nname = "pipecat-ai"\nversion = "1.4.0"\n'
TARGETS: list[tuple[str, dict[str, str], list[str]]] = [
    (str(NEWEST), {}, []),
    ("1.2.0", {}, ["--target", "1.2"]),
    ("1.2.1", {}, ["--target", "v1.2.1"]),
    ("1.1.0", {"requirements.txt": "click\npipecat-ai[openai]==1.1.0  # pinned\n"}, []),
    ("1.2.1", {"requirements-dev.txt": "pipecat_ai~=1.2.0\n"}, []),
    (str(NEWEST), {"requirements.txt": "pipecat-ai\n"}, []),
    (str(NEWEST), {"requirements.txt": "pipecat-ai-flows==1.1.0\n"}, []),
    ("1.2.1", {"pyproject.toml": '[project]\ndependencies = [\n  "pipecat-ai[daily,silero]>=1.1,<1.3",\n]\n'}, []),
    ("1.3.0", {"pyproject.toml": '[project]\ndependencies = ["click", "pipecat-ai == 1.3.0"]\n'}, []),
    ("1.4.0", {"uv.lock": LOCK}, []),
    ("1.4.0", {"poetry.lock": LOCK}, []),
    ("1.4.0", {"uv.lock": LOCK, "pyproject.toml": '[project]\ndependencies = ["pipecat-ai>=1.1"]\n'}, []),
    ("1.3.0", {"requirements.txt": "pipecat-ai==1.1.0\n"}, ["--target", "1.3"]),
    ("1.2.0", {"requirements.txt": "pipecat-ai==1.1.0\n", "pyproject.toml": f'{TABLE}target = "1.2"\n'}, []),
    ("1.3.0", {"pyproject.toml": f'{TABLE}target = "1.2"\n'}, ["--target", "1.3"]),
]


def test_target(tmp_path: Path) -> None:
    roots = [project(tmp_path, {"a.py": CLEAN, **case[1]}, str(number)) for number, case in enumerate(TARGETS)]

    runs = [
        partial(check, root, *case[2], "--output-format", "json", ".")
        for root, case in zip(roots, TARGETS, strict=True)
    ]
    done = at_once(runs)

    assert {(one.code, one.err) for one in done} == {(0, b"")}
    assert [(one.report["target"], *case[1:]) for one, case in zip(done, TARGETS, strict=True)] == TARGETS


def test_the_target_decides_what_is_found(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": UNSAFE, "requirements.txt": "pipecat-ai==1.1.0\n"})

    assert found(check(root, "--output-format", "json")) == []
    assert found(check(root, "--output-format", "json", "--target", "1.2")) == [("a.py", UNSAFE_RULE, False)]


# -- which rules

MIXED = {"a.py": BAD, "b.py": UNSAFE, "c.py": "x = 1  # codemods: ignore[no-such-rule]\n"}


SELECTIONS: list[tuple[list[str], set[str]]] = [
    ([], {SAFE_RULE, UNSAFE_RULE, COMMENT_RULE}),
    (["--select", SAFE_RULE], {SAFE_RULE}),
    (["--select", f"{SAFE_RULE}, {UNSAFE_RULE}"], {SAFE_RULE, UNSAFE_RULE}),
    (["--select", SAFE_RULE, "--select", UNSAFE_RULE], {SAFE_RULE, UNSAFE_RULE}),
    (["--ignore", f"{SAFE_RULE},{COMMENT_RULE}"], {UNSAFE_RULE}),
    (["--select", f"{SAFE_RULE},{UNSAFE_RULE}", "--ignore", UNSAFE_RULE], {SAFE_RULE}),
]


def test_select_and_ignore(tmp_path: Path) -> None:
    root = project(tmp_path, MIXED)

    done = at_once([partial(check, root, *options, "--output-format", "json", ".") for options, _ in SELECTIONS])

    rules = [{rule for _, rule, _ in found(one)} for one in done]
    assert [(options, here) for (options, _), here in zip(SELECTIONS, rules, strict=True)] == SELECTIONS


ASKED: list[tuple[list[str], str, bool]] = [
    ([], "", False),
    (["--unsafe"], "", True),
    (["--select", UNSAFE_RULE], "", True),
    ([], f"{TABLE}unsafe = true\n", True),
    (["--unsafe"], f"{TABLE}unsafe = false\n", True),
]


def test_unsafe_fixes_are_asked_for(tmp_path: Path) -> None:
    roots = [
        project(tmp_path, {"a.py": UNSAFE, "pyproject.toml": config}, str(number))
        for number, (_, config, _) in enumerate(ASKED)
    ]

    runs = [
        partial(apply, root, "--target", "1.2", *options, ".")
        for root, (options, _, _) in zip(roots, ASKED, strict=True)
    ]
    done = at_once(runs)

    assert {(one.code, one.err) for one in done} == {(1, b"")}
    sources = [(root / "a.py").read_bytes() for root in roots]
    assert sources == [UNSAFE_MENDED if mended else UNSAFE for _, _, mended in ASKED]
    assert b"[can be mended with --unsafe]" in done[0].out
    assert done[0].out.endswith(b"0 mended in 0 files, 1 can be mended with --unsafe.\n")


# -- reports

FINDING: dict[str, type | tuple[type, ...]] = {
    "rule": str,
    "path": str,
    "line": int,
    "column": int,
    "end_line": int,
    "end_column": int,
    "message": str,
    "fix": str,
    "applied": bool,
    "since": (str, type(None)),
    "deprecated_in": (str, type(None)),
    "removed_in": (str, type(None)),
    "url": (str, type(None)),
}


def assert_schema(report: dict[str, Any]) -> None:
    """Hold a report against the keys and types that are promised, and its counts against its lists."""
    assert set(report) == {"version", "target", "findings", "files", "summary"}
    assert report["version"] == 1
    assert isinstance(report["target"], str)
    for finding in report["findings"]:
        assert set(finding) == set(FINDING)
        assert {key: value for key, value in finding.items() if not isinstance(value, FINDING[key])} == {}
        assert [key for key in FINDING if FINDING[key] is int and isinstance(finding[key], bool)] == []
        assert finding["fix"] in ("safe", "unsafe", "none")
        assert finding["line"] >= 1
        assert finding["column"] >= 1
        assert (finding["end_line"], finding["end_column"]) > (finding["line"], finding["column"])
    for file in report["files"]:
        assert set(file) == {"path", "status", "reason"}
        assert file["status"] in ("changed", "clean", "skipped", "refused", "error")
        assert isinstance(file["reason"], str)
    assert {type(value) for value in report["summary"].values()} == {int}
    assert report["summary"]["files"] == len(report["files"])
    assert report["summary"]["findings"] == len(report["findings"])
    assert report["summary"]["applied"] == sum(finding["applied"] for finding in report["findings"])
    for status in ("changed", "clean", "skipped", "refused", "error"):
        assert report["summary"][status] == sum(file["status"] == status for file in report["files"])


REPORTED = {"bad.py": BROKEN, "clean.py": CLEAN, "human.py": HUMAN, "safe.py": BAD, "unsafe.py": UNSAFE}


@pytest.mark.parametrize("command", [(*CHECKS,), (*CODEMODS, "check"), (*CODEMODS, "apply", "--check")], ids=" ".join)
def test_json_of_a_run_that_only_looks(command: tuple[str, ...], tmp_path: Path) -> None:
    root = project(tmp_path, REPORTED)

    done = python(root, *command, "--output-format", "json", ".")

    assert_schema(done.report)
    assert found(done) == [
        ("human.py", SAFE_RULE, False),
        ("safe.py", SAFE_RULE, False),
        ("unsafe.py", UNSAFE_RULE, False),
    ]
    assert [finding["fix"] for finding in done.report["findings"]] == ["none", "safe", "unsafe"]
    assert {key: done.report["summary"][key] for key in ("fixable_safe", "fixable_unsafe", "needs_human")} == {
        "fixable_safe": 1,
        "fixable_unsafe": 1,
        "needs_human": 1,
    }
    assert statuses(done)["bad.py"] == "error"
    assert statuses(done)["clean.py"] == "clean"
    assert done.code == 2
    assert len(done.errors) == 1
    assert done.errors[0].startswith("error: bad.py: line 1: ")
    assert python_sources(root) == REPORTED


def test_json_of_a_run_that_writes(tmp_path: Path) -> None:
    root = project(tmp_path, {**REPORTED, "locked.py": BAD})
    (root / "locked.py").chmod(0o444)

    done = apply(root, "--output-format", "json", ".")

    assert_schema(done.report)
    assert found(done) == [
        ("human.py", SAFE_RULE, False),
        ("locked.py", SAFE_RULE, False),
        ("safe.py", SAFE_RULE, True),
        ("unsafe.py", UNSAFE_RULE, False),
    ]
    assert statuses(done) == {
        "bad.py": "error",
        "clean.py": "clean",
        "human.py": "skipped",
        "locked.py": "refused",
        "safe.py": "changed",
        "unsafe.py": "skipped",
    }
    reasons = {file["path"]: file["reason"] for file in done.report["files"]}
    assert reasons["locked.py"] == "is read-only"
    assert [bool(reasons[name]) for name in ("bad.py", "human.py", "unsafe.py", "clean.py")] == [True] * 3 + [False]
    assert [line.split(": ")[1] for line in done.errors] == ["bad.py", "locked.py"]
    assert python_sources(root) == {**REPORTED, "locked.py": BAD, "safe.py": GOOD}


def test_json_with_diff_is_one_document_on_stdout(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})

    done = apply(root, "--diff", "--output-format", "json", ".")

    assert done.out, done.err.decode()
    assert_schema(done.report)
    assert found(done) == [("a.py", SAFE_RULE, False)]
    assert python_sources(root) == {"a.py": BAD}


def test_columns_count_characters_from_one(tmp_path: Path) -> None:
    line = '    return "é𝒳\t", c.cr_code.co_name'
    root = project(tmp_path, {"a.py": f"def f(c):\n{line}\n"})

    (finding,) = check(root, "--output-format", "json", ".").report["findings"]

    start = line.index("c.cr_code") + 1
    assert (finding["line"], finding["column"]) == (2, start)
    assert (finding["end_line"], finding["end_column"]) == (2, start + len(OLD))


def test_text_marks_the_place(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})

    done = check(root, ".")

    assert (done.code, done.err) == (1, b"")
    assert done.out.decode().splitlines() == [
        "a.py:2:12: unguarded-cr-code 'c' has cr_code only if it is a native coroutine [can be mended]",
        "  2 |     return c.cr_code.co_name",
        "    |            ^^^^^^^^^^^^^^^^^",
        f"1 finding for pipecat-ai {NEWEST} in 1 file: 1 can be mended.",
    ]


def test_output_file(tmp_path: Path) -> None:
    root = project(tmp_path, REPORTED)
    printed = check(root, "--output-format", "json", ".")

    done = check(root, "--output-format", "json", "--output-file", "report", ".")

    assert (root / "report").read_bytes() == printed.out
    assert (done.code, done.out, done.err) == (2, b"", printed.err)


def test_output_file_beside_a_diff(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})

    done = apply(root, "--diff", "--output-file", "report", ".")

    assert git(root, "apply", "-", stdin=done.out).returncode == 0
    assert python_sources(root) == {"a.py": GOOD}
    assert (root / "report").read_text().startswith("a.py: would mend 1 finding\n")


# -- standard input


STDIN = [
    (BAD, GOOD, 1),
    (BAD.replace(b"\n", b"\r\n"), GOOD.replace(b"\n", b"\r\n"), 1),
    (CLEAN, CLEAN, 0),
    (b"", b"", 0),
    (HUMAN, HUMAN, 1),
    (BROKEN, BROKEN, 2),
    (b"x = '\xff'\n", b"x = '\xff'\n", 2),
]


def test_stdin_comes_out_mended(tmp_path: Path) -> None:
    root = project(tmp_path, {"pkg/a.py": CLEAN})

    done = at_once([partial(apply, root, "--stdin-filename", "pkg/a.py", "-", stdin=source) for source, _, _ in STDIN])

    assert [(source, one.out, one.code) for one, (source, _, _) in zip(done, STDIN, strict=True)] == STDIN
    assert [b"pkg/a.py:" in one.err for one in done] == [code != 0 for _, _, code in STDIN]
    assert python_sources(root) == {"pkg/a.py": CLEAN}
    assert not (tmp_path / "state").exists()


def test_stdin_with_a_report_as_json(tmp_path: Path) -> None:
    root = project(tmp_path, {})

    done = apply(root, "--output-format", "json", "-", stdin=BAD)

    assert done.out == GOOD
    report = json.loads(done.err)
    assert_schema(report)
    assert [(one["path"], one["applied"]) for one in report["findings"]] == [("stdin.py", True)]


def test_stdin_as_a_diff(tmp_path: Path) -> None:
    root = project(tmp_path, {"pkg/a.py": BAD})

    done = apply(root, "--diff", "--stdin-filename", "pkg/a.py", "-", stdin=BAD)

    assert python_sources(root) == {"pkg/a.py": BAD}
    assert git(root, "apply", "-", stdin=done.out).returncode == 0
    assert python_sources(root) == {"pkg/a.py": GOOD}


def test_stdin_is_only_looked_at(tmp_path: Path) -> None:
    root = project(tmp_path, {})

    done = apply(root, "--check", "-", stdin=BAD)
    looked = check(root, "--stdin-filename", "pkg/a.py", "--output-format", "json", "-", stdin=BAD)

    assert (done.code, done.out.splitlines()[0]) == (1, b"stdin.py: would mend 1 finding")
    assert (looked.code, found(looked)) == (1, [("pkg/a.py", SAFE_RULE, False)])


def test_stdin_is_judged_by_its_name(tmp_path: Path) -> None:
    config = f'{TABLE}per-file-ignores = {{ "tests/" = ["{SAFE_RULE}"] }}\n'
    root = project(tmp_path, {"tests/a.py": b"", "pyproject.toml": config})

    assert check(root, "--stdin-filename", "tests/a.py", "-", stdin=BAD).code == 0
    assert check(root, "--stdin-filename", "a.py", "-", stdin=BAD).code == 1


def test_stdin_beside_files(tmp_path: Path) -> None:
    """Stdout is the text of stdin and of nothing else; what the report calls applied has been."""
    root = project(tmp_path, {"a.py": BAD})
    text = b"import os\n\n\n" + BAD

    done = apply(root, "--output-format", "json", "--stdin-filename", "z.py", "-", "a.py", stdin=text)

    if done.code == 2:  # to decline the mixture is an answer too
        assert (done.out, python_sources(root), len(done.errors)) == (b"", {"a.py": BAD}, 1)
        return
    assert done.out == text.replace(OLD, NEW)
    applied = {one["path"]: one["applied"] for one in json.loads(done.err)["findings"]}
    assert applied == {"a.py": (root / "a.py").read_bytes() == GOOD, "z.py": True}


# -- check, list, explain


def test_check_is_checks(tmp_path: Path) -> None:
    root = project(tmp_path, REPORTED)
    options = ("--target", "1.2", "--ignore", COMMENT_RULE, ".")

    done = python(root, *CODEMODS, "check", *options)

    assert done == check(root, *options)
    assert done.code == 2


def test_list_names_every_rule(tmp_path: Path) -> None:
    done = python(tmp_path, *CODEMODS, "list")

    assert (done.code, done.err) == (0, b"")
    rules = {path.stem.replace("_", "-") for path in (Path(__file__).parent.parent / "checks/rules").glob("[a-z]*.py")}
    lines = [line.split(maxsplit=2) for line in done.out.decode().splitlines()]
    assert {name for name, _, _ in lines} == rules
    assert {fix for _, fix, _ in lines} <= {"safe", "unsafe", "none"}
    assert [name for name, _, _ in lines] == sorted(rules)


def test_explain(tmp_path: Path) -> None:
    done = python(tmp_path, *CODEMODS, "explain", SAFE_RULE)

    assert (done.code, done.err) == (0, b"")
    out = done.out.decode()
    assert out.startswith(f"{SAFE_RULE} (fix: safe)\n")
    headings = ["What it finds:", "Why it matters:", "Example:", "Fix safety:", "References:"]
    assert [heading for heading in headings if heading not in out] == []


def test_explain_an_unknown_rule(tmp_path: Path) -> None:
    done = python(tmp_path, *CODEMODS, "explain", "unguarded-code")

    assert (done.code, done.out) == (2, b"")
    assert done.errors == [f"error: unknown rule 'unguarded-code'; did you mean '{SAFE_RULE}'?"]


@pytest.mark.parametrize("arguments", [CODEMODS, CHECKS], ids=" ".join)
def test_help(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = python(tmp_path, *arguments, "--help")

    assert (done.code, done.err) == (0, b"")
    assert done.out.startswith(b"Usage: ")


def test_no_command_prints_the_help(tmp_path: Path) -> None:
    done = python(tmp_path, *CODEMODS)

    lines = (done.out + done.err).decode().splitlines()
    assert any(line.startswith("Usage: codemods") for line in lines)
    assert any(line.split()[:1] == ["apply"] for line in lines)


# -- undo


def test_undo_takes_back_one_run_after_the_other(tmp_path: Path) -> None:
    files = {
        "a.py": BAD.replace(b"\n", b"\r\n"),
        "b.py": b"\xef\xbb\xbf" + BAD,
        "latin.py": b"# coding: latin-1\n#\xe9\n",
    }
    root = project(tmp_path, files)
    (root / "a.py").chmod(0o750)
    assert apply(root, "a.py").code == 1
    first = contents(root)
    assert apply(root, ".").code == 1
    assert contents(root) != first

    done = undo(root)
    assert (done.code, done.out, done.err) == (0, b"restored b.py\n", b"")
    assert contents(root) == first

    assert undo(root).code == 0
    assert python_sources(root) == files
    assert stat.S_IMODE((root / "a.py").stat().st_mode) == 0o750

    nothing = undo(root)
    assert (nothing.code, nothing.out) == (2, b"")
    assert len(nothing.err.splitlines()) == 1


def test_undo_refuses_what_was_changed_since(tmp_path: Path) -> None:
    root = project(tmp_path, dict.fromkeys(("a.py", "deleted.py", "edited.py", "z.py"), BAD))
    assert apply(root, ".").code == 1
    (root / "edited.py").write_bytes(GOOD + b"# mine\n")
    (root / "deleted.py").unlink()

    done = undo(root)

    assert done.code == 2
    assert sorted(done.out.decode().splitlines()) == ["restored a.py", "restored z.py"]
    assert sorted(line.split(": ")[1] for line in done.errors) == ["deleted.py", "edited.py"]
    assert python_sources(root) == {"a.py": BAD, "edited.py": GOOD + b"# mine\n", "z.py": BAD}

    # Put back as the run left them, they can still be restored.
    (root / "edited.py").write_bytes(GOOD)
    (root / "deleted.py").write_bytes(GOOD)
    assert undo(root).code == 0
    assert set(python_sources(root).values()) == {BAD}


def test_undo_is_about_the_place_named(tmp_path: Path) -> None:
    here, there = project(tmp_path, {"a.py": BAD}, "here"), project(tmp_path, {"a.py": BAD}, "there")
    assert [done.code for done in at_once([partial(apply, root, ".") for root in (here, there)])] == [1, 1]

    done = undo(tmp_path, "here")

    assert (done.code, done.out) == (0, b"restored here/a.py\n")
    assert python_sources(here) == {"a.py": BAD}
    assert python_sources(there) == {"a.py": GOOD}


# -- exit codes


CODES: dict[str, tuple[dict[str, bytes], int]] = {
    "no file": ({}, 0),
    "empty": ({"a.py": b""}, 0),
    "clean": ({"a.py": CLEAN}, 0),
    "mendable": ({"a.py": BAD}, 1),
    "for a human": ({"a.py": HUMAN}, 1),
    "broken": ({"a.py": BROKEN}, 2),
    "broken and mendable": ({"a.py": BROKEN, "b.py": BAD}, 2),
}


@pytest.mark.parametrize("command", [check, apply])
def test_exit_codes(command: Callable[..., Done], tmp_path: Path) -> None:
    done = at_once([partial(command, project(tmp_path, files, name), ".") for name, (files, _) in CODES.items()])

    codes = dict(zip(CODES, (one.code for one in done), strict=True))
    assert codes == {name: code for name, (_, code) in CODES.items()}


# -- configuration


def test_config_chooses_rules(tmp_path: Path) -> None:
    config = f'{TABLE}select = ["{SAFE_RULE}", "{UNSAFE_RULE}"]\nignore = ["{UNSAFE_RULE}"]\n'
    root = project(tmp_path, {**MIXED, "pyproject.toml": config})

    def rules(*options: str) -> set[str]:
        return {rule for _, rule, _ in found(check(root, *options, "--output-format", "json", "."))}

    assert rules() == {SAFE_RULE}
    assert rules("--select", COMMENT_RULE) == {COMMENT_RULE}
    assert rules("--ignore", SAFE_RULE) == set()


def test_config_excludes_files(tmp_path: Path) -> None:
    config = f'{TABLE}exclude = ["vendor/", "*_pb2.py"]\n'
    root = project(
        tmp_path,
        dict.fromkeys(("a.py", "b.py", "x_pb2.py", "pkg/vendor/c.py"), BAD) | {"pyproject.toml": config},
    )

    assert statuses(check(root, "--output-format", "json", ".")) == {"a.py": "skipped", "b.py": "skipped"}
    assert statuses(check(root, "--exclude", "/b.py", "--output-format", "json", ".")) == {"a.py": "skipped"}
    assert statuses(check(root, "--output-format", "json", "x_pb2.py")) == {"x_pb2.py": "skipped"}
    below = check(root / "pkg", "--output-format", "json", ".")
    assert statuses(below) == {}


def test_config_ignores_rules_in_some_files(tmp_path: Path) -> None:
    config = f'{TABLE}per-file-ignores = {{ "tests/" = ["{SAFE_RULE}"], "*_old.py" = ["{SAFE_RULE}"] }}\n'
    files = {"a.py": BAD, "a_old.py": BAD, "tests/b.py": BAD, "pkg/tests/c.py": BAD, "tests.py": BAD}
    root = project(tmp_path, {**files, "pyproject.toml": config})

    looked = check(root, "--output-format", "json", ".")
    assert {path for path, _, _ in found(looked)} == {"a.py", "tests.py"}


def test_each_project_has_its_own_config(tmp_path: Path) -> None:
    one = project(tmp_path, {"a.py": BAD, "pyproject.toml": f'{TABLE}ignore = ["{SAFE_RULE}"]\n'}, "one")
    two = project(tmp_path, {"a.py": BAD}, "two")

    assert found(check(one, "--output-format", "json", ".", "../two")) == [(str(two / "a.py"), SAFE_RULE, False)]


# -- suppression


SUPPRESSED: dict[str, tuple[bytes, list[str]]] = {
    "line": (b"def f(c):\n    return c.cr_code.co_name  # codemods: ignore[unguarded-cr-code]\n", []),
    "file": (b"# codemods: ignore-file[unguarded-cr-code]\n" + BAD, []),
    "file, at its end": (BAD + b"# codemods: ignore-file[unguarded-cr-code]\n", []),
    "two rules": (
        BAD.rstrip() + b"  # codemods: ignore[no-such-rule, unguarded-cr-code]\n",
        [COMMENT_RULE],
    ),
    "another rule": (
        BAD.rstrip() + b"  # codemods: ignore[task-manager-argument]\n",
        [SAFE_RULE, COMMENT_RULE],
    ),
    "another line": (
        b"def f(c):\n    # codemods: ignore[unguarded-cr-code]\n    return c.cr_code.co_name\n",
        [SAFE_RULE, COMMENT_RULE],
    ),
    "in a string": (
        b"def f(c):\n    return c.cr_code.co_name, '# codemods: ignore[unguarded-cr-code]'\n",
        [SAFE_RULE],
    ),
    "unused": (b"x = 1  # codemods: ignore[unguarded-cr-code]\n", [COMMENT_RULE]),
}


def test_suppression(tmp_path: Path) -> None:
    root = project(tmp_path, {f"{name}.py": source for name, (source, _) in SUPPRESSED.items()})

    done = check(root, "--output-format", "json", "--target", "1.2", ".")

    rules = {name: sorted(r for path, r, _ in found(done) if path == f"{name}.py") for name in SUPPRESSED}
    assert rules == {name: wanted for name, (_, wanted) in SUPPRESSED.items()}


def test_apply_leaves_what_is_suppressed_and_takes_what_is_needless(tmp_path: Path) -> None:
    kept = b"def f(c):\n    return c.cr_code.co_name  # codemods: ignore[unguarded-cr-code]\n"
    root = project(tmp_path, {"a.py": kept, "b.py": b"x = 1  # codemods: ignore[unguarded-cr-code]\n"})

    assert apply(root, ".").code == 1
    assert python_sources(root) == {"a.py": kept, "b.py": CLEAN}


# -- processes


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    files = {f"pkg/{number:02}.py": BAD + b"#" * number for number in range(30)}
    files |= {**TOGETHER, **REPORTED, "rel\nname.py": BAD}
    options = ("--target", "1.2", "--output-format", "json", ".")
    roots = [project(tmp_path, files, name) for name in ("one", "three")]

    looked = at_once([partial(check, root, "--jobs", jobs, *options) for root, jobs in zip(roots, "13", strict=True)])
    mended = at_once([partial(apply, root, "--jobs", jobs, *options) for root, jobs in zip(roots, "13", strict=True)])

    assert looked[0] == looked[1]
    assert mended[0] == mended[1]
    assert (looked[0].code, mended[0].code) == (2, 2)
    assert contents(roots[0]) == contents(roots[1])
    assert mended[0].report["summary"]["changed"] == 34
    assert (roots[1] / "pkg/29.py").read_bytes() == GOOD + b"#" * 29
    assert {name: (roots[1] / name).read_bytes() for name in TOGETHER} == TOGETHER_MENDED


@pytest.mark.parametrize(
    ("command", "source"),
    [(CHECKS, CLEAN), (CHECKS, BAD), ((*CODEMODS, "apply"), CLEAN)],
    ids=["check, clean", "check, a finding", "apply, clean"],
)
def test_nothing_heavy_is_imported_before_something_is_to_mend(
    command: tuple[str, ...], source: bytes, tmp_path: Path
) -> None:
    root = project(tmp_path, {"a.py": source})

    done = python(root, "-X", "importtime", *command, "a.py")

    modules = {line.rpartition("|")[2].strip() for line in done.err.decode().splitlines()}
    assert "checks.cli" in modules
    assert {name for name in modules if name.split(".")[0] in ("libcst", "rich", "pyright")} == set()


def test_nothing_of_the_user_is_imported_or_run(tmp_path: Path) -> None:
    trap = b"from pathlib import Path\nPath('sprung').touch()\n"
    names = ("click", "libcst", "pathspec", "platformdirs", "checks", "sitecustomize", "setup", "conftest", "pipecat")
    root = project(tmp_path, {f"{name}.py": trap for name in names} | {"__init__.py": trap, "a.py": BAD})
    script = Path(sys.executable).parent / "pipecat-codemods"
    # With -m the current folder is on the path before everything else; the console script has no such weakness.
    code = "import sys; sys.path.remove(''); from codemods.__main__ import main; main()"
    command = [str(script)] if script.exists() else [sys.executable, "-c", code]

    done = subprocess.run([*command, "apply", "."], cwd=root, env=environment(), capture_output=True)

    assert (root / "a.py").read_bytes() == GOOD, done.stderr.decode()
    assert not (root / "sprung").exists()


# -- which files

IN_GIT = pytest.mark.parametrize("in_git", [False, True], ids=["no git", "git"])


@IN_GIT
def test_gitignore_is_respected(in_git: bool, tmp_path: Path) -> None:
    ignored = ("gen/a.py", "pkg/gen/b.py", "pkg/local.py")
    taken = ("a.py", "pkg/b.py", "local.py")
    root = project(tmp_path, dict.fromkeys((*ignored, *taken), BAD) | {".gitignore": "gen/\n"})
    (root / "pkg/.gitignore").write_text("/local.py\n")
    if in_git:
        git(root, "init")

    assert set(statuses(check(root, "--output-format", "json", "."))) == set(taken)


@IN_GIT
def test_gitignore_above_the_folder_given_is_respected(in_git: bool, tmp_path: Path) -> None:
    root = project(tmp_path, {"src/a.py": BAD, "src/gen/b.py": BAD, ".gitignore": "gen/\n"})
    if in_git:
        git(root, "init")

    assert statuses(check(root, "--output-format", "json", "src")) == {"src/a.py": "skipped"}


@IN_GIT
def test_gitignore_further_down_speaks_last(in_git: bool, tmp_path: Path) -> None:
    root = project(tmp_path, {"a_pb2.py": BAD, "pkg/b_pb2.py": BAD, ".gitignore": "*_pb2.py\n"})
    (root / "pkg/.gitignore").write_text("!b_pb2.py\n")
    if in_git:
        git(root, "init")

    assert statuses(check(root, "--output-format", "json", ".")) == {"pkg/b_pb2.py": "skipped"}


def test_a_tracked_file_is_taken_though_ignored(tmp_path: Path) -> None:
    root = project(tmp_path, {"tracked.py": BAD, "other.py": BAD, "gone.py": BAD, ".gitignore": "*.py\n"})
    git(root, "init")
    git(root, "add", "--force", "tracked.py", "gone.py")
    (root / "gone.py").unlink()

    assert statuses(check(root, "--output-format", "json", ".")) == {"tracked.py": "skipped"}


def test_a_file_named_is_taken_though_ignored(tmp_path: Path) -> None:
    root = project(tmp_path, {"gen/a.py": BAD, ".gitignore": "gen/\n"})

    assert statuses(check(root, "--output-format", "json", "gen/a.py")) == {"gen/a.py": "skipped"}


@IN_GIT
def test_environments_are_left_alone(in_git: bool, tmp_path: Path) -> None:
    installed = (
        ".venv/lib/python3.11/site-packages/pkg/a.py",
        ".venv/bin/activate_this.py",
        "my-env/bin/activate_this.py",
        "node_modules/gyp/a.py",
        ".tox/py311/a.py",
        "__pycache__/a.py",
    )
    root = project(tmp_path, dict.fromkeys((*installed, "a.py", "env/settings.py"), BAD))
    for name in (".venv", "my-env"):
        (root / name / "pyvenv.cfg").touch()
    if in_git:
        git(root, "init")

    assert set(statuses(check(root, "--output-format", "json", "."))) == {"a.py", "env/settings.py"}


@IN_GIT
def test_a_link_out_of_the_tree_is_not_followed(in_git: bool, tmp_path: Path) -> None:
    outside = project(tmp_path, {"a.py": BAD}, "outside")
    root = project(tmp_path, {"b.py": BAD})
    (root / "link.py").symlink_to(outside / "a.py")
    (root / "folder").symlink_to(outside)
    (root / "dangling.py").symlink_to(outside / "nothing.py")
    if in_git:
        git(root, "init")

    done = check(root, "--output-format", "json", ".")

    assert (done.code, statuses(done)) == (1, {"b.py": "skipped"})


def test_a_link_out_of_the_tree_is_refused_by_name(tmp_path: Path) -> None:
    outside = project(tmp_path, {"a.py": BAD}, "outside")
    root = project(tmp_path, {"b.py": BAD})
    (root / "link.py").symlink_to(outside / "a.py")
    (root / "folder").symlink_to(outside)

    done = apply(root, "link.py", "folder/a.py", "folder", "b.py")

    assert python_sources(outside) == {"a.py": BAD}
    assert (root / "link.py").is_symlink()
    assert (root / "b.py").read_bytes() == GOOD
    assert done.code == 2
    assert sorted(line.split(": ")[1] for line in done.errors) == ["folder", "folder/a.py", "link.py"]


@pytest.mark.parametrize("paths", [["pkg/link.py"], ["pkg/link.py", "a.py"]], ids=" ".join)
def test_a_link_within_the_tree_is_kept(paths: list[str], tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "pkg/__init__.py": b""})
    (root / "pkg/link.py").symlink_to("../a.py")

    done = apply(root, *paths)

    assert (done.code, done.err) == (1, b"")
    assert os.readlink(root / "pkg/link.py") == "../a.py"
    assert not (root / "a.py").is_symlink()
    assert (root / "a.py").read_bytes() == GOOD

    assert undo(root).code == 0
    assert os.readlink(root / "pkg/link.py") == "../a.py"
    assert (root / "a.py").read_bytes() == BAD


def test_hard_links_are_kept(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "pkg/__init__.py": b""})
    (root / "pkg/b.py").hardlink_to(root / "a.py")

    done = apply(root, "--output-format", "json", ".")

    assert (root / "a.py").read_bytes() == GOOD
    assert (root / "pkg/b.py").samefile(root / "a.py")
    assert (root / "a.py").stat().st_nlink == 2
    assert statuses(done) == {"a.py": "changed", "pkg/__init__.py": "clean", "pkg/b.py": "changed"}
    assert (done.code, done.err) == (1, b"")

    assert undo(root).code == 0
    assert (root / "a.py").read_bytes() == BAD
    assert (root / "pkg/b.py").samefile(root / "a.py")


def test_a_hard_link_from_elsewhere_is_not_cut(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "b.py": BAD})
    (tmp_path / "elsewhere.py").hardlink_to(root / "a.py")

    done = apply(root, ".")

    assert done.code == 2
    assert done.errors == ["error: a.py: has 1 hard link(s) outside the project"]
    assert (tmp_path / "elsewhere.py").samefile(root / "a.py")
    assert python_sources(root) == {"a.py": BAD, "b.py": GOOD}


def test_mode_and_owner_are_kept(tmp_path: Path) -> None:
    modes = [0o755, 0o640, 0o600, 0o4711, 0o2755]
    root = project(tmp_path, {f"{mode:o}.py": BAD for mode in modes})
    owner = (12345, 23456) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    for mode in modes:
        os.chown(root / f"{mode:o}.py", *owner)
        (root / f"{mode:o}.py").chmod(mode)

    assert apply(root, ".").code == 1

    assert set(python_sources(root).values()) == {GOOD}
    kept = {path.name: path.stat() for path in root.glob("*.py")}
    assert {name: f"{stat.S_IMODE(status.st_mode):o}.py" for name, status in kept.items()} == {n: n for n in kept}
    assert {(status.st_uid, status.st_gid) for status in kept.values()} == {owner}


# -- pipes


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    root = project(tmp_path, {f"{number}.py": BAD for number in range(20)})
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, *CODEMODS, "apply", "--diff", "."]

    done = subprocess.run(command, cwd=root, env=environment(), stdout=write, stderr=subprocess.PIPE)
    os.close(write)

    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.returncode == 2


def test_module_named_setup_within_a_package_makes_no_project_of_it(tmp_path: Path) -> None:
    """As in Pipecat's own ``utils/tracing``; file by file, as pre-commit asks, the same is found as in the folder."""
    caller = TOGETHER["main.py"].replace(b"from watcher", b"from acme.watcher")
    root = project(
        tmp_path, {"acme/__init__.py": "", "acme/setup.py": "", "acme/watcher.py": UNSAFE, "main.py": caller}
    )
    ask = ("--target", "1.2.0", "--output-format", "json")
    one_by_one, whole = (check(root, *ask, *paths) for paths in (("acme/watcher.py", "main.py"), (".",)))
    assert one_by_one.report["findings"] == whole.report["findings"]
    assert [finding["fix"] for finding in whole.report["findings"]] == ["safe", "safe"]
