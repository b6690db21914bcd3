"""Input that is no good costs itself and nothing else: one line, exit code 2, every other file mended, none damaged."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.cli import run as run_command
from checks.session import Session
from codemods import apply as engine
from codemods.cli import codemods
from tests.cases import contents
from tests.running import (
    BAD,
    CHECKS,
    CODEMODS,
    GOOD,
    NEW,
    OLD,
    ROOT,
    TOGETHER,
    TOGETHER_MENDED,
    Done,
    apply,
    check,
    environment,
    git,
    project,
    python,
    python_sources,
    statuses,
    undo,
)

PYTHON = sys.version_info[:2]
# Stand on both sides of the bad file in every order there is.
OTHERS = {"a.py": BAD, "z.py": BAD}
MENDED = {"a.py": GOOD, "z.py": GOOD}


def assert_told(done: Done, *words: str) -> None:
    """Hold a run against the one clear line it owes; the words are what the line must say."""
    lines = done.err.decode().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert [word for word in words if word not in lines[0]] == []
    assert done.code == 2


def run_here(root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Done:
    """Run ``python -m codemods`` in this process, so that it meets what a test has put in its way."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["codemods", *arguments])
    capfd.readouterr()
    code = run_command(codemods, "codemods")
    out, err = capfd.readouterr()
    return Done(code, out.encode(), err.encode())


# -- arguments


@pytest.mark.parametrize("command", [(*CHECKS,), (*CODEMODS, "apply")], ids=" ".join)
def test_missing_path(command: tuple[str, ...], tmp_path: Path) -> None:
    root = project(tmp_path, OTHERS)

    done = python(root, *command, "a.py", "no/such.py", "z.py")

    assert_told(done, "no/such.py: no such file or folder")
    assert python_sources(root) == (MENDED if "apply" in command else OTHERS)


def test_what_is_no_file(tmp_path: Path) -> None:
    root = project(tmp_path, OTHERS)
    os.mkfifo(root / "pipe.py")

    assert_told(apply(root, "pipe.py", "."), "pipe.py: is not a regular file")
    assert {name: (root / name).read_bytes() for name in OTHERS} == MENDED


UNKNOWN = [
    (["apply", "--select", "unguarded-code", "."], ["'unguarded-code'", "'unguarded-cr-code'"]),
    (["check", "--ignore", "task-manager-arguments"], ["'task-manager-arguments'", "'task-manager-argument'"]),
    (["explain", "unused-suppressions"], ["'unused-suppressions'", "'unused-suppression'"]),
    (["check", "--target", "1.22"], ["'1.22'", "1.14.0"]),
    (["check", "--target", "1.2.9"], ["'1.2.9'", "1.2.1"]),
    (["check", "--target", "newest"], ["'newest'"]),
    (["check", "--target", ""], ["release"]),
    (["check", "--target"], ["--target"]),
    (["check", "--output-format", "jsn"], ["'jsn'", "'json'"]),
    (["check", "--slect", "x"], ["--slect", "--select"]),
    (["check", "--jobs", "0"], ["--jobs", "0"]),
    (["check", "--jobs", "many"], ["--jobs", "many"]),
    (["aply", "."], ["'aply'", "'apply'"]),
]


@pytest.mark.parametrize(("arguments", "words"), UNKNOWN, ids=[" ".join(arguments) for arguments, _ in UNKNOWN])
def test_unknown_value(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})

    done = python(root, *CODEMODS, *arguments)

    assert_told(done, *words)
    assert done.out == b""
    assert python_sources(root) == {"a.py": BAD}


TABLE = "[tool.pipecat-codemods]\n"
CONFIGS: dict[str, tuple[str, list[str]]] = {
    "unknown key": (f'{TABLE}slect = ["unguarded-cr-code"]\n', ["'slect'", "'select'"]),
    "underscores": (f"{TABLE}per_file_ignores = {{}}\n", ["'per_file_ignores'", "'per-file-ignores'"]),
    "a string for a truth value": (f'{TABLE}unsafe = "yes"\n', ["unsafe", "true or false"]),
    "a string for a list": (f'{TABLE}select = "unguarded-cr-code"\n', ["select", "list"]),
    "unknown rule": (f'{TABLE}ignore = ["unguarded-code"]\n', ["'unguarded-code'", "'unguarded-cr-code'"]),
    "unknown rule for a file": (f'{TABLE}per-file-ignores = {{ "a" = ["unguarded-code"] }}\n', ["'unguarded-cr-code'"]),
    "unknown release": (f'{TABLE}target = "1.22"\n', ["'1.22'", "1.14.0"]),
    "no TOML": ("[tool.pipecat-codemods\n", ["line 1"]),
    "no table": ("[tool]\npipecat-codemods = true\n", ["pipecat-codemods"]),
    "no table above": ("tool = 1  # pipecat-codemods\n", []),
}


@pytest.mark.parametrize(("config", "words"), CONFIGS.values(), ids=CONFIGS)
def test_config_that_makes_no_sense(config: str, words: list[str], tmp_path: Path) -> None:
    root = project(tmp_path, {"pkg/a.py": BAD, "pyproject.toml": config})

    done = check(root / "pkg", ".")

    assert_told(done, "pyproject.toml", *words)
    assert done.out == b""


@pytest.mark.parametrize("place", ["no/such/folder/report", "."])
def test_report_that_cannot_be_written(place: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})

    assert_told(check(root, "--output-file", place, "a.py"), f"'{place}'" if place == "." else place)


# -- files that are not Python, or not this Python

NOT_PYTHON: dict[str, tuple[bytes, str]] = {
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "NUL"),
    "binary without NUL": (b"\x89PNG\r\n\x1a\n\xff\xfe", "valid"),
    "bytecode": (b"\xa7\r\r\n\x00\x00\x00\x00c.cr_code.co_name", "NUL"),
    "utf-16": ("\ufeffx = 1\n".encode("utf-16-le"), "NUL"),
    "undecodable": (BAD + b"x = '\xe9'\n", "line 3 is not valid utf-8"),
    "undecodable behind a carriage return": (b"x = 1\ry = 2\r\nz = '\xe9'\n", "line 3 is not valid utf-8"),
    "nul": (BAD + b"x = '\x00'\n", "NUL"),
    "unknown cookie": (b"# -*- coding: klingon -*-\n" + BAD, "klingon"),
    "unknown cookie on line 2": (b"#!/usr/bin/python\n# coding: klingon\n" + BAD, "klingon"),
    "cookie against the mark": (b"\xef\xbb\xbf# coding: latin-1\n" + BAD, "latin-1"),
    "cookie against the bytes": (b"# coding: ascii\nx = '\xc3\xa9'\n" + BAD, "line 2 is not valid ascii"),
    "cookie of no text": (b"# coding: rot13\n" + BAD, "rot13"),
    "cookie of escapes": (b"# coding: unicode_escape\n" + BAD, "unicode-escape"),
    "cookie of another width": (b"# coding: utf-16\n" + BAD, "utf-16"),
    "syntax": (BAD + b"def g(:\n", "line 3"),
    "unclosed": (BAD + b"x = (1,\n", "line 3"),
    "indentation": (BAD + b"if 1:\nx = 1\n", "line 4"),
    "tabs and blanks": (BAD + b"if 1:\n\tx = 1\n        y = 2\n", "line 5"),
    "escape in the source": (BAD + b"\x1b[31m\n", "line 3"),
    "conflict": (BAD + b"<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\n", "line 3"),
    "print": (BAD + b"print 'x'\n", "Python 2"),
    "except": (BAD + b"try:\n    pass\nexcept OSError, e:\n    pass\n", "Python 2"),
    "raise": (BAD + b"raise OSError, 'x'\n", "Python 2"),
    "octal": (BAD + b"os.chmod('x', 0755)\n", "Python 2"),
    "parentheses": (BAD + b"x = " + b"(" * 3000 + b"1" + b")" * 3000 + b"\n", "line 3: too many nested"),
    "hopelessly long sum": (BAD + b"x = " + b"1 + " * 100_000 + b"1\n", "nested too deeply"),
}


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_files_that_cannot_be_read(jobs: str, tmp_path: Path) -> None:
    """Each has one line, in order of path, and all others are mended."""
    bad = {f"bad, {name}.py": source for name, (source, _) in NOT_PYTHON.items()}
    root = project(tmp_path, {**OTHERS, **bad})

    done = apply(root, "--jobs", jobs, ".")

    assert done.code == 2
    assert python_sources(root) == {**MENDED, **bad}
    told = dict(line.removeprefix("error: ").split(": ", 1) for line in done.errors)
    assert len(done.errors) == len(bad)
    assert list(told) == sorted(bad)
    wanted = {f"bad, {name}.py": words for name, (_, words) in NOT_PYTHON.items()}
    assert {name: reason for name, reason in told.items() if wanted[name] not in reason} == {}
    assert b"\x1b" not in done.err
    assert done.out.decode().splitlines()[:2] == ["a.py: mended 1 finding", "z.py: mended 1 finding"]


@pytest.mark.parametrize("cookie", ["punycode", "undefined"])
def test_a_cookie_nobody_means(cookie: str, tmp_path: Path) -> None:
    """These codecs fail in ways of their own."""
    source = f"# coding: {cookie}\n".encode() + BAD
    root = project(tmp_path, {**OTHERS, "bad.py": source})

    assert_told(apply(root, "."), "error: bad.py: ", cookie)
    assert python_sources(root) == {**MENDED, "bad.py": source}


@pytest.mark.parametrize("deep", [b"1" + b" + 1" * 3000, b"-" * 3000 + b"1"], ids=["sum", "negations"])
def test_a_deep_expression_is_mended_around_or_named(deep: bytes, tmp_path: Path) -> None:
    """How deep a parser goes differs from one Python to the next; that the file stays whole does not."""
    source = b"x = " + deep + b"\n" + BAD
    root = project(tmp_path, {**OTHERS, "bad.py": source})

    done = apply(root, ".")

    left = python_sources(root)
    assert {name: left[name] for name in MENDED} == MENDED
    if done.code == 1:
        assert left["bad.py"] == source.replace(OLD, NEW)
    else:
        assert_told(done, "error: bad.py: ")
        assert left["bad.py"] == source


NEWER: list[tuple[tuple[int, int], bytes]] = [
    ((3, 12), b"def f[T](x: T) -> T:\n    return x\n"),
    ((3, 12), b"class A[T]:\n    pass\n"),
    ((3, 12), b"type Pair = tuple[int, int]\n"),
    ((3, 12), b'd = {}\nx = f"{d["a"]}"\n'),
    ((3, 13), b"type Pair[T = int] = tuple[T, T]\n"),
    ((3, 13), b"def f[T = int](x: T) -> T:\n    return x\n"),
    ((3, 14), b"x = t'{y}'\n"),
    ((3, 14), b"try:\n    pass\nexcept OSError, ValueError:\n    pass\n"),
]


@pytest.mark.skipif(PYTHON >= (3, 14), reason="this Python reads them all")
def test_newer_syntax_names_the_python_to_run_under(tmp_path: Path) -> None:
    newer = {f"{number}.py": case for number, case in enumerate(NEWER) if case[0] > PYTHON}
    root = project(tmp_path, {"a.py": BAD} | {name: source for name, (_, source) in newer.items()})

    done = check(root, ".")

    assert done.code == 2
    told = dict(line.removeprefix("error: ").split(": ", 1) for line in done.errors)
    assert list(told) == sorted(newer)
    hints = {name: "run the tool under Python {}.{};".format(*needed) for name, (needed, _) in newer.items()}
    assert {name: reason for name, reason in told.items() if hints[name] not in reason} == {}
    assert done.out.startswith(b"a.py:2:12: unguarded-cr-code")


@pytest.mark.skipif(PYTHON < (3, 12), reason="this Python reads none of them")
def test_newer_syntax_is_mended_where_it_is_read(tmp_path: Path) -> None:
    known = {f"{number}.py": source + BAD for number, (needed, source) in enumerate(NEWER) if needed <= PYTHON}
    root = project(tmp_path, known)

    done = apply(root, ".")

    assert done.code in (1, 2)  # what LibCST cannot read is named and left
    left = python_sources(root)
    told = {line.split(": ")[1] for line in done.errors}
    assert left == {name: source if name in told else source.replace(OLD, NEW) for name, source in known.items()}
    assert "0.py" not in told


@pytest.mark.parametrize("cookie", ["utf-8-unix", "utf-8-sig", "latin-1-dos", "UTF_8", "iso-8859-15"])
def test_a_cookie_python_understands(cookie: str, tmp_path: Path) -> None:
    """Emacs writes the newline into the name; PEP 263 and Python read past it."""
    source = f"# -*- coding: {cookie} -*-\n".encode() + BAD
    compile(source, "a.py", "exec")
    root = project(tmp_path, {"a.py": source})

    done = apply(root, ".")

    assert (done.code, done.err) == (1, b"")
    assert python_sources(root) == {"a.py": source.replace(OLD, NEW)}


def test_an_empty_file_is_fine(tmp_path: Path) -> None:
    sources = [b"", b"\n", b"\xef\xbb\xbf", b"\r", b"# nothing", b"\x0c", b"\xef\xbb\xbf# coding: utf-8\n"]
    files = {f"{number}.py": source for number, source in enumerate(sources)}
    root = project(tmp_path, files)

    done = apply(root, "--output-format", "json", ".")

    assert (done.code, done.err) == (0, b"")
    assert statuses(done) == dict.fromkeys(files, "clean")
    assert python_sources(root) == files


def test_a_file_that_cannot_be_read_holds_back_what_it_may_depend_on(tmp_path: Path) -> None:
    """It names the class and may build it: no one can tell that every caller has been mended."""
    caller = b"from watcher import Watcher\n\nprint 'x'\nWatcher(task_manager=None)\n"
    root = project(tmp_path, {**OTHERS, **TOGETHER, "bad.py": caller})

    done = apply(root, "--target", "1.2", ".")

    assert done.code == 2
    assert [line for line in done.errors if "bad.py" in line]
    assert python_sources(root) == {**MENDED, **TOGETHER, "bad.py": caller}


# -- files that change underneath


def after_discovery(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Have something happen when the files to read are known and none is read."""
    begin = engine.begin

    def begin_and(*arguments: Any, **options: Any) -> Session:
        session = begin(*arguments, **options)
        happens()
        return session

    monkeypatch.setattr(engine, "begin", begin_and)


def before_writing(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Have something happen when all changes are worked out and none is written."""
    mended = engine.mended

    def mended_and(*arguments: Any, **options: Any) -> engine.Plan:
        plan = mended(*arguments, **options)
        happens()
        return plan

    monkeypatch.setattr(engine, "mended", mended_and)


def test_a_file_that_vanishes_before_it_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, {**OTHERS, "gone.py": BAD})
    after_discovery(monkeypatch, (root / "gone.py").unlink)

    done = run_here(root, capfd, monkeypatch, "apply", ".")

    assert_told(done, "error: gone.py: ", "No such file")
    assert python_sources(root) == MENDED


@pytest.mark.parametrize("change", ["vanishes", "changes", "becomes a folder"])
def test_a_file_that_changes_before_it_is_written(
    change: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, {**OTHERS, "busy.py": BAD})

    def happens() -> None:
        if change == "changes":
            (root / "busy.py").write_bytes(BAD + b"# mine\n")
            return
        (root / "busy.py").unlink()
        if change == "becomes a folder":
            (root / "busy.py").mkdir()

    before_writing(monkeypatch, happens)

    done = run_here(root, capfd, monkeypatch, "apply", ".")

    assert_told(done, "error: busy.py: ")
    assert python_sources(root) == MENDED | ({"busy.py": BAD + b"# mine\n"} if change == "changes" else {})


def test_a_file_that_changes_in_the_last_moment(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the new bytes are being synced, someone else writes to the file."""
    root = project(tmp_path, {**OTHERS, "busy.py": BAD})
    fsync = os.fsync

    def fsync_and(handle: int) -> None:
        if file_behind(handle, root).startswith(".busy.py"):
            (root / "busy.py").write_bytes(BAD + b"# mine\n")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fsync_and)

    done = run_here(root, capfd, monkeypatch, "apply", ".")

    assert_told(done, "error: busy.py: changed while the run was under way")
    assert contents(root) == {**MENDED, "busy.py": BAD + b"# mine\n", "pyproject.toml": b""}


# -- places that cannot be written


def file_behind(handle: int, folder: Path) -> str:
    """Return the name of the file in a folder that a descriptor stands for, empty if it is elsewhere."""
    number = os.fstat(handle).st_ino
    return next((path.name for path in folder.iterdir() if path.stat().st_ino == number and path.is_file()), "")


def fill_disk(monkeypatch: pytest.MonkeyPatch, is_full: Callable[[int], bool]) -> None:
    """Have the disk full for some descriptors."""
    fsync = os.fsync

    def full(handle: int) -> None:
        if is_full(handle):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)


@pytest.fixture
def restored_modes(tmp_path: Path) -> Iterator[None]:
    """Let pytest remove what a test has made read-only."""
    yield
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        folder.chmod(0o755)


@pytest.mark.usefixtures("restored_modes")
def test_read_only_file(tmp_path: Path) -> None:
    root = project(tmp_path, {**OTHERS, "locked.py": BAD})
    (root / "locked.py").chmod(0o444)

    assert_told(apply(root, "."), "error: locked.py: is read-only")
    assert contents(root) == {**MENDED, "locked.py": BAD, "pyproject.toml": b""}


@pytest.mark.usefixtures("restored_modes")
def test_read_only_folder(tmp_path: Path) -> None:
    root = project(tmp_path, {**OTHERS, "locked/b.py": BAD})
    (root / "locked").chmod(0o555)

    assert_told(apply(root, "."), "error: locked/b.py: ", "read-only")
    assert contents(root) == {**MENDED, "locked/b.py": BAD, "pyproject.toml": b""}


@pytest.mark.usefixtures("restored_modes")
@pytest.mark.parametrize("locked", sorted(TOGETHER))
def test_a_read_only_file_holds_back_those_it_belongs_to(locked: str, tmp_path: Path) -> None:
    root = project(tmp_path, {**OTHERS, **TOGETHER})
    (root / locked).chmod(0o444)

    done = apply(root, "--target", "1.2", ".")

    assert done.code == 2
    assert [line.split(": ")[1] for line in done.errors] == sorted(TOGETHER)
    assert [locked in line for line in done.errors] == [True, True]
    assert python_sources(root) == {**MENDED, **TOGETHER}


def test_a_folder_that_cannot_be_listed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, {**OTHERS, "locked/b.py": BAD})
    scandir = os.scandir

    def refused(path: Any = ".") -> Any:
        if not isinstance(path, int) and Path(path).name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)

    done = run_here(root, capfd, monkeypatch, "apply", ".")

    assert_told(done, "error: locked: ", "Permission denied")
    assert {name: (root / name).read_bytes() for name in OTHERS} == MENDED


def test_full_disk_under_the_journal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be taken back is not written."""
    root = project(tmp_path, OTHERS)
    fill_disk(monkeypatch, lambda handle: file_behind(handle, root) == "")

    done = run_here(root, capfd, monkeypatch, "apply", ".")

    assert done.code == 2
    assert [line.split(": ")[1] for line in done.errors] == ["a.py", "z.py"]
    assert [os.strerror(errno.ENOSPC) in line for line in done.errors] == [True, True]
    assert contents(root) == {**OTHERS, "pyproject.toml": b""}


def test_full_disk_under_a_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, {**OTHERS, "big.py": BAD})
    fill_disk(monkeypatch, lambda handle: file_behind(handle, root).startswith(".big.py"))

    done = run_here(root, capfd, monkeypatch, "apply", ".")

    assert_told(done, "error: big.py: ", os.strerror(errno.ENOSPC))
    assert contents(root) == {**MENDED, "big.py": BAD, "pyproject.toml": b""}
    assert undo(root).code == 0
    assert python_sources(root) == {**OTHERS, "big.py": BAD}


def test_a_disk_that_fills_up_between_files_that_belong_together(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of them has been replaced when there is no room left, not even to write it back."""
    root = project(tmp_path, TOGETHER)
    filled: list[int] = []

    def is_full(handle: int) -> bool:
        if file_behind(handle, root).startswith(".watcher.py"):
            filled.append(handle)
        return bool(filled) and file_behind(handle, root) != ""

    fill_disk(monkeypatch, is_full)

    done = run_here(root, capfd, monkeypatch, "apply", "--target", "1.2", ".")

    assert filled
    assert done.code == 2
    assert [line.split(": ")[1] for line in done.errors] == ["main.py", "watcher.py"]
    assert contents(root) == {**TOGETHER, "pyproject.toml": b""}


def test_a_hard_link_that_cannot_be_switched(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One name has been switched to the new file when the other cannot be: both are to be the old file again."""
    root = project(tmp_path, {"a.py": BAD})
    (root / "b.py").hardlink_to(root / "a.py")
    replace = os.replace
    calls: list[tuple[Any, ...]] = []

    def failing(*arguments: Any) -> None:
        calls.append(arguments)
        if Path(arguments[1]).name == "b.py":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(*arguments)

    monkeypatch.setattr(os, "replace", failing)

    done = run_here(root, capfd, monkeypatch, "apply", ".")

    assert calls
    assert done.code == 2
    assert [os.strerror(errno.EIO) in line for line in done.errors] == [True] * len(done.errors)
    assert contents(root) == {"a.py": BAD, "b.py": BAD, "pyproject.toml": b""}
    assert (root / "a.py").samefile(root / "b.py")


def test_no_place_for_the_journal(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    (tmp_path / "file").touch()

    done = apply(root, ".", XDG_STATE_HOME=str(tmp_path / "file"))

    assert_told(done, "error: a.py: ", "journal")
    assert contents(root) == {"a.py": BAD, "pyproject.toml": b""}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("--diff", "."), ("-",)], ids=" ".join)
def test_full_disk_under_stdout(arguments: tuple[str, ...], tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})

    with open("/dev/full", "wb") as full:
        command = [sys.executable, *CODEMODS, "apply", *arguments]
        done = subprocess.run(command, cwd=root, env=environment(), input=BAD, stdout=full, stderr=subprocess.PIPE)

    assert done.returncode == 2
    told = [line for line in done.stderr.decode().splitlines() if os.strerror(errno.ENOSPC) in line]
    assert len(told) == 1
    assert told[0].startswith("error: ")
    assert b"Exception ignored" not in done.stderr
    assert python_sources(root) == {"a.py": BAD}


# -- Ctrl-C

# Runs at the start of every Python that finds it: sends a signal in the middle of the work, always at the same call.
# Each call leaves a byte in a file beside it; those behind the first signal take their time, so that one can see
# whether the work goes on.
STRIKE = """
import os, pathlib, signal, time
from contextlib import suppress

here = pathlib.Path(__file__).parent
real, calls = {owner}.{name}, []

def once(at):
    with suppress(FileExistsError):
        os.close(os.open(here / str(at), os.O_CREAT | os.O_EXCL))
        return True

def struck(*arguments, **options):
    calls.append(1)
    with open(here / "calls", "ab") as stream:
        stream.write(b".")
    if len(calls) in {moments} and once(len(calls)):
        os.{send}, signal.{signal})
    elif {slow} and (here / str({moments}[0])).exists():
        time.sleep({slow})
    return real(*arguments, **options)

{owner}.{name} = struck
"""
MANY = {f"{number:02}.py": BAD for number in range(12)}
INTERRUPTED = "interrupted; no file is half written"


def struck(
    root: Path,
    call: str,
    *moments: int,
    arguments: tuple[str, ...] = (),
    number: signal.Signals = signal.SIGINT,
    slow: float = 0,
) -> tuple[int, list[str]]:
    """Run apply in a session of its own; at these calls, counted in each process, it is sent a signal.

    Every process of the run is to be gone when the run is; what is left is killed.
    """
    owner, _, name = call.rpartition(".")
    hooks = root.parent / "hooks"
    hooks.mkdir()
    send = "killpg(os.getpgrp()" if number == signal.SIGINT else "kill(os.getpid()"
    text = STRIKE.format(owner=owner, name=name, moments=moments, send=send, signal=number.name, slow=slow)
    (hooks / "sitecustomize.py").write_text(text)
    process = subprocess.Popen(
        [sys.executable, *CODEMODS, "apply", *arguments, "."],
        cwd=root,
        env=environment(PYTHONPATH=f"{hooks}{os.pathsep}{ROOT}"),
        stdout=subprocess.DEVNULL,
        stderr=(root.parent / "stderr").open("wb"),
        start_new_session=True,
    )
    code = process.wait(timeout=30)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        left = False
    else:
        left = True
    assert not left, "the run has left processes behind"
    lines = (root.parent / "stderr").read_text().splitlines()
    return code, [line for line in lines if line]


@pytest.mark.parametrize(
    ("call", "moment", "some"),
    [
        ("os.fdopen", 5, False),
        ("os.fsync", 1, False),
        ("os.fsync", 10, True),
        ("os.replace", 1, True),
        ("os.replace", 4, True),
    ],
)
def test_ctrl_c(call: str, moment: int, some: bool, tmp_path: Path) -> None:
    root = project(tmp_path, MANY)

    assert struck(root, call, moment) == (130, [INTERRUPTED])

    left = contents(root)
    assert left.pop("pyproject.toml") == b""
    assert set(left) == set(MANY)
    assert set(left.values()) == ({BAD, GOOD} if some else {BAD})
    assert undo(root).code == (0 if some else 2)
    assert python_sources(root) == MANY


@pytest.mark.parametrize("moments", [(12,), (12, 16)], ids=["once", "twice"])
def test_ctrl_c_ends_the_workers_too(moments: tuple[int, ...], tmp_path: Path) -> None:
    # The first file says that there is something to look for, so the others are read by workers only.
    many = {"0.py": b"import pipecat\n", **{f"{number:03}.py": BAD for number in range(400)}}
    root = project(tmp_path, many)

    how = struck(root, "os.fdopen", *moments, arguments=("--jobs", "3"), slow=0.01)

    assert how == (130, [INTERRUPTED])
    assert python_sources(root) == many
    assert (tmp_path / "hooks" / "calls").stat().st_size < len(many)


def test_ctrl_c_lets_files_that_belong_together_land_together(tmp_path: Path) -> None:
    root = project(tmp_path, TOGETHER)

    assert struck(root, "os.replace", 2, arguments=("--target", "1.2")) == (130, [INTERRUPTED])

    assert python_sources(root) in (TOGETHER, TOGETHER_MENDED)


@pytest.mark.parametrize(("call", "moment"), [("os.fsync", 10), ("os.replace", 4)])
def test_sudden_death(call: str, moment: int, tmp_path: Path) -> None:
    root = project(tmp_path, MANY)

    assert struck(root, call, moment, number=signal.SIGKILL) == (-signal.SIGKILL, [])

    left = python_sources(root)
    assert set(left) == set(MANY)
    assert set(left.values()) == {BAD, GOOD}
    assert undo(root).code == 0
    assert python_sources(root) == MANY


# -- names

NASTY = ["a\nb.py", "a\x1b[31m.py", "a\x1b]0;x\x07.py", "a\r.py", "\u202ea.py", "\udcff.py"]
RAW = [b"\x1b", b"\x07", b"\r", "\u202e".encode(), b"\xff"]


def assert_nothing_raw(*printed: bytes) -> None:
    """Hold what was printed against everything that acts on a terminal or breaks a line."""
    assert [raw for raw in RAW if raw in b"".join(printed)] == []


def test_nasty_names_are_not_printed_raw(tmp_path: Path) -> None:
    root = project(tmp_path, dict.fromkeys(NASTY, BAD) | {f"broken {name}": b"(\n" for name in NASTY})

    looked = check(root, ".")
    mended = apply(root, ".")
    taken_back = undo(root)

    assert_nothing_raw(looked.out, looked.err, mended.out, mended.err, taken_back.out, taken_back.err)
    assert (looked.code, mended.code, taken_back.code) == (2, 2, 0)
    assert len(looked.errors) == len(mended.errors) == len(NASTY)
    assert sum(b": unguarded-cr-code " in line for line in looked.out.splitlines()) == len(NASTY)
    assert sum(line.endswith(b": mended 1 finding") for line in mended.out.splitlines()) == len(NASTY)
    assert sum(line.startswith(b"restored ") for line in taken_back.out.splitlines()) == len(NASTY)
    assert {name: (root / name).read_bytes() for name in NASTY} == dict.fromkeys(NASTY, BAD)


def test_nasty_names_are_mended(tmp_path: Path) -> None:
    root = project(tmp_path, dict.fromkeys(NASTY, BAD))

    done = apply(root, "--output-format", "json", *map(os.fsencode, NASTY))

    assert (done.code, done.err) == (1, b"")
    assert_nothing_raw(done.out)
    assert sorted(one["path"] for one in done.report["files"]) == sorted(NASTY)
    assert python_sources(root) == dict.fromkeys(NASTY, GOOD)


@pytest.mark.parametrize(
    "arguments",
    [["{}"], ["--output-file", "{}/x", "a.py"], ["--target", "{}"], ["--select", "{}"], ["--{}"]],
    ids=" ".join,
)
def test_nasty_arguments_are_not_printed_raw(arguments: list[str], tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})

    done = check(root, *(os.fsencode(argument.format("".join(NASTY))) for argument in arguments))

    assert_told(done)
    assert_nothing_raw(done.out, done.err)


def test_a_project_in_a_nasty_place(tmp_path: Path) -> None:
    root = project(
        tmp_path, {"a.py": BAD, "pyproject.toml": "[tool.pipecat-codemods]\nslect = []\n"}, "a\x1b]0;\x07\nb"
    )

    done = check(root, ".")

    assert_told(done, "'slect'")
    assert_nothing_raw(done.out, done.err)


def test_a_source_that_talks_to_the_terminal(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": b"def f(c):\n    return '\x1b]0;x\x07', c.cr_code.co_name  # \xe2\x80\xae\r\n"})

    done = check(root, ".")

    assert done.code == 1
    assert_nothing_raw(done.out, done.err)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_cannot_show_every_character(encoding: str, tmp_path: Path) -> None:
    source = "def f(c):\n    return 'é→', c.cr_code.co_name, c.cr_frame.f_lineno\n"
    root = project(tmp_path, {"é→.py": source})

    done = apply(root, ".", PYTHONIOENCODING=encoding)

    assert (done.code, done.err) == (1, b"")
    assert done.out.splitlines()[-1].endswith(b"1 mended in 1 file, 1 needs a human.")


def test_a_repository_that_is_none(tmp_path: Path) -> None:
    root = project(tmp_path, {**OTHERS, ".git": "gitdir: nowhere\n"})
    assert git(root, "status").returncode != 0

    done = apply(root, ".")

    assert (done.code, done.err) == (1, b"")
    assert python_sources(root) == MENDED
