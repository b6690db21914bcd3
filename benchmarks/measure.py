"""Runs commands in turn and keeps what each run took: wall time, processor time and the peak of memory.

hyperfine runs all of one command before the next, so that a busy minute of the machine falls on one of them alone.
Here commands take turns (A B C, A B C, …), and a ratio is the median of the ratios within each turn.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

LIMIT = 1800.0  # seconds after which a run is ended and its command counts as failed


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, ``expected`` being the exit codes of a run that worked; ``before`` prepares each and is not timed.

    What is ``slow`` takes part in the first turn only, without a warm-up.
    """

    name: str
    argv: tuple[str, ...]
    expected: tuple[int, ...] = (0,)
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds of wall time, seconds of processor time with children, peak memory in MiB.

    The peak is that of the largest single process. What forked processes share is in each of them, so it is neither
    the sum nor less than what one process needs.
    """

    wall: float
    cpu: float
    peak: float


class Failed(Exception):
    """A command that did not end with an exit code it should; the message says how."""


@dataclass(slots=True)
class Timed:
    """A command's runs, or why they do not count."""

    name: str
    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None

    def median(self, what: str) -> float:
        """Return the median of ``wall``, ``cpu`` or ``peak``."""
        return median(getattr(sample, what) for sample in self.samples)


def run(command: Command, cwd: Path, environment: Mapping[str, str]) -> Sample:
    """Run a command once.

    Raises:
        Failed: its exit code is not an expected one, or it took longer than ``LIMIT``.
    """
    if command.before is not None:
        command.before()
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=cwd,
            env={**environment, **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        guard = threading.Timer(LIMIT, os.kill, (process.pid, 9))
        guard.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in command.expected:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise Failed(f"exit code {process.returncode}: {said[-1] if said else 'nothing on stderr'}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def alternate(commands: Sequence[Command], turns: int, cwd: Path, environment: Mapping[str, str]) -> dict[str, Timed]:
    """Run commands in turn, after a warm-up, and return what each took, by name. One that fails is not run again."""
    timed = {command.name: Timed(command.name) for command in commands}
    for number in range(-1, turns):
        for command in commands:
            one = timed[command.name]
            if one.failure is not None or (command.slow and number != 0):
                continue
            try:
                sample = run(command, cwd, environment)
            except (Failed, OSError) as failure:
                one.failure, one.samples = str(failure), []
                continue
            if number >= 0:
                one.samples.append(sample)
    return timed


def ratio(ours: Timed, theirs: Timed, what: str) -> float:
    """Return the median over all turns of what one command took by what the other took in the same turn."""
    return median(getattr(a, what) / getattr(b, what) for a, b in zip(ours.samples, theirs.samples, strict=False))
