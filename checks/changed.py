"""Which lines changed since a commit: ``--since REF``.

A branch is compared with the commit at which it left REF, so what others have since done there does not count. What is
compared is the commit and the files as they are now, committed or not; a file that git does not know is new as a whole.

Git only hands out what the commit holds. A diff of its own would have it run the filters and converters that the
repository names, so the lines are compared here, their ends left out.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from checks.errors import UsageError
from checks.git import GitFailed, git
from checks.report import printable
from checks.source import Span, contents

# The first and the last line of a change, from 1; where lines were only taken out, the last comes before the first.
Lines: TypeAlias = tuple[int, int]
# Where a text has more lines than this, those that occur often are not used to find what stayed the same.
_MANY = 2000
_WHOLE: tuple[Lines, ...] = ((1, 2**62),)


class Changes(NamedTuple):
    """The files of a project that changed, each with its lines."""

    files: Mapping[Path, tuple[Lines, ...]]

    def touches(self, path: Path, span: Span) -> bool:
        """Tell whether any line of a span changed, or lines were taken out within it."""
        return any(span.line <= last and first <= span.end_line for first, last in self.files.get(path, ()))


def changes(ref: str, root: Path, files: Mapping[Path, bytes | None]) -> Changes:
    """Return what changed below a folder since a branch left a ref.

    ``files`` are the files to compare, each with what it holds; None: what is on disk.

    Raises:
        UsageError: no repository, no such ref, or git does not hand out what the commit holds.
    """
    base = _base(ref, root)
    try:
        kept = _blobs(base, root)
        names = {path: os.fsencode(os.path.relpath(path, root).replace(os.sep, "/")) for path in files}
        if any(name not in kept for name in names.values()):
            kept = {**{new: kept[old] for new, old in _renames(base, root) if old in kept}, **kept}
        now = {path: _bytes(path) if data is None else data for path, data in files.items()}
        differing = {
            path: kept[names[path]]
            for path, data in now.items()
            if data is not None and names[path] in kept and not _is_blob(data, kept[names[path]])
        }
        before = _contents(differing.values(), root)
    except GitFailed as error:
        raise UsageError(f"--since {printable(ref)}: {printable(str(error))}") from None
    found: dict[Path, tuple[Lines, ...]] = {}
    for path, data in now.items():
        if data is None or names[path] not in kept:
            found[path] = _WHOLE
        elif path in differing and (lines := tuple(changed_lines(before[differing[path]], data))):
            found[path] = lines
    return Changes(found)


def changed_lines(before: bytes, after: bytes) -> Iterator[Lines]:
    """Yield the changes that make one text of another, in order, by the lines of the latter."""
    old, new = before.splitlines(), after.splitlines()
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    many = max(len(old), len(new)) > _MANY
    for tag, _, _, start, end in difflib.SequenceMatcher(None, old, new, autojunk=many).get_opcodes():
        if tag != "equal":
            yield head + start + 1, head + end


def _bytes(path: Path) -> bytes | None:
    try:
        return contents(path)
    except OSError:
        return None  # the run says so


# -- git


def _base(ref: str, root: Path) -> str:
    """Return the commit at which the current branch left a ref."""
    told = f"--since {printable(ref)}"
    try:
        git(root, ("rev-parse", "--git-dir"))
    except GitFailed as error:
        where = printable(str(root))
        known = "not a git repository" in str(error)
        reason = f"{where} is in no git repository" if known else printable(str(error))
        raise UsageError(f"{told}: {reason}") from None
    if not ref or ref.startswith("-") or not ref.isprintable():
        raise UsageError(f"{told}: is no name of a commit")
    try:
        commit = _asked(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except GitFailed:
        raise UsageError(f"{told}: git knows no such commit here (in a shallow clone, fetch it first)") from None
    try:
        return _asked(root, "merge-base", commit, "HEAD")
    except GitFailed:
        hint = "in a shallow clone, fetch more of its history"
        raise UsageError(f"{told}: it has no commit in common with HEAD ({hint})") from None


def _asked(root: Path, *arguments: str) -> str:
    return git(root, arguments).decode().split("\n")[0].strip()


def _blobs(base: str, root: Path) -> dict[bytes, str]:
    """Return the files below a folder that a commit holds: their paths from there and the names of their contents."""
    found: dict[bytes, str] = {}
    for entry in git(root, ("ls-tree", "-r", "-z", base)).split(b"\0"):
        if entry:
            head, _, path = entry.partition(b"\t")
            _, kind, name = head.split()
            if kind == b"blob":
                found[path] = name.decode()
    return found


def _renames(base: str, root: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield new and old path of each file that was renamed since a commit, as far as the index knows."""
    plain = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
    raw = git(root, ("diff-index", "--cached", *plain, "--raw", "-z", "-M", "--diff-filter=R", "--relative", base))
    parts = iter(raw.split(b"\0"))
    for head in parts:
        if head.startswith(b":"):
            old, new = next(parts), next(parts)
            yield new, old


def _is_blob(data: bytes, name: str) -> bool:
    """Tell whether these bytes have a name in git's store."""
    kind = hashlib.sha1 if len(name) == 40 else hashlib.sha256
    return kind(b"blob %d\0" % len(data) + data).hexdigest() == name


def _contents(names: Iterable[str], root: Path) -> dict[str, bytes]:
    """Return the contents that git keeps under some names."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    out = git(root, ("cat-file", "--batch"), "".join(f"{name}\n" for name in wanted).encode())
    found: dict[str, bytes] = {}
    at = 0
    for name in wanted:
        end = out.index(b"\n", at)
        head = out[at:end].split()
        if len(head) != 3:
            raise GitFailed(f"git has not got {name} here (in a partial clone, fetch it first)")
        size = int(head[2])
        found[name] = out[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return found
