"""The gate: what pyright newly says of a run's changes has them held back, and nothing is written while it looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.errors import UsageError
from checks.kinds import opened
from checks.pipecat.releases import NEWEST
from checks.project import Project
from checks.pyright import Diagnostic
from checks.source import Source
from codemods.gate import Users, new_diagnostics
from codemods.moved import Moved
from codemods.shadow import Shadow
from tests.cases import contents
from tests.running import BAD, GOOD, TOGETHER, TOGETHER_MENDED, Done, apply, project, python, statuses
from tests.trees import released

FILE = Path("bot.py")


def source(text: str) -> Source:
    return opened(FILE, text.encode(), module="bot", project=Project(Path(), NEWEST))


def said(text: str, *places: tuple[str, str, str]) -> list[Diagnostic]:
    """Return diagnostics by the text they are of, their rule, and their message."""
    lines = text.split("\n")
    found: list[Diagnostic] = []
    for of, rule, message in places:
        line = next(index for index, one in enumerate(lines) if of in one)
        at = lines[line].index(of)
        found.append(Diagnostic(FILE, line, at, line, at + len(of), rule, message))
    return found


def new(before: str, after: str, was: list[Diagnostic], now: list[Diagnostic]) -> list[str]:
    return [one.message for one in new_diagnostics(was, now, source(before), source(after))]


# -- comparing


def test_a_moved_line_keeps_its_diagnostic() -> None:
    before, after = "import a\nx = a.b\ny = 1\n", "import a\nimport c\n\n\nx = a.b\ny = 2\n"
    place = ("b", "attr", "no b")
    assert new(before, after, said(before, place), said(after, place)) == []


def test_a_shifted_column_keeps_its_diagnostic() -> None:
    before, after = "f(old, bad=1)\n", "much_longer(old, bad=1)\n"
    place = ("bad", "call", 'No parameter named "bad"')
    assert new(before, after, said(before, place), said(after, place)) == []


def test_a_line_that_changed_places_keeps_its_diagnostic() -> None:
    before, after = "import gone\nimport a\nimport b\n\nx = 1\n", "import a\nimport b\n\nx = 1\nimport gone\n"
    place = ("gone", "import", "unresolved")
    assert new(before, after, said(before, place), said(after, place)) == []


def test_what_is_called_otherwise_now_is_not_new_where_nothing_was_edited() -> None:
    before, after = "t = Task()\nt.nope()\n", "t = Worker()\nt.nope()\n"
    was = said(before, ("nope", "attr", 'Cannot access attribute "nope" for class "Task"'))
    now = said(after, ("nope", "attr", 'Cannot access attribute "nope" for class "Worker"'))
    assert new(before, after, was, now) == []


def test_an_edit_that_trades_one_fault_for_another_is_new() -> None:
    before, after = "f(first=1)\n", "f(second=1)\n"
    was = said(before, ("first", "call", 'No parameter named "first"'))
    now = said(after, ("second", "call", 'No parameter named "second"'))
    assert new(before, after, was, now) == ['No parameter named "second"']


def test_each_diagnostic_of_before_counts_once() -> None:
    before, after = "x = a.b\n", "x = a.b\ny = a.b\n"
    place = ("b", "attr", "no b")
    twice = [*said(after, place), Diagnostic(FILE, 1, 6, 1, 7, "attr", "no b")]
    assert new(before, after, said(before, place), twice) == ["no b"]


def test_another_rule_at_the_same_place_is_new() -> None:
    text = "x = a.b\n"
    assert new(text, text, said(text, ("b", "one", "m")), said(text, ("b", "other", "m"))) == ["m"]


def test_what_spans_edited_lines_keeps_its_diagnostic() -> None:
    before, after = "f(\n    old=1,\n    b=2,\n)\n", "f(\n    new=1,\n    b=2,\n)\n"
    one = Diagnostic(FILE, 0, 0, 3, 1, "call", 'Argument missing for parameter "c"')
    assert new(before, after, [one], [one]) == []


def test_characters_beyond_the_first_plane_count_twice_in_a_report() -> None:
    before, after = 'x = "🌦", a.b\n', 'import c\nx = "🌦", a.b\n'
    was, now = (Diagnostic(FILE, line, 12, line, 13, "attr", "no b") for line in (0, 1))
    assert new(before, after, [was], [now]) == []


def test_lines_are_followed_through_edits() -> None:
    moved = Moved("a\nb\nc\nd\n", "x\na\nB\nBB\nc\nd\n")
    assert moved.lines([1, 2, 4]) == {2, 3, 4, 6}
    assert moved.before(5, 1) == (3, 1)
    assert moved.before(1, 1) is None
    assert moved.edited(3) == (2, 3)


def test_a_form_feed_ends_no_line() -> None:
    assert Moved("a\x0cb\nc\n", "n\na\x0cb\nc\n").lines([2]) == {3}


# -- looking


def test_who_imports_a_file(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            "pkg/__init__.py": "from .a import f\n",
            "pkg/a.py": "def f(): ...\n",
            "pkg/b.py": "from . import f\n",
            "main.py": "import pkg.b\n",
            "other.py": "a = 1  # pkg\n",
        },
    )
    users = Users(Project(root, NEWEST))
    names = [path.relative_to(root).as_posix() for path in users.of([root / "pkg" / "a.py"])]
    assert names == ["main.py", "pkg/__init__.py", "pkg/a.py", "pkg/b.py"]
    assert users.of([root / "other.py"]) == [root / "other.py"]


def test_what_a_shadow_holds(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            "pkg/a.py": "x = 1\n",
            "pkg/py.typed": "",
            "data/big.bin": b"0" * 10,
            "data/big.json": b"0" * 100_000,
            ".venv/pyvenv.cfg": "",
            ".venv/lib/x.py": "",
            "node_modules/x.py": "",
            "outside/.keep": "",
        },
    )
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "far.py").write_text("y = 1\n")
    (root / "near.py").symlink_to("pkg/a.py")
    (root / "far.py").symlink_to(outside / "far.py")
    (root / "env").symlink_to(".venv")
    folder = tmp_path / "shadow"
    folder.mkdir()
    before = contents(root)

    shadow = Shadow(root, folder)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()) == [
        *("far.py", "near.py", "pkg/a.py", "pkg/py.typed", "pyproject.toml"),
    ]
    assert (folder / ".venv").resolve() == (folder / "env").resolve() == (root / ".venv").resolve()
    assert (folder / "near.py").resolve() == (folder / "pkg" / "a.py").resolve()

    changed = ("near.py", "far.py", "pkg/a.py", ".venv/lib/x.py", "env/lib/x.py", "new/y.py")
    shadow.put({root / name: b"changed" for name in changed})
    assert {(folder / name).read_bytes() for name in changed} == {b"changed"}
    assert (folder / ".venv" / "pyvenv.cfg").is_file()
    assert contents(root) == before
    assert (outside / "far.py").read_text() == "y = 1\n"


def test_a_folder_that_is_no_project_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codemods.shadow._MOST", 2)
    root = project(tmp_path, {"a.py": "", "b.py": ""})
    (tmp_path / "shadow").mkdir()
    with pytest.raises(UsageError, match="it is no single project"):
        Shadow(root, tmp_path / "shadow")


def test_a_shadow_begins_where_the_settings_are(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyrightconfig.json").write_text("{}")
    root = project(tmp_path, {"a.py": "x = 1\n"}, name="part")
    folder = tmp_path / "shadow"
    folder.mkdir()
    shadow = Shadow(root, folder)
    assert (folder / "pyrightconfig.json").is_file()
    assert shadow.of(root / "a.py") == folder / "part" / "a.py"
    assert not (folder / "shadow").exists()


# -- the real pyright

IGNORED = BAD.replace(b"name\n", b"name  # pyright: ignore\n").replace(b"(c)", b"(c: str)")
ORIGIN = b"""\
from typing import Any


def f(c: Any):
    return c.cr_code.co_name
"""
USER = b"""\
from typing import Any, assert_type

from origin import f

assert_type(f(1), Any)
"""
FILES = {
    "good.py": BAD,
    # Moved lines below what is mended, with a diagnostic that was there before.
    "moved.py": b'"""Says something."""\nimport nowhere_to_be_found\n\n\n'
    + BAD
    + b"\n\nnowhere_to_be_found.x\nint.nope\n",
    "held.py": IGNORED,
    "origin.py": ORIGIN,
    "user.py": USER,
    **TOGETHER,
}
PYRIGHT = {"reportUnnecessaryTypeIgnoreComment": "error", "reportMissingModuleSource": False}
HELD = {"held.py", "origin.py"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Done, dict[str, bytes], dict[str, bytes]]]:
    """Verify and then apply on one project; of each run how it ended, and the project before and after it."""
    scratch = tmp_path_factory.mktemp("gate")
    settings = {**PYRIGHT, "extraPaths": [str(released("1.2.0"))]}
    root = project(scratch, {**FILES, "pyrightconfig.json": json.dumps(settings)})
    made: dict[str, tuple[Done, dict[str, bytes], dict[str, bytes]]] = {}
    arguments = ("--target", "1.2.0", "--output-format", "json", ".")
    state = str(scratch / "state")
    for name, command in (("verify", ("verify",)), ("apply", ("apply", "--verify"))):
        before = contents(root)
        done = python(root, "-m", "codemods", *command, *arguments, XDG_STATE_HOME=state)
        made[name] = done, before, contents(root)
    return made


@pytest.fixture(autouse=True, scope="module")
def _state(tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.MonkeyPatch().setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.mark.parametrize("name", ["verify", "apply"])
def test_what_pyright_newly_objects_to_is_held_back(name: str, runs: dict[str, tuple[Done, object, object]]) -> None:
    done = runs[name][0]
    assert done.code == 2
    expected = {name: "refused" if name in HELD else "changed" for name in FILES if name != "user.py"}
    assert statuses(done) == {**expected, "user.py": "clean"}
    reasons = {one["path"]: one["reason"] for one in done.report["files"]}
    unnecessary = 'reportUnnecessaryTypeIgnoreComment: Unnecessary "# type: ignore" comment'
    assert reasons["held.py"].startswith(f"pyright would say of held.py:2:71: {unnecessary}")
    assert reasons["origin.py"].startswith("pyright would say of user.py:5:13: reportAssertTypeFailure: ")
    assert {one["path"] for one in done.report["findings"] if one["applied"]} == (
        set() if name == "verify" else {path for path, status in statuses(done).items() if status == "changed"}
    )


def test_verify_writes_nothing(runs: dict[str, tuple[Done, dict[str, bytes], dict[str, bytes]]]) -> None:
    _, before, after = runs["verify"]
    assert after == before


def test_the_rest_is_applied(runs: dict[str, tuple[Done, dict[str, bytes], dict[str, bytes]]]) -> None:
    _, before, after = runs["apply"]
    assert after["good.py"] == GOOD
    assert {name: after[name] for name in TOGETHER} == TOGETHER_MENDED
    assert {name for name in FILES if after[name] == before[name]} == {*HELD, "user.py"}


def test_files_that_belong_together_are_held_back_together(tmp_path: Path) -> None:
    settings = {**PYRIGHT, "extraPaths": [str(released("1.2.0"))]}
    # Given to the constructor it is any object, given to setup() it must be a task manager.
    files = {**TOGETHER, "main.py": TOGETHER["main.py"].replace(b"(manager)", b"(manager: int)")}
    root = project(tmp_path, {**files, "pyrightconfig.json": json.dumps(settings)})
    before = contents(root)
    done = apply(root, "--verify", "--target", "1.2.0", "--output-format", "json", ".")
    assert contents(root) == before
    assert (done.code, statuses(done)) == (2, {"main.py": "refused", "watcher.py": "refused"})
    said = "pyright would say of main.py:6:25: reportArgumentType: "
    assert all(one["reason"].startswith(said) for one in done.report["files"])


def test_nothing_to_change_needs_no_pyright(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": GOOD})
    done = python(root, "-m", "codemods", "verify", "--pyright-python", "no-such-python", ".")
    assert (done.code, done.err) == (0, b"")


def test_a_pipecat_that_pyright_does_not_see(tmp_path: Path) -> None:
    root = project(tmp_path, {**TOGETHER, "pyrightconfig.json": "{}"})
    before = contents(root)
    done = apply(root, "--verify", "--target", "1.2.0", ".")
    assert (done.code, contents(root)) == (2, before)
    assert done.errors[0].startswith("error: pyright does not see pipecat-ai 1.2.0: it does not find pipecat.")
