"""Writes files whole or not at all, and keeps what is needed to take a run back.

A run's folder in the user's state directory holds the old bytes of each file, written and synced before the file
itself is replaced, so that a run stopped at any moment can be undone.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT_RUNS = 20


class NotWritten(Exception):
    """A file that was left as it was; the message says why in one line."""

    def __init__(self, path: Path, reason: str):
        super().__init__(reason)
        self.path = path


@dataclass(frozen=True, slots=True)
class Change:
    """New bytes for a file that is expected to hold the old ones."""

    path: Path
    before: bytes
    after: bytes


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def state_folder() -> Path:
    """Return the folder that holds the journals of all runs."""
    from platformdirs import user_state_path

    return user_state_path("pipecat-codemods") / "runs"


# -- writing


class Journal:
    """The record of one run, begun with its first change."""

    def __init__(self, folder: Path | None = None):
        self._runs = folder or state_folder()
        self._folder: Path | None = None

    def write(self, changes: Sequence[Change], siblings: Callable[[], Iterable[Path]]) -> None:
        """Write files that belong together: all of them, or none.

        ``siblings`` gives the files in which other hard links to a changed file are looked for.

        Raises:
            NotWritten: a file cannot be written or has changed; every file is as it was.
        """
        for change in changes:
            _check_writable(change)
        try:
            self._record(changes)
        except OSError as error:
            reason = f"the journal cannot be written: {error.strerror or error}"
            raise NotWritten(changes[0].path, reason) from None
        with _signals_wait():
            written: list[Change] = []
            try:
                for change in changes:
                    _replace(change, siblings)
                    written.append(change)
            except NotWritten:
                for change in reversed(written):
                    with suppress(NotWritten):
                        _replace(Change(change.path, change.after, change.before), siblings)
                raise

    def _record(self, changes: Sequence[Change]) -> None:
        folder = self._begin()
        for change in changes:
            _write_synced(folder / digest(change.before), change.before)
        with (folder / "changes.jsonl").open("a", encoding="utf-8") as stream:
            for change in changes:
                entry = {
                    "path": os.fsencode(os.path.realpath(change.path)).decode("latin-1"),
                    "before": digest(change.before),
                    "after": digest(change.after),
                }
                stream.write(json.dumps(entry) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _begin(self) -> Path:
        if self._folder is None:
            folder = self._runs / f"{time.time_ns():020d}-{secrets.token_hex(4)}"
            folder.mkdir(parents=True, mode=0o700)
            (folder / "cwd").write_bytes(os.fsencode(os.getcwd()))
            self._folder = folder
            for old in sorted(self._runs.iterdir())[:-_KEPT_RUNS]:
                shutil.rmtree(old, ignore_errors=True)
        return self._folder


def _check_writable(change: Change) -> None:
    path = change.path
    try:
        status = path.stat()
        if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
            raise NotWritten(path, "is read-only")
        folder = Path(os.path.realpath(path)).parent
        if not folder.stat().st_mode & 0o222 or not os.access(folder, os.W_OK):
            raise NotWritten(path, f"its folder {folder} is read-only")
        if path.read_bytes() != change.before:
            raise NotWritten(path, "changed while the run was under way")
    except OSError as error:
        raise NotWritten(path, f"cannot be written: {error.strerror or error}") from None


def _replace(change: Change, siblings: Callable[[], Iterable[Path]]) -> None:
    """Put new bytes in a file's place in one step, its mode, owner, links and what they point to kept."""
    target = Path(os.path.realpath(change.path))
    temporary: list[str] = []
    try:
        status = target.stat()
        names = _hard_links(target, status, siblings) if status.st_nlink > 1 else [target]
        handle, first = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
        temporary.append(first)
        with os.fdopen(handle, "wb") as stream:
            stream.write(change.after)
            stream.flush()
            os.fchmod(stream.fileno(), stat.S_IMODE(status.st_mode))
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(OSError):
                    os.fchown(stream.fileno(), status.st_uid, status.st_gid)
            os.fsync(stream.fileno())
        for name in names[1:]:
            link = f"{name}.{secrets.token_hex(4)}"
            os.link(first, link)
            temporary.append(link)
        if target.read_bytes() != change.before:
            raise NotWritten(change.path, "changed while the run was under way")
        for name, new in zip(reversed(names), reversed(temporary), strict=True):
            os.replace(new, name)
        temporary.clear()
        _sync_folder(target.parent)
    except OSError as error:
        raise NotWritten(change.path, f"cannot be written: {error.strerror or error}") from None
    finally:
        for leftover in temporary:
            with suppress(OSError):
                os.unlink(leftover)


def _hard_links(target: Path, status: os.stat_result, siblings: Callable[[], Iterable[Path]]) -> list[Path]:
    """Return every name of a file; all must be known, since each is switched to the new file by itself."""
    names = [target]
    for other in siblings():
        with suppress(OSError):
            here = other.stat(follow_symlinks=False)
            if (here.st_dev, here.st_ino) == (status.st_dev, status.st_ino) and other != target:
                names.append(other)
    if len(names) != status.st_nlink:
        reason = f"has {status.st_nlink - len(names)} hard link(s) outside the project"
        raise NotWritten(target, reason)
    return names


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _signals_wait() -> Generator[None]:
    """Hold back Ctrl-C and a polite kill until files that belong together are all in place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []

    def note(number: int, _frame: Any) -> None:
        pending.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for number in pending:
            signal.raise_signal(number)


# -- undoing


@dataclass(slots=True)
class Undone:
    """What an undo did: the files it restored, and those it refused with the reason."""

    restored: list[Path]
    refused: list[tuple[Path, str]]


def undo(places: Sequence[Path], folder: Path | None = None) -> Undone | None:
    """Take back the last run that changed a file below one of the places, or that was started in one of them.

    Returns None where there is none. A file that was changed since is refused; it and the journal stay as they are.
    """
    runs = folder or state_folder()
    try:
        names = sorted(runs.iterdir(), reverse=True)
    except OSError:
        return None
    roots = [Path(os.path.realpath(place)) for place in places]
    for run in names:
        entries = _entries(run)
        if entries and _concerns(run, entries, roots):
            return _take_back(run, entries)
    return None


def _entries(run: Path) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    with suppress(OSError):
        for line in (run / "changes.jsonl").read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):  # the last line of a run that was killed
                entries.append(json.loads(line))
    return entries


def _path_of(entry: Mapping[str, str]) -> Path:
    return Path(os.fsdecode(entry["path"].encode("latin-1")))


def _concerns(run: Path, entries: Sequence[Mapping[str, str]], roots: Sequence[Path]) -> bool:
    started = Path(os.fsdecode((run / "cwd").read_bytes())) if (run / "cwd").exists() else None
    return any(started == root or any(_path_of(entry).is_relative_to(root) for entry in entries) for root in roots)


def _take_back(run: Path, entries: Sequence[Mapping[str, str]]) -> Undone:
    done = Undone([], [])
    for entry in reversed(entries):
        path = _path_of(entry)
        try:
            current = path.read_bytes()
            if digest(current) == entry["before"]:
                continue
            if digest(current) != entry["after"]:
                raise NotWritten(path, "was changed since")
            change = Change(path, current, (run / entry["before"]).read_bytes())
            _check_writable(change)
            _replace(change, path.parent.iterdir)
            done.restored.append(path)
        except NotWritten as refusal:
            done.refused.append((path, str(refusal)))
        except OSError as error:
            done.refused.append((path, f"cannot be restored: {error.strerror or error}"))
    if not done.refused:
        shutil.rmtree(run, ignore_errors=True)
    return done
