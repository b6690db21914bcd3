"""Whatever happens to a run, every file is whole, old or new; the journal can take it back, and the ledger is true.

``test_bad_input`` has faults that hit one file; here they hit a whole run, at every moment there is.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checks.report import Ledger, Status
from checks.session import Request
from codemods import apply as engine
from codemods import journal
from codemods.journal import state_folder, undo
from tests import running
from tests.cases import contents
from tests.faults import Killer, states
from tests.running import BAD, CODEMODS, GOOD, ROOT, TOGETHER, TOGETHER_MENDED, apply, at_once, environment, project
from tests.test_bad_input import MANY, before_writing, run_here, struck

OLD = {**{f"{number}.py": BAD for number in range(3)}, **TOGETHER}
MENDED = {**dict.fromkeys((name for name in OLD if name[0].isdigit()), GOOD), **TOGETHER_MENDED}


def mend(root: Path) -> Ledger:
    """Mend a tree in this process."""
    plan = engine.mended(Request((str(root),), target="1.2.0"), unsafe=False, jobs=1)
    return engine.write(plan)


def sources(root: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(root).items() if name != "pyproject.toml"}


def assert_true(ledger: Ledger, root: Path, old: dict[str, bytes]) -> None:
    """Hold a ledger against the files: changed means changed, and what has failed is named."""
    now = sources(root)
    said = {entry.path.name: entry.status for entry in ledger.entries if entry.path.suffix == ".py"}
    assert said == {name: Status.CHANGED if now[name] != old[name] else Status.REFUSED for name in old}
    assert ledger.exit_code() == (2 if Status.REFUSED in said.values() else 1)


# -- runs that are killed


def test_runs_killed_at_random_moments(tmp_path: Path) -> None:
    """A few; ``python -m tests.faults`` makes a thousand."""
    killer = Killer(tmp_path, Random(0))

    for number in range(30):
        killer.strike(signal.SIGINT if number % 5 == 4 else signal.SIGKILL)

    assert killer.tally.killed > 5


@pytest.mark.parametrize("moment", range(1, 6))
def test_a_kill_between_the_names_of_a_file(moment: int, tmp_path: Path) -> None:
    """Undo joins them again, and so does the next run."""
    root = project(tmp_path, {"a.py": BAD})
    for name in ("b.py", "c.py"):
        (root / name).hardlink_to(root / "a.py")
    names = ["a.py", "b.py", "c.py"]

    code, _ = struck(root, "os.replace", min(moment, 3), number=signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert {data for name, data in contents(root).items() if name in names} <= {BAD, GOOD}
    if moment > 3:
        (root / "d.py").write_bytes(BAD)
        assert running.apply(root, "d.py").code == 1
        assert not [name for name in contents(root) if name.endswith(".codemods")]
        assert running.undo(root).code == 0
        (root / "d.py").unlink()

    assert running.undo(root).code == 0
    assert sources(root) == dict.fromkeys(names, BAD)
    assert len({(root / name).stat().st_ino for name in names}) == 1


def test_workers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    root = project(tmp_path, {f"{number:03}.py": BAD for number in range(300)})
    # A worker that is in the middle of a file notices when it is through with it.
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(
        "import pathlib, time\nreal = pathlib.Path.read_bytes\n"
        "pathlib.Path.read_bytes = lambda path: (time.sleep(0.02), real(path))[1]\n"
    )
    process = subprocess.Popen(
        [sys.executable, *CODEMODS, "apply", "--jobs", "3", "."],
        cwd=root,
        env=environment(PYTHONPATH=f"{hooks}{os.pathsep}{ROOT}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(1.5)
    process.kill()
    process.wait(timeout=10)
    try:
        for _ in range(500):
            os.killpg(process.pid, 0)
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    pytest.fail("workers have outlived the run")


@pytest.mark.parametrize("call", ["ast.parse", "libcst.parse_module"])
def test_a_worker_that_dies(call: str, tmp_path: Path) -> None:
    """While it reads, or while it mends, a file that crashes Python; all others are mended."""
    owner = call.partition(".")[0]
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(
        f"import os, signal, {owner}\nreal = {call}\n"
        "def dying(text, *arguments, **options):\n"
        "    if 'DEADLY' in (text if isinstance(text, str) else ''):\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        f"    return real(text, *arguments, **options)\n{call} = dying\n"
    )
    files = {**MANY, "05.py": BAD + b"# DEADLY\n"}
    root = project(tmp_path, files)

    done = apply(root, "--jobs", "2", ".", PYTHONPATH=f"{hooks}{os.pathsep}{ROOT}")

    assert done.code == 2
    assert [line.split(": ")[1] for line in done.errors] == ["05.py"]
    assert "ended the process" in done.errors[0]
    assert sources(root) == {**dict.fromkeys(MANY, GOOD), "05.py": BAD + b"# DEADLY\n"}


# -- calls that fail


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("fsync", errno.ENOSPC),
        ("replace", errno.EIO),
        ("link", errno.EPERM),
        ("open", errno.EACCES),
        ("fchmod", errno.EIO),
    ],
)
def test_every_call_that_may_fail(call: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call on the way fails once, and in another run it and all that follow."""
    real = getattr(os, call)
    for moment in range(1, 100):
        struck_once = False
        for then in (False, True):
            root = project(tmp_path, OLD, f"{moment}-{then}")
            (root / "twin.py").hardlink_to(root / "0.py")
            old = {**OLD, "twin.py": BAD}
            calls = 0

            def failing(*arguments: Any, then: bool = then, moment: int = moment, **options: Any) -> Any:
                nonlocal calls
                if call == "open" and os.path.isfile(arguments[0]) and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                    return real(*arguments, **options)  # what cannot be read is never mended
                calls += 1
                if calls == moment or (then and calls > moment):
                    raise OSError(number, os.strerror(number))
                return real(*arguments, **options)

            with monkeypatch.context() as patch:
                patch.setattr(os, call, failing)
                ledger = mend(root)
            struck_once = calls >= moment
            left = {name: data for name, data in sources(root).items() if not name.endswith(".codemods")}
            assert set(left) == set(old)
            assert {name for name in old if left[name] not in (old[name], {**MENDED, "twin.py": GOOD}[name])} == set()
            if call != "replace" or not then:  # else the first of them cannot be put back, but by undo
                assert {name: left[name] for name in TOGETHER} in (TOGETHER, TOGETHER_MENDED)
            if not then:
                assert_true(ledger, root, old)
            undo([root])
            assert sources(root) == old
            shutil.rmtree(state_folder(), ignore_errors=True)
        if not struck_once:
            return
    pytest.fail("it goes on for ever")


@pytest.mark.parametrize("moment", [*range(1, 9), 23])  # the last time the last file's bytes would be written anew
def test_a_disk_that_cuts_off_what_is_written_to_the_journal(
    moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fills up once; what was kept before, and is kept afterwards, can be restored all the same."""
    root = project(tmp_path, MANY)
    real, calls = os.fsync, 0

    def cut(handle: int) -> None:
        nonlocal calls
        size = os.fstat(handle).st_size
        if str(state_folder()) in os.readlink(f"/proc/self/fd/{handle}") and os.path.isfile(f"/proc/self/fd/{handle}"):
            calls += 1
            if calls == moment:
                os.ftruncate(handle, size - 20)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut)
        ledger = mend(root)
    assert_true(ledger, root, MANY)
    assert [entry.status for entry in ledger.entries].count(Status.REFUSED) == (calls >= moment)

    done = undo([root])

    assert done is not None
    assert done.refused == []
    assert sources(root) == MANY


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return an empty disk of 128 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=128k", "none", place], timeout=10).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", place], timeout=10, check=True)


@pytest.mark.parametrize("what", ["project", "journal"])
@pytest.mark.parametrize("free", range(0, 16, 3))
def test_a_disk_that_is_full(what: str, free: int, small_disk: Path, tmp_path: Path) -> None:
    """A real one, with some pages of 4 kB left for the tree, or for what is kept of it."""
    files = {f"{number:02}.py": BAD + b"# %d\n" % number * 300 for number in range(12)}
    root = project(small_disk if what == "project" else tmp_path, files)
    state = tmp_path / "state" if what == "project" else small_disk
    with (small_disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            filler.truncate(max(0, filler.tell() - 4096 * free))

    done = apply(root, ".", XDG_STATE_HOME=str(state))
    now = sources(root)
    (small_disk / "filler").unlink()

    changed = [name for name in files if now[name] == files[name].replace(running.OLD, running.NEW)]
    assert [name for name in files if name not in changed and now[name] != files[name]] == []
    assert [line.split(": ")[1] for line in done.errors] == [name for name in files if name not in changed]
    assert done.code == (1 if len(changed) == len(files) else 2)
    undo([root], state / "pipecat-codemods" / "runs")
    assert sources(root) == files


def test_permissions_that_change_on_the_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, {"a.py": BAD, "locked/b.py": BAD, "z.py": BAD})
    before_writing(monkeypatch, lambda: (root / "locked").chmod(0o555))

    done = run_here(root, capfd, monkeypatch, "apply", ".")
    (root / "locked").chmod(0o755)

    assert done.code == 2
    assert [line.split(": ")[1] for line in done.errors] == ["locked/b.py"]
    assert sources(root) == {"a.py": GOOD, "locked/b.py": BAD, "z.py": GOOD}


def test_what_is_kept_and_damaged_is_not_restored(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD})
    assert mend(root).exit_code() == 1
    (kept,) = state_folder().glob(f"*/{journal.digest(BAD)}")
    kept.write_bytes(BAD[:-5])

    done = running.undo(root)

    assert (done.code, done.errors) == (2, ["error: a.py: cannot be restored: what was kept of it is damaged"])
    assert sources(root) == {"a.py": GOOD}


# -- several runs


def test_runs_side_by_side(tmp_path: Path) -> None:
    """Each file is mended once, by one of them; another may come too late and says so."""
    root = project(tmp_path, {**MANY, **TOGETHER})
    mended = {**dict.fromkeys(MANY, GOOD), **TOGETHER_MENDED}

    done = at_once([lambda: apply(root, "--target", "1.2", ".")] * 4)

    assert sources(root) == mended
    assert {one.code for one in done} <= {0, 1, 2}
    assert {line.split(": ", 2)[2] for one in done for line in one.errors if "must change" not in line} <= {
        "changed while the run was under way"
    }
    for _ in range(4):
        undo([root])
    assert sources(root) == {**MANY, **TOGETHER}


def test_a_run_in_the_midst_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins when the first of two files has been replaced, and waits until the second has been too."""
    root = project(tmp_path, TOGETHER)
    plan = engine.mended(Request((str(root),), target="1.2.0"), unsafe=False, jobs=1)
    late = engine.mended(Request((str(root),), target="1.2.0"), unsafe=False, jobs=1)
    real = os.replace
    begun: list[subprocess.Popen[bytes]] = []
    script = (
        "import fcntl, os, sys, time\n"
        "handle = os.open(sys.argv[1], os.O_RDONLY)\n"
        "try:\n    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except BlockingIOError:\n    print('waits')\n"
    )

    def replace(*arguments: Any) -> None:
        real(*arguments)
        if not begun:
            command = [sys.executable, "-c", script, str(state_folder())]
            begun.append(subprocess.Popen(command, stdout=subprocess.PIPE))
            assert begun[0].communicate(timeout=20)[0] == b"waits\n"

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        assert engine.write(plan).exit_code() == 1
    assert begun

    assert engine.write(late).exit_code() == 2
    assert sources(root) == TOGETHER_MENDED
    assert undo([root]) is not None
    assert sources(root) == TOGETHER
    assert undo([root]) is None  # the late run has changed nothing


def test_a_run_that_does_not_end_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, {"a.py": BAD})
    state_folder().mkdir(parents=True)
    handle = os.open(state_folder(), os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    monkeypatch.setattr(journal, "_PATIENCE", 0.1)
    try:
        ledger = mend(root)
    finally:
        os.close(handle)
    assert_true(ledger, root, {"a.py": BAD})
    assert "another run" in next(entry.reason for entry in ledger.entries if entry.failed)


def test_a_clock_that_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo takes back the last run all the same, and no run throws away what it has just kept."""
    root = project(tmp_path, {})
    now = 2_000_000_000 * 10**9

    def back() -> int:
        nonlocal now
        now -= 10**12
        return now

    monkeypatch.setattr(time, "time_ns", back)
    for number in range(25):
        (root / f"{number}.py").write_bytes(BAD)
        assert mend(root).summary()["applied"] == 1
    for number in reversed(range(10)):
        done = undo([root])
        assert done is not None
        assert [path.name for path in done.restored] == [f"{number + 15}.py"]


# -- trees


def test_links_that_lead_round_in_circles(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "pkg/b.py": BAD})
    (root / "pkg" / "up").symlink_to("..")
    (root / "self.py").symlink_to("self.py")
    (root / "one.py").symlink_to("two.py")
    (root / "two.py").symlink_to("one.py")

    done = apply(root, ".")
    named = apply(root, "self.py", "one.py", "pkg/up")

    assert (done.code, done.err) == (1, b"")
    assert {name: (root / name).read_bytes() for name in ("a.py", "pkg/b.py")} == {"a.py": GOOD, "pkg/b.py": GOOD}
    assert named.code == 2
    assert sorted(line.split(": ")[1] for line in named.errors) == ["one.py", "self.py"]


def test_names_that_differ_in_case_only(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BAD})
    if (root / "BOT.PY").exists():
        pytest.skip("they are one file here")
    twins = {"Bot.py": BAD, "BOT.py": BAD + b"# mine\n", "Pkg/__init__.py": BAD, "pkg/__init__.py": BAD}
    for name, data in twins.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)

    assert apply(root, ".").code == 1
    assert sources(root) == {name: data.replace(BAD, GOOD) for name, data in {**twins, "bot.py": BAD}.items()}
    assert running.undo(root).code == 0
    assert sources(root) == {**twins, "bot.py": BAD}


def test_a_long_name(tmp_path: Path) -> None:
    """The hidden file beside it has a longer one, which no file system takes."""
    names = [f"{'長' * 84}.py", f"{'a' * 252}.py", f"{'é' * 126}.py"]
    root = project(tmp_path, dict.fromkeys(names, BAD))

    assert apply(root, ".").code == 1
    assert sources(root) == dict.fromkeys(names, GOOD)


def test_big_files(tmp_path: Path) -> None:
    """One of 100,000 lines is mended; one of 50 MB is named, and costs nothing else."""
    long = (b"# odd\n" * 19 + b"x = 1\n") * 5_000 + BAD
    root = project(tmp_path, {"long.py": long, "a.py": BAD})
    with (root / "vast.py").open("wb") as stream:
        for _ in range(50):
            stream.write(b"y = 1  # odd\n" * 80_660)

    done = apply(root, ".")

    assert done.code == 2
    assert done.errors == ["error: vast.py: cannot be read: larger than 16 MiB"]
    assert (root / "long.py").read_bytes() == long.replace(running.OLD, running.NEW)
    assert (root / "a.py").read_bytes() == GOOD


DEEP: dict[str, Callable[[int], str]] = {
    "parentheses": lambda depth: f"{'(' * depth}c.cr_code.co_name{')' * depth}",
    "lists": lambda depth: f"{'[' * depth}c.cr_code.co_name{']' * depth}",
    "calls": lambda depth: f"{'f(' * depth}c.cr_code.co_name{')' * depth}",
    "attributes": lambda depth: f"c.cr_code.co_name{'.x' * depth}",
    "subscripts": lambda depth: f"c.cr_code.co_name{'[0]' * depth}",
    "chained calls": lambda depth: f"c.cr_code.co_name{'.x()' * depth}",
    "negations": lambda depth: f"{'not ' * depth}c.cr_code.co_name",
    "sums": lambda depth: f"c.cr_code.co_name{' + 1' * depth}",
    "comparisons": lambda depth: f"c.cr_code.co_name{' < 1' * depth}",
    "lambdas": lambda depth: f"{'lambda: ' * depth}c.cr_code.co_name",
    "conditions": lambda depth: f"c.cr_code.co_name{' if x else 1' * depth}",
    "powers": lambda depth: f"c.cr_code.co_name{' ** 1' * depth}",
    "branches": lambda depth: (
        f"0\n    if c: pass\n{'    elif c.cr_code.co_name: pass' + chr(10)}" * 1 + "    elif c: pass\n" * depth
    ),
    "blocks": lambda depth: "0\n" + "".join(f"{' ' * n}if c:\n" for n in range(4, 4 + depth)) + " " * (4 + depth) + "c",
}


@pytest.mark.parametrize("depth", [90, 1000, 5000])
def test_nesting(depth: int, tmp_path: Path) -> None:
    """How deep Python and LibCST go differs; a file is mended, or named and left, and no other suffers."""
    deep = {
        f"{number}.py": f"def f(c):\n    return {text(depth)}\n".encode() for number, text in enumerate(DEEP.values())
    }
    root = project(tmp_path, {"a.py": BAD, "z.py": BAD, **deep})

    done = apply(root, "--output-format", "json", ".")

    named = {one["path"] for one in done.report["files"] if one["status"] in ("error", "refused")}
    now = sources(root)
    for name, data in deep.items():
        wanted = {data, data.replace(running.OLD, running.NEW)}
        assert now[name] in ({data} if name in named else wanted), DEEP
    assert (now["a.py"], now["z.py"]) == (GOOD, GOOD)
    assert done.code in (1, 2)
    assert len(done.errors) == len(named)


def test_the_ledger_as_json_is_whole_when_all_goes_wrong(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": BAD, "b.py": b"(\n", "c.py": b"\xff"})
    (tmp_path / "file").touch()

    done = apply(root, "--output-format", "json", ".", XDG_STATE_HOME=str(tmp_path / "file"))

    report = json.loads(done.out)
    assert done.code == 2
    assert {one["path"]: one["status"] for one in report["files"]} == {
        "a.py": "refused",
        "b.py": "error",
        "c.py": "error",
    }
    assert [one["applied"] for one in report["findings"]] == [False]
    assert states(root) == {"a.py": BAD, "b.py": b"(\n", "c.py": b"\xff", "pyproject.toml": b""}
