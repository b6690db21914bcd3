"""Kills runs at random moments, and counts what became of the files.

``python -m tests.faults --runs 1000`` does so for long, ``test_faults`` for some runs. Each run mends a small tree that
has all a tree can have: files that belong together, hard links, symbolic links, odd names, encodings and newlines.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from checks.report import Ledger
from checks.session import Request
from codemods import apply
from codemods.__main__ import main as run_codemods
from codemods.journal import Journal, undo
from tests.cases import FIXTURES, cases, contents
from tests.running import BAD, CODEMODS, TOGETHER, environment

TARGET = "1.14.0"
# What of the fixtures is in the tree: enough of every kind of edit, and no more than a run mends in a second.
RULES = ("became-async", "deprecated-name", "unguarded-cr-code")
LEFT = ".codemods"


class Lost(AssertionError):
    """A file that is neither old nor new, or that cannot be taken back."""


@dataclass
class Tally:
    """What was seen: runs, how many of them were killed before the end, and in what state that left the tree."""

    runs: int = 0
    killed: int = 0
    between: int = 0
    files: int = 0
    lost: int = 0
    left: int = 0
    ends: Counter[int] = field(default_factory=Counter[int])


def tree(root: Path) -> None:
    """Make the tree that runs are killed on."""
    root.mkdir(parents=True)
    (root / "pyproject.toml").touch()
    for rule in RULES:
        for case in [case for case in cases(rule) if case.changes][:1]:
            shutil.copytree(FIXTURES / rule / case.folder.name / "before", root / rule / case.folder.name)
    for name, data in TOGETHER.items():
        place = root / "together" / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
    odd = root / "odd"
    odd.mkdir()
    (odd / "crlf\n.py").write_bytes(BAD.replace(b"\n", b"\r\n"))
    (odd / "\udcff.py").write_bytes(b"\xef\xbb\xbf" + BAD)
    (odd / "same.py").write_bytes(BAD)
    (odd / "twin.py").write_bytes(BAD)
    (odd / f"{'長' * 83}.py").write_bytes(BAD)
    (odd / "first.py").write_bytes(BAD + b"# one file\n")
    for name in ("second.py", "third.py"):
        (odd / name).hardlink_to(odd / "first.py")
    (odd / "link.py").symlink_to("same.py")
    (odd / "loop.py").symlink_to("loop.py")
    (odd / "round").symlink_to("..")


def apply_here(root: Path, journal: Path) -> Ledger:
    """Mend a tree in this process to the end."""
    plan = apply.mended(Request((str(root),), target=TARGET), unsafe=True, jobs=1)
    return apply.write(plan, Journal(journal))


def states(root: Path) -> dict[str, bytes]:
    """Return the bytes of every file but those that a killed run leaves hidden."""
    return {name: data for name, data in contents(root).items() if not name.endswith(LEFT)}


class Killer:
    """Kills runs on copies of one tree below a folder."""

    def __init__(self, folder: Path, random: Random):
        self.random = random
        self.folder = folder
        self.pristine = folder / "pristine"
        tree(self.pristine)
        self.old = states(self.pristine)
        done = self._copy("done")
        begin = time.monotonic()
        self.ledger = apply_here(done, folder / "journal-done")
        self.seconds = time.monotonic() - begin
        self.new = states(done)
        self.tally = Tally()

    def _copy(self, name: str) -> Path:
        root = self.folder / name
        shutil.copytree(self.pristine, root, symlinks=True)
        for name in ("second.py", "third.py"):
            (root / "odd" / name).unlink()
            (root / "odd" / name).hardlink_to(root / "odd" / "first.py")
        return root

    def strike(self, number: signal.Signals = signal.SIGKILL, *, fresh: bool = False) -> None:
        """Begin a run, send it a signal at a random moment, and hold what is left against what was promised.

        ``fresh``: in a Python of its own, else in a fork of this one, which takes the time that imports need.

        Raises:
            Lost: a promise does not hold.
        """
        root, state = self._copy("project"), self.folder / "state"
        journal = state / "pipecat-codemods" / "runs"
        arguments = ["apply", "--unsafe", "--target", TARGET, "--jobs", self.random.choice("112"), "."]
        process = _begun(root, state, arguments) if fresh else _forked(root, state, arguments)
        self._wait(process, journal, fresh=fresh)
        code = _ended(process, number)
        try:
            self._hold(root, journal, code, number)
        except Lost:
            self.tally.lost += 1
            raise
        finally:
            self.tally.runs += 1
            self.tally.files += len(self.old)
            self.tally.ends[code] += 1
            shutil.rmtree(root)
            shutil.rmtree(state, ignore_errors=True)

    def _wait(self, process: int, journal: Path, *, fresh: bool) -> None:
        """Wait for any moment of a run, or every other time for one while it writes."""
        span = self.seconds + (1.0 if fresh else 0.2)
        end = time.monotonic() + self.random.uniform(0, span)
        writes = self.random.random() < 0.5
        while time.monotonic() < end or writes:
            if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return
            if writes and journal.exists() and any(journal.iterdir()):
                time.sleep(self.random.uniform(0, 0.15))
                return
            time.sleep(0.001)

    def _hold(self, root: Path, journal: Path, code: int, number: signal.Signals) -> None:
        now = states(root)
        if set(now) != set(self.old):
            raise Lost(f"files came or went: {sorted(set(now) ^ set(self.old))}")
        torn = [name for name in now if now[name] not in (self.old[name], self.new[name])]
        if torn:
            raise Lost(f"neither old nor new: {torn}")
        left = [name for name in contents(root) if name.endswith(LEFT)]
        is_killed = code == -number or code == 130
        self.tally.killed += is_killed
        self.tally.between += now not in (self.old, self.new)
        self.tally.left += bool(left)
        if code not in (1, 130, -number):
            raise Lost(f"exit code {code}")
        if left and code != -signal.SIGKILL:
            raise Lost(f"left behind: {left}")
        if code == 1 and now != self.new:
            raise Lost("said to be done, and is not")
        if self.random.random() < 0.5:
            self._run_on(root, journal)
        self._take_back(root, journal)

    def _run_on(self, root: Path, journal: Path) -> None:
        """Run again after a kill: every file is whole, and a run that ends leaves no more to do than it says."""
        ledger = apply_here(root, journal)
        now = states(root)
        if any(now[name] not in (self.old[name], self.new[name]) for name in now if "together" not in name):
            raise Lost("a second run left a file neither old nor new")
        failed = {entry.path.relative_to(root).as_posix() for entry in ledger.entries if entry.failed}
        undone = {name for name in now if now[name] != self.new[name] and "together" not in name}
        if not undone <= failed | {"odd/link.py"}:
            raise Lost(f"a second run did not mend, and did not say so: {sorted(undone - failed)}")

    def _take_back(self, root: Path, journal: Path) -> None:
        for _ in range(3):
            done = undo([root], journal)
            if done is None:
                break
            if done.refused:
                raise Lost(f"undo refused {done.refused}")
        if contents(root) != self.old:
            raise Lost(f"undo left {sorted(n for n, data in contents(root).items() if data != self.old.get(n))}")
        if len({(root / "odd" / name).stat().st_ino for name in ("first.py", "second.py", "third.py")}) != 1:
            raise Lost("hard links were cut")


def _begun(root: Path, state: Path, arguments: list[str]) -> int:
    process = subprocess.Popen(
        [sys.executable, *CODEMODS, *arguments],
        cwd=root,
        env=environment(XDG_STATE_HOME=str(state)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process.returncode = 0  # it is waited for by its number
    return process.pid


def _forked(root: Path, state: Path, arguments: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for handle in range(3):
            os.dup2(nowhere, handle)
        os.chdir(root)
        os.environ["XDG_STATE_HOME"] = str(state)
        sys.argv = ["codemods", *arguments]
        run_codemods()
    finally:
        os._exit(4)


def _ended(process: int, number: signal.Signals) -> int:
    """Send a signal to a run and its workers, and return how it ended; what is left after ten seconds is killed."""
    try:
        os.killpg(process, number)
    except ProcessLookupError:  # it has no session of its own yet
        os.kill(process, number)
    end = time.monotonic() + 10
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < end:
        time.sleep(0.001)
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main() -> None:
    """Kill as many runs as asked for; exit code 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        os.environ["XDG_STATE_HOME"] = scratch
        killer = Killer(Path(scratch), random)
        for number in range(options.runs):
            try:
                killer.strike(random.choice([signal.SIGKILL] * 4 + [signal.SIGINT]), fresh=number % 10 == 0)
            except Lost as error:
                print(f"run {number}: {error}", flush=True)
            if number % 100 == 99:
                print(f"{number + 1} runs: {killer.tally}", file=sys.stderr, flush=True)
        tally = killer.tally
    print(
        f"{tally.runs} runs over {tally.files} files, {tally.killed} stopped before their end, {tally.between} with "
        f"some files old and some new, {tally.left} with hidden files left for undo; files lost: {tally.lost}"
    )
    print(f"exit codes: {dict(tally.ends)}")
    sys.exit(1 if tally.lost else 0)


if __name__ == "__main__":
    main()
