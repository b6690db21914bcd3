"""Writes files whole or not at all, and keeps what is needed to take a run back.

A run's folder in the user's state directory holds the old bytes of each file, written and synced before the file
itself is replaced, so that a run stopped at any moment can be undone.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

_KEPT_RUNS = 20
# How long a run waits while another one writes files. What a run writes at a time takes moments.
_PATIENCE = 20.0


class NotWritten(Exception):
    """A file that was left as it was; the message says why in one line."""

    def __init__(self, path: Path, reason: str):
        super().__init__(reason)
        self.path = path


class Change(NamedTuple):
    """New bytes for a file that is expected to hold the old ones."""

    path: Path
    before: bytes
    after: bytes


class Entry(TypedDict):
    """A changed file in the journal: its names, the first one the file itself, and the digests of its bytes."""

    names: list[str]
    before: str
    after: str


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
        self._kept: set[str] = set()

    def write(self, changes: Sequence[Change], siblings: Callable[[], Iterable[Path]]) -> None:
        """Write files that belong together: all of them, or none.

        ``siblings`` gives the files in which other hard links to a changed file are looked for.

        Raises:
            NotWritten: a file cannot be written or has changed; every file is as it was.
        """
        changes = [change for change in changes if not is_done_under_another_name(change)]
        if not changes:
            return
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(self._runs):
                for change in changes:
                    _check_writable(change)
                folder = self._record(changes, siblings)
                with _signals_wait():
                    _replace_all(changes, siblings, folder)
        except OSError as error:
            reason = f"the journal cannot be written: {error.strerror or error}"
            raise NotWritten(changes[0].path, reason) from None

    def _record(self, changes: Sequence[Change], siblings: Callable[[], Iterable[Path]]) -> Path:
        folder = self._begin()
        for change in changes:
            # Bytes that are kept are not written again: that would begin by emptying them.
            if (kept := digest(change.before)) not in self._kept:
                _write_synced(folder / kept, change.before)
                self._kept.add(kept)
        with (folder / "changes.jsonl").open("a", encoding="utf-8") as stream:
            for change in changes:
                entry: Entry = {
                    "names": [_to_text(name) for name in _names(change.path, siblings)],
                    "before": digest(change.before),
                    "after": digest(change.after),
                }
                # On a line of its own even where a full disk has cut the one above.
                stream.write("\n" + json.dumps(entry) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        _sync_folder(folder)
        return folder

    def _begin(self) -> Path:
        if self._folder is None:
            earlier = sorted(self._runs.iterdir())
            folder = self._runs / f"{_next_number(earlier):020d}-{secrets.token_hex(4)}"
            folder.mkdir(mode=0o700)
            (folder / "cwd").write_bytes(os.fsencode(os.getcwd()))
            _sync_folder(self._runs)
            self._folder = folder
            for entry in _entries(earlier[-1]) if earlier else ():
                _finish(entry, earlier[-1])
            for old in earlier[: 1 - _KEPT_RUNS]:
                shutil.rmtree(old, ignore_errors=True)
        return self._folder


def _next_number(earlier: Sequence[Path]) -> int:
    """Return the time, or a number above the last run's where the clock has gone back since."""
    last = earlier[-1].name.partition("-")[0] if earlier else ""
    return max(time.time_ns(), int(last) + 1 if last.isdecimal() else 0)


@contextmanager
def _one_at_a_time(runs: Path) -> Generator[None]:
    """Wait for another run of the same user to have written its files, and keep others waiting.

    Raises:
        OSError: it takes too long.
    """
    handle = os.open(runs, os.O_RDONLY)
    try:
        end = time.monotonic() + _PATIENCE
        while not _locked(handle):
            if time.monotonic() > end:
                raise OSError(errno.EAGAIN, "another run does not come to its end")
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


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


def is_done_under_another_name(change: Change) -> bool:
    """Tell whether a file with several names got its new bytes already."""
    try:
        return change.path.stat().st_nlink > 1 and change.path.read_bytes() == change.after
    except OSError:
        return False


class _Staged(NamedTuple):
    """A change with its new bytes on disk beside each of the file's names, and the old ones if it may be taken back."""

    change: Change
    names: list[Path]
    new: list[str]
    old: list[str]


def _replace_all(changes: Sequence[Change], siblings: Callable[[], Iterable[Path]], run: Path) -> None:
    """Put new bytes in the place of files, each in one step; mode, owner, links and what they point to are kept.

    The hidden files beside them are named after the run's folder, so that it can be told what a killed one has left.

    All that needs room on the disk is done before the first file is touched, so that taking back the first ones,
    should a later one fail, needs none.
    """
    staged: list[_Staged] = []
    done: list[_Staged] = []
    current = changes[0]
    try:
        for current in changes:
            staged.append(_stage(current, siblings, run, restorable=len(changes) > 1))
        for one in staged:
            current = one.change
            if one.names[0].read_bytes() != current.before:
                raise NotWritten(current.path, "changed while the run was under way")
            done.append(one)
            for new, name in zip(one.new, one.names, strict=True):
                os.replace(new, name)
            _sync_folder(one.names[0].parent)
    except (OSError, NotWritten) as error:
        for one in done:
            _restore(one)
        if isinstance(error, NotWritten):
            raise
        raise NotWritten(current.path, f"cannot be written: {error.strerror or error}") from None
    finally:
        for leftover in (name for one in staged for name in (*one.new, *one.old)):
            with suppress(OSError):
                os.unlink(leftover)


def _stage(change: Change, siblings: Callable[[], Iterable[Path]], run: Path, *, restorable: bool) -> _Staged:
    names = _names(change.path, siblings)
    status = names[0].stat()
    if len(names) != status.st_nlink:
        reason = f"has {status.st_nlink - len(names)} hard link(s) outside the project"
        raise NotWritten(change.path, reason)
    staged = _Staged(change, names, [], [])
    try:
        _copy_beside(names, change.after, status, run, "new", staged.new)
        if len(names) > 1:
            # The old file itself, so that taking back joins its names again.
            for name in names:
                os.link(names[0], _hidden_beside(name, run, "old"))
                staged.old.append(str(_hidden_beside(name, run, "old")))
        elif restorable:
            _copy_beside(names, change.before, status, run, "old", staged.old)
    except BaseException:
        for leftover in (*staged.new, *staged.old):
            with suppress(OSError):
                os.unlink(leftover)
        raise
    return staged


def _copy_beside(
    names: Sequence[Path], data: bytes, status: os.stat_result, run: Path, kind: str, made: list[str]
) -> None:
    """Write bytes to a hidden file beside each name, all of them links to one file that is like the original."""
    first = _hidden_beside(names[0], run, kind)
    handle = os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    made.append(str(first))
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(OSError):
                os.fchown(stream.fileno(), status.st_uid, status.st_gid)
        # Last, since a change of owner clears the set-user-ID bits.
        os.fchmod(stream.fileno(), stat.S_IMODE(status.st_mode))
        os.fsync(stream.fileno())
    for name in names[1:]:
        link = _hidden_beside(name, run, kind)
        os.link(first, link)
        made.append(str(link))


def _hidden_beside(name: Path, run: Path, kind: str) -> Path:
    """Return where a run puts the ``new`` or the ``old`` bytes of a file until they take its name."""
    whole = os.fsencode(name.name)
    begins = whole[:100].decode(errors="ignore")  # a file's name has 255 bytes at most
    return name.with_name(f".{begins}.{digest(whole)[:8]}-{run.name.rpartition('-')[2]}-{kind}.codemods")


def _finish(entry: Entry, run: Path) -> None:
    """Clear up behind a run that was killed: no hidden file is left, and all names of a file are the same one again."""
    names = [_from_text(name) for name in entry["names"]]
    left = [hidden for name in names for kind in ("new", "old") if (hidden := _hidden_beside(name, run, kind)).exists()]
    with suppress(OSError):
        if left and len(names) > 1:
            _switch_the_rest(names, entry, run)
    for hidden in left:
        with suppress(OSError):
            os.unlink(hidden)


def _switch_the_rest(names: Sequence[Path], entry: Entry, run: Path) -> None:
    """Give the file that some of several names were switched to the others too, unless they hold something else."""
    held = [digest(name.read_bytes()) for name in names]
    if entry["after"] in held:
        switched = names[held.index(entry["after"])]
        for name in (name for name, now in zip(names, held, strict=True) if now == entry["before"]):
            link = _hidden_beside(name, run, "last")
            os.link(switched, link)
            os.replace(link, name)


def _restore(one: _Staged) -> None:
    for old, name in zip(one.old, one.names, strict=False):
        with suppress(OSError):
            os.replace(old, name)


def _names(path: Path, siblings: Callable[[], Iterable[Path]]) -> list[Path]:
    """Return the file a path leads to, and its other hard links among the siblings; each is switched by itself."""
    target = Path(os.path.realpath(path))
    status = target.stat()
    names = [target]
    if status.st_nlink > 1:
        for other in siblings():
            with suppress(OSError):
                here = other.stat(follow_symlinks=False)
                if (here.st_dev, here.st_ino) == (status.st_dev, status.st_ino) and other != target:
                    names.append(other)
    return names


def _to_text(path: Path) -> str:
    return os.fsencode(path).decode("latin-1")


def _from_text(text: str) -> Path:
    return Path(os.fsdecode(text.encode("latin-1")))


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
            with _one_at_a_time(runs):
                return _take_back(run, entries)
    return None


def _entries(run: Path) -> list[Entry]:
    entries: list[Entry] = []
    with suppress(OSError):
        for line in (run / "changes.jsonl").read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):  # the last line of a run that was killed
                entries.append(json.loads(line))
    return entries


def _concerns(run: Path, entries: Sequence[Entry], roots: Sequence[Path]) -> bool:
    started = Path(os.fsdecode((run / "cwd").read_bytes())) if (run / "cwd").exists() else None
    return any(
        started == root or any(_from_text(entry["names"][0]).is_relative_to(root) for entry in entries)
        for root in roots
    )


def _take_back(run: Path, entries: Sequence[Entry]) -> Undone:
    done = Undone([], [])
    for entry in entries:
        _finish(entry, run)
    for entry in reversed(entries):
        names = [_from_text(name) for name in entry["names"]]
        path = names[0]
        try:
            current = path.read_bytes()
            if digest(current) == entry["before"]:
                continue
            if digest(current) != entry["after"]:
                raise NotWritten(path, "was changed since")
            change = Change(path, current, (run / entry["before"]).read_bytes())
            if digest(change.after) != entry["before"]:
                raise NotWritten(path, "cannot be restored: what was kept of it is damaged")
            _check_writable(change)
            _replace_all([change], lambda names=names: names, run)
            done.restored.append(path)
        except NotWritten as refusal:
            done.refused.append((path, str(refusal)))
        except OSError as error:
            done.refused.append((path, f"cannot be restored: {error.strerror or error}"))
    if not done.refused:
        shutil.rmtree(run, ignore_errors=True)
    return done
