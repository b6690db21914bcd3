"""``--baseline``: what is known is left alone, however it moves, and the file only shrinks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from checks.baseline import Baseline, Key, Mark, document, load, marks
from checks.cli import inspect_all
from checks.errors import UsageError
from checks.pipecat.releases import NEWEST
from checks.project import Project
from checks.rule import Finding
from checks.session import Request, begin
from checks.source import Span
from codemods import apply as engine
from codemods.journal import Journal
from tests.running import BAD, CODEMODS, GOOD, HUMAN, TOGETHER, TOGETHER_MENDED, Done, apply, check, project, python
from tests.running import python_sources as sources

FILE = "known.jsonl"
USE = ("--baseline", FILE)
WRITE = (*USE, "--write-baseline")
HEADER = '{"pipecat-codemods-baseline": 1}\n'


def request(root: Path, *paths: str, **options: object) -> Request:
    names = tuple(str(root / path) for path in paths or (".",))
    settings: dict[str, Any] = {"target": "1.2.0", "baseline": str(root / FILE), **options}
    return Request(names, **settings)


def written(root: Path, **options: object) -> str:
    """Write the baseline of a project anew and return its text."""
    (root / FILE).unlink(missing_ok=True)
    return updated(root, accepts_new=True, **options)


def updated(root: Path, *paths: str, **options: object) -> str:
    session = begin(request(root, *paths, writes_baseline=True, **options))
    list(inspect_all(session, 1))
    (baseline,) = session.baselines.values()
    text = document(baseline.updated(session.covers))
    (root / FILE).write_text(text)
    return text


def left(root: Path, *paths: str, **options: object) -> tuple[list[int], int]:
    """Return the lines on which something is found that is not known, and how many known findings are gone."""
    session = begin(request(root, *paths, **options))
    inspections = [one for _, one in inspect_all(session, 1)]
    assert [one.error for one in inspections if one.error] == []
    found = [finding for one in inspections for finding in one.findings]
    return [finding.span.line for finding in found], sum(count for _, _, count in session.stale())


# -- what is known


def test_it_is_written_read_and_shrinks(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "bots/b.py": HUMAN})

    made = check(root, *WRITE, ".")
    assert (made.code, made.err) == (0, b"known.jsonl: written: 2 findings, 2 added, 0 dropped\n")
    lines = (root / FILE).read_text().splitlines()
    assert lines[0] + "\n" == HEADER
    assert [list(json.loads(line).values())[:4] for line in lines[1:]] == [
        ["a.py", "unguarded-cr-code", "c.cr_code.co_name", "f"],
        ["bots/b.py", "unguarded-cr-code", "c.cr_frame", "g"],
    ]

    known = check(root, *USE, ".")
    assert known.code == 0
    assert known.out.decode().splitlines()[1] == "Not shown: 2 findings in the baseline."

    (root / "a.py").write_bytes(GOOD)
    (root / "bots/b.py").write_bytes(HUMAN + BAD)
    gone = check(root, *USE, ".")
    assert gone.code == 1
    assert gone.out.decode().splitlines()[-1] == (
        "No longer found: 1 finding in the baseline; --write-baseline drops what is gone."
    )
    strict = check(root, *USE, "--strict-baseline", "--select", "unguarded-cr-code", ".")
    assert strict.errors == [
        "error: known.jsonl: no longer found: a.py: unguarded-cr-code c.cr_code.co_name in f",
    ]

    # Only what is gone is dropped: what is new is still reported.
    shrunk = check(root, *WRITE, ".")
    assert (shrunk.code, shrunk.err) == (1, b"known.jsonl: written: 1 finding, 0 added, 1 dropped\n")
    assert (root / FILE).read_text().splitlines() == [lines[0], lines[2]]
    grown = check(root, *WRITE, "--accept-new", ".")
    assert (grown.code, grown.err) == (0, b"known.jsonl: written: 2 findings, 1 added, 0 dropped\n")
    again = check(root, *WRITE, ".")
    assert (again.code, again.err) == (0, b"known.jsonl: left as it is: 2 findings, 0 added, 0 dropped\n")


def test_strict_is_an_error_only_of_what_is_gone(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    check(root, *WRITE, ".")
    assert check(root, *USE, "--strict-baseline", ".").code == 0
    (root / "a.py").write_bytes(GOOD)
    assert check(root, *USE, "--strict-baseline", ".").code == 1
    assert check(root, *USE, ".").code == 0


def test_the_configuration_names_it_from_the_root(tmp_path: Path) -> None:
    table = '[tool.pipecat-codemods]\nbaseline = "ci/known.jsonl"\n'
    root = project(tmp_path, {"bots/a.py": BAD, "pyproject.toml": table, "ci/x": ""})
    assert check(root / "bots", "--write-baseline").code == 0
    assert '"path": "../bots/a.py"' in (root / "ci/known.jsonl").read_text()
    assert check(root / "bots").code == 0
    assert check(root, "bots/a.py").code == 0
    assert apply(root, "--check").code == 0
    assert check(root, "--include-baselined").code == 1
    assert check(root, "-", "--stdin-filename", "bots/a.py", stdin=BAD).code == 0
    assert check(root, "-", "--stdin-filename", "bots/a.py", stdin=BAD + BAD).code == 1


def test_a_third_of_two_is_new(tmp_path: Path) -> None:
    twice = "def f(c):\n    a = c.cr_code.co_name\n    a = c.cr_code.co_name\n"
    root = project(tmp_path, {"a.py": twice})
    assert '"count": 2}' in written(root)
    assert left(root) == ([], 0)
    (root / "a.py").write_text(twice + "    a = c.cr_code.co_name\n")
    assert left(root) == ([4], 0)
    (root / "a.py").write_text(twice.rpartition("    a")[0])
    assert left(root) == ([], 1)
    assert '"count": 1}' in updated(root)


START = """\
import asyncio

def f(c):
    return c.cr_code.co_name  # why


class A:
    def g(self, c):
        return [c.cr_code.co_name, 1]
"""

TURNED = f"{START[START.index('class') :]}\n\n{START[: START.index('class')]}"


@pytest.mark.parametrize(
    ("text", "lines", "gone"),
    [
        ("\n\n# more\n" + START, [], 0),
        (START.replace("def f(c)", "def renamed(c)"), [], 0),
        (START.replace("class A", "class B"), [], 0),
        (START.replace("  # why", ""), [], 0),
        (START.replace("[c.cr_code.co_name, 1]", "[\n c.cr_code.co_name,  # one\n 1,\n]"), [], 0),
        (START.replace("return c.cr_code.co_name", "return (\n        c.cr_code.co_name\n    )"), [], 0),
        (START.replace("return c.cr_code.co_name", "return str(c.cr_code.co_name)"), [], 0),
        (START.replace("c.cr_code.co_name, 1]", "c.cr_code.co_qualname, 1]"), [9], 1),
        (START.replace("return c.cr_code.co_name", "return c.cr_frame.f_lineno"), [4], 1),
        (START.replace("(c):\n    return c.", "(d):\n    return d."), [4], 1),
        (TURNED, [], 0),
        (START + "\ndef h(c):\n    return c.cr_code.co_name\n", [12], 0),
    ],
    ids=[
        "moved down",
        "renamed function",
        "renamed class",
        "comment dropped",
        "wrapped",
        "in brackets",
        "edited beside it",
        "edited line",
        "other attribute",
        "other variable",
        "order turned",
        "copied",
    ],
)
def test_code_moves_in_its_file(text: str, lines: list[int], gone: int, tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": START})
    written(root)
    (root / "a.py").write_text(text)
    assert left(root) == (lines, gone)


def test_mending_one_argument_leaves_those_beside_it_known(tmp_path: Path) -> None:
    call = """\
from pipecat.transports.base_transport import TransportParams

params = TransportParams(audio_in_enabled=True, camera_out_enabled=True, camera_out_width=1024)
"""
    root = project(tmp_path, {"a.py": call})
    assert written(root, target="1.14.0").count("swallowed-keyword") == 2
    (root / "a.py").write_text(call.replace("camera_out_width", "video_out_width"))
    assert left(root, target="1.14.0") == ([], 1)
    (root / "a.py").write_text(call.replace("1024", "768"))
    assert left(root, target="1.14.0") == ([3], 1)


def test_a_class_is_known_by_its_head(tmp_path: Path) -> None:
    text = "@decorated  # so\nclass A(\n    B,\n):\n    x = 1\n\n    def f(self):\n        pass\n"
    source = Project(tmp_path, NEWEST).source(tmp_path / "a.py", text.encode())
    whole = Finding("a.py", Span(2, 1, 8, 13), "removed-name", "")
    (known,) = marks([whole], source)
    assert (known.symbol, known.scope) == ("A", "")
    other = Project(tmp_path, NEWEST).source(tmp_path / "a.py", text.replace("x = 1", "y = 2").encode())
    assert marks([whole], other) == (known,)
    inner = Finding("a.py", Span(7, 9, 7, 10), "dead-override", "")
    assert [(one.symbol, one.scope) for one in marks([inner], source)] == [("f", "A")]


def test_an_import_is_known_whatever_stands_beside_it(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": "from pipecat.frames.frames import LLMMessagesFrame\n"})
    assert '"symbol": "LLMMessagesFrame", "scope": ""' in written(root)
    (root / "a.py").write_text("from pipecat.frames.frames import (\n    EndFrame,\n    LLMMessagesFrame,\n)\n")
    assert left(root) == ([], 0)


def test_requirements_and_comments_are_known(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "# bots\npipecat-ai[langchain,canonical]>=1.1  # ours\n",
        "a.py": "x = 1  # codemods: ignore[removed-name]\n",
    }
    root = project(tmp_path, files)
    assert written(root, target="1.14.0").count("\n") == 3
    (root / "requirements.txt").write_text("\n" + files["requirements.txt"])
    assert left(root, target="1.14.0") == ([], 0)


def test_a_renamed_file_takes_its_findings_along(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "keep.py": HUMAN})
    first = written(root)
    (root / "a.py").rename(root / "b.py")
    assert left(root) == ([], 0)
    assert left(root, "b.py") == ([], 0)
    assert updated(root) == first.replace('"a.py"', '"b.py"')
    # A copy beside the old file is new.
    (root / "c.py").write_bytes(BAD)
    assert left(root) == ([2], 0)


def test_a_file_that_is_gone_is_stale_where_it_was_looked_for(tmp_path: Path) -> None:
    root = project(tmp_path, {"bots/a.py": BAD, "other/b.py": HUMAN})
    before = written(root)
    (root / "bots/a.py").unlink()
    assert left(root) == ([], 1)
    assert left(root, "bots") == ([], 1)
    assert left(root, "other") == ([], 0)
    assert left(root, select=("unguarded-cr-code",)) == ([], 0)
    assert left(root, exclude=("bots/",)) == ([], 0)
    assert updated(root, "other") == before
    assert updated(root) != before


def test_what_was_not_looked_at_stays(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "b.py": HUMAN})
    before = written(root)
    (root / "a.py").write_bytes(GOOD)
    assert updated(root, "b.py") == before
    assert updated(root, ignore=("unguarded-cr-code",)) == before
    (root / "a.py").write_bytes(b"def f(:\n")
    assert updated(root) == before


def test_a_rule_that_the_project_ignores_is_stale(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    written(root)
    (root / "pyproject.toml").write_text('[tool.pipecat-codemods]\nignore = ["unguarded-cr-code"]\n')
    assert left(root) == ([], 1)


def test_the_text_is_sorted_and_merges_line_by_line(tmp_path: Path) -> None:
    a, b = (Mark("removed-name", symbol, "", "0") for symbol in "ab")
    entries = {Key("z.py", a): 1, Key("é/a.py", b): 2, Key("z.py", b): 1}
    text = document(entries)
    assert text == document(dict(reversed(entries.items())))
    assert text.isascii()
    lines = text.splitlines()
    assert [json.loads(line)["path"] for line in lines[1:]] == ["z.py", "z.py", "é/a.py"]
    # Both sides of a merge by union: the larger count holds.
    path = tmp_path / FILE
    path.write_bytes("\r\n".join([*lines, lines[3].replace('"count": 2', '"count": 3')]).encode())
    assert load(path) == Baseline(path, left=load(path).left)
    assert sorted(load(path).left.values()) == [1, 1, 3]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no such baseline; --write-baseline makes it"),
        (b"", "it is empty"),
        (b"{", ":1: is not a baseline: the line is not JSON"),
        (b"\xff\xfe", ":1: is not a baseline: the line is not JSON"),
        (b"[" * 100_000, ":1: is not a baseline: the line is not JSON"),
        (b"[]\n", "states no pipecat-codemods-baseline"),
        (HEADER.replace("1", "2").encode(), "a baseline of version 2; this release reads version 1"),
        (HEADER.encode() + b"<<<<<<< ours\n", ":2: is not a baseline: the line is not JSON"),
        (HEADER.encode() + b'{"path": 1}\n', ":2: is not an entry of a baseline"),
        (HEADER.encode() + HEADER.encode(), ":2: is not an entry of a baseline"),
    ],
    ids=["missing", "empty", "JSON", "bytes", "deep", "other file", "version", "conflict", "entry", "header"],
)
def test_a_baseline_that_cannot_be_used(data: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / FILE
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UsageError) as error:
        load(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_unusable_baselines_and_options_on_the_command_line(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "bad.jsonl": "{"})
    for arguments, said in (
        (("--baseline", "none.jsonl"), "no such baseline"),
        (("--baseline", "."), "the baseline cannot be read: Is a directory"),
        (("--baseline", "bad.jsonl", "--write-baseline"), "is not a baseline"),
        (("--baseline", "no/folder.jsonl", "--write-baseline"), "cannot be written"),
        (("--write-baseline",), "name it with --baseline"),
        (("--accept-new",), "needs --write-baseline"),
        ((*WRITE, "--since", "HEAD"), "cannot be used with --since"),
        ((*WRITE, "--strict-baseline"), "cannot be used with --strict-baseline"),
        ((*WRITE, "--include-baselined"), "cannot be used with --include-baselined"),
    ):
        done = check(root, *arguments, ".")
        assert (done.code, done.out, len(done.errors)) == (2, b"", 1), arguments
        assert said in done.errors[0]
    assert (root / "bad.jsonl").read_text() == "{"
    assert not (root / FILE).exists()


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX'")
def test_mode_and_link_of_the_file_stay(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "sub/real.jsonl": HEADER})
    (root / "sub/real.jsonl").chmod(0o640)
    (root / FILE).symlink_to("sub/real.jsonl")
    assert check(root, *WRITE, "--accept-new", ".").code == 0
    assert (root / FILE).is_symlink()
    assert (root / "sub/real.jsonl").stat().st_mode & 0o777 == 0o640
    assert len((root / "sub/real.jsonl").read_text().splitlines()) == 2
    assert [path.name for path in (root / "sub").iterdir()] == ["real.jsonl"]


# -- apply


def mended(root: Path, **options: object) -> tuple[int, dict[str, int]]:
    plan = engine.mended(request(root, **options), unsafe=False, jobs=1)
    ledger = engine.write(plan, Journal(root.parent / "journal"))
    return ledger.exit_code(), ledger.summary()


def test_apply_leaves_known_places_alone(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "b.py": BAD})
    written(root)
    new = BAD.replace(b"def f", b"def new").replace(b"return c", b"return 1, c")
    (root / "a.py").write_bytes(new + BAD)

    code, summary = mended(root)
    assert (root / "a.py").read_bytes() == GOOD.replace(b"def f", b"def new").replace(b"return ", b"return 1, ") + BAD
    assert (root / "b.py").read_bytes() == BAD
    assert (code, summary["applied"], summary["baselined"], summary["findings"]) == (1, 1, 2, 1)
    assert mended(root)[0] == 0

    code, summary = mended(root, includes_baselined=True)
    assert (code, summary["applied"], summary["baselined"]) == (1, 2, 0)
    assert (root / "b.py").read_bytes() == GOOD


def test_a_known_place_stays_where_other_mends_change_its_statement(tmp_path: Path) -> None:
    # The second round sees the known place moved, in a statement that reads otherwise by then.
    root = project(tmp_path, {"a.py": "def f(c, d):\n    return [d.cr_code.co_name, c.cr_code.co_name]\n"})
    head, known, _ = sorted(written(root).splitlines(keepends=True), key=lambda line: "d.cr_code" in line)
    (root / FILE).write_text(head + known)
    assert left(root) == ([2], 0)

    assert mended(root)[1]["applied"] == 1
    assert (root / "a.py").read_text() == (
        'def f(c, d):\n    return [getattr(getattr(d, "cr_code", None), "co_name", "task"), c.cr_code.co_name]\n'
    )


@pytest.mark.parametrize("known", ["watcher.py", "main.py"])
def test_files_that_belong_together_wait_for_a_known_one(known: str, tmp_path: Path) -> None:
    root = project(tmp_path, TOGETHER)
    everything = written(root).splitlines(keepends=True)
    assert len(everything) == 3
    (root / FILE).write_text("".join(line for line in everything if known in line or line == HEADER))

    code, summary = mended(root)
    assert sources(root) == TOGETHER
    assert (code, summary["applied"], summary["baselined"], summary["findings"]) == (1, 0, 1, 1)
    assert mended(root, includes_baselined=True)[1]["applied"] == 2
    assert sources(root) == TOGETHER_MENDED


# -- reports


def test_every_report_counts_what_it_leaves_out(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "b.py": BAD})
    check(root, *WRITE, ".")
    (root / "a.py").write_bytes(GOOD)
    done = {form: check(root, *USE, "--output-format", form, ".") for form in ("json", "sarif", "github", "junit")}
    assert {one.code for one in done.values()} == {0}
    counts = {"baselined": 1, "unchanged": 0, "stale": 1}
    assert counts.items() <= done["json"].report["summary"].items()
    assert done["sarif"].report["runs"][0]["properties"] == counts
    assert done["github"].out == b"::notice title=pipecat-codemods::Not shown: 1 finding in the baseline.\n"
    (skipped,) = ElementTree.fromstring(done["junit"].out).iter("skipped")
    assert skipped.get("message") == "Not shown: 1 finding in the baseline."
    assert check(root, *USE, "--output-format", "gitlab", ".").report == []


def test_plan_leaves_known_findings_out(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    check(root, *WRITE, ".")
    (root / "b.py").write_bytes(HUMAN)

    def plan(*arguments: str) -> Done:
        return python(root, *CODEMODS, "plan", "--from", "1.1", *arguments, ".")

    done = plan(*USE, "--output-format", "json")
    assert [one["path"] for one in done.report["already"]] == ["b.py"]
    assert done.report["summary"]["baselined"] == 1
    assert plan(*USE).out.decode().splitlines()[-1] == "Not shown: 1 finding in the baseline."
    assert len(plan(*USE, "--include-baselined", "--output-format", "json").report["already"]) == 2
