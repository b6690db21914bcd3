"""Findings that are known and put up with for now: ``--baseline FILE``.

The file holds one entry a line, sorted, after a first line that states its version, so that it merges line by line. An
entry names no line number: it is found again by what it is about, wherever that has moved to in its file, see ``Mark``.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

from checks.errors import UsageError
from checks.rule import Finding
from checks.source import Source, contents

VERSION = 1
HEADER = "pipecat-codemods-baseline"
_KEYS = ("path", "rule", "symbol", "scope", "code", "count")
# What a formatter may add, drop or replace without a change of meaning.
_FORM = re.compile(r"[\s()\\,;'\"]+")
_SYMBOL = re.compile(r"""(?:(?:async|def|class|from|import|await|return)\b|[@"'(\[{*]|\s)*([\w.-]+)""")
_Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Mark(NamedTuple):
    """What a finding is known by in its file.

    ``symbol``: the name its text begins with. ``scope``: the classes and functions around it, dotted. ``code``: a hash
    of its text, of a compound statement's the head; blanks, line breaks, comments, quotes, round brackets and commas do
    not count. What else stands on its lines does not count either, so that mending one finding leaves those beside it
    known.
    """

    rule: str
    symbol: str
    scope: str
    code: str


class Key(NamedTuple):
    """One kind of finding in one file; ``path`` is relative to the baseline's folder, with forward slashes."""

    path: str
    mark: Mark

    def __str__(self) -> str:
        where = f" in {self.mark.scope}" if self.mark.scope else ""
        return f"{self.path}: {self.mark.rule} {self.mark.symbol}{where}"


def marks(findings: Iterable[Finding], source: Source) -> tuple[Mark, ...]:
    """Return what each finding in a file is known by."""
    return tuple(_mark(finding, source) for finding in findings)


def _mark(finding: Finding, source: Source) -> Mark:
    at = finding.span
    start, end = source.offset(at.line, at.column), source.offset(at.end_line, at.end_column)
    scope, head_end = _around(start, source)
    text = _without_comments(start, min(end, head_end), source) or source.text[start:end]
    match = _SYMBOL.match(re.sub(r"\s*\.\s*", ".", text))
    symbol = match[1] if match else " ".join(text.split())[:40]
    digest = hashlib.sha256(_FORM.sub("", text).encode(errors="surrogatepass")).hexdigest()
    return Mark(finding.rule, symbol, ".".join(scope), digest[:12])


def _around(offset: int, source: Source) -> tuple[list[str], int]:
    """Return the names of what is defined around an offset, and where the next statement below it begins."""
    scope: list[str] = []
    around: ast.stmt | ast.ExceptHandler | None = None
    block, behind = _block(source.tree), len(source.text)
    while True:
        inner = next((part for part in block if _begin(part, source) <= offset < source.end(part)), None)
        if inner is None:
            return scope, min([behind, *(begin for part in block if (begin := _begin(part, source)) > offset)])
        if isinstance(around, _Definition):
            scope.append(around.name)
        around, block, behind = inner, _block(inner), source.end(inner)


def _block(node: ast.AST) -> list[ast.stmt | ast.ExceptHandler]:
    """Return the statements and handlers right below a node, in order."""
    parts: list[ast.stmt | ast.ExceptHandler] = []
    for name in ("body", "handlers", "orelse", "finalbody"):
        value = getattr(node, name, ())
        parts += value if isinstance(value, list) else ()
    for case in node.cases if isinstance(node, ast.Match) else ():
        parts += case.body
    return parts


def _begin(part: ast.stmt | ast.ExceptHandler, source: Source) -> int:
    """Return where a statement begins, its decorators included."""
    decorators = part.decorator_list if isinstance(part, _Definition) else []
    if decorators:
        return source.text.rindex("@", 0, source.start(decorators[0]))
    return source.start(part)


def _without_comments(start: int, end: int, source: Source) -> str:
    if not source.has_comment(start, end):
        return source.text[start:end]
    parts: list[str] = []
    for span, comment in source.comments:
        at = source.offset(span.line, span.column)
        if start <= at < end:
            parts.append(source.text[start:at])
            start = at + len(comment)
    return "".join([*parts, source.text[start:end]])


@dataclass(slots=True)
class Baseline:
    """The known findings of a project: each kind with how many there are.

    ``left`` counts those that no file of the run has shown so far, ``seen`` those found again under what they are known
    by now, ``new`` those found that are not known. ``grows``: whatever is found is known from then on.
    """

    path: Path
    grows: bool = False
    left: Counter[Key] = field(default_factory=Counter[Key])
    seen: Counter[Key] = field(default_factory=Counter[Key])
    new: Counter[Key] = field(default_factory=Counter[Key])

    @property
    def folder(self) -> Path:
        """The folder that the paths of the entries start from."""
        return self.path.parent

    def name_of(self, path: Path) -> str:
        """Return the path of a file as entries have it."""
        return os.path.relpath(path, self.folder).replace(os.sep, "/")

    def recognise(self, path: Path, found: Sequence[Mark]) -> list[bool]:
        """Tell of each finding of a file whether it is known; each entry speaks for as many as it counts.

        What no entry names may have moved: an entry of the same file speaks for the same code in another function, an
        entry of a file that is gone for the same code in another file.
        """
        keys = [Key(self.name_of(path), mark) for mark in found]
        known = [self._taken(key) for key in keys]
        for index, key in enumerate(keys):
            if not known[index]:
                known[index] = any(map(self._taken, self._moved(key)))
            (self.seen if known[index] else self.new)[key] += 1
        return [self.grows or is_known for is_known in known]

    def _taken(self, key: Key) -> bool:
        if self.left[key] <= 0:
            return False
        self.left[key] -= 1
        return True

    def _moved(self, key: Key) -> Iterator[Key]:
        alike = [
            other
            for other, count in sorted(self.left.items())
            if count > 0 and (other.mark.rule, other.mark.symbol, other.mark.code) == _content(key.mark)
        ]
        yield from (other for other in alike if other.path == key.path)
        yield from (other for other in alike if other.mark == key.mark and self.is_gone(other))

    def is_gone(self, key: Key) -> bool:
        """Tell whether the file of an entry does not exist any more."""
        return not os.path.lexists(self.folder / key.path)

    def stale(self, covers: Callable[[Path, str], bool]) -> list[tuple[Key, int]]:
        """Return the entries that count more than was found, with how many more.

        ``covers`` tells whether a file was looked at for a rule, if it exists.
        """
        return [
            (key, count)
            for key, count in sorted(self.left.items())
            if count > 0 and covers(Path(os.path.normpath(self.folder / key.path)), key.mark.rule)
        ]

    def updated(self, covers: Callable[[Path, str], bool]) -> Counter[Key]:
        """Return the entries without those that are stale, and with what is new if the baseline grows."""
        entries = self.left + self.seen
        entries.subtract(dict(self.stale(covers)))
        return +entries + (self.new if self.grows else Counter())


def _content(mark: Mark) -> tuple[str, str, str]:
    return mark.rule, mark.symbol, mark.code


# -- the file


def load(path: Path, *, may_be_new: bool = False, grows: bool = False) -> Baseline:
    """Read a baseline; ``may_be_new``: it is empty, and grows, where there is no file.

    Raises:
        UsageError: there is no such file, or it is none that can be used.
    """
    try:
        data = contents(path)
    except FileNotFoundError:
        if may_be_new:
            return Baseline(path, grows=True)
        raise UsageError(f"{path}: no such baseline; --write-baseline makes it") from None
    except OSError as error:
        raise UsageError(f"{path}: the baseline cannot be read: {error.strerror or error}") from None
    known: Counter[Key] = Counter()
    for number, line in enumerate(data.splitlines(), 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise UsageError(f"{path}:{number}: is not a baseline: the line is not JSON") from None
        if number == 1:
            _check_version(value, path)
            continue
        key, count = _entry(value, f"{path}:{number}")
        # Two branches may have changed one count; merged line by line, the entry is there twice.
        known[key] = max(known[key], count)
    if not data.strip():
        raise UsageError(f"{path}: is not a baseline: it is empty")
    return Baseline(path, grows, known)


def _check_version(value: Any, path: Path) -> None:
    table = _table(value)
    if HEADER not in table:
        raise UsageError(f"{path}: is not a baseline: its first line states no {HEADER}")
    if table[HEADER] != VERSION:
        raise UsageError(f"{path}: a baseline of version {table[HEADER]}; this release reads version {VERSION}")


def _entry(value: Any, where: str) -> tuple[Key, int]:
    table = _table(value)
    texts = [table.get(name) for name in _KEYS[:-1]]
    count = table.get("count")
    if set(table) != set(_KEYS) or not all(isinstance(text, str) for text in texts) or type(count) is not int:
        raise UsageError(f"{where}: is not an entry of a baseline")
    path, *mark = cast(list[str], texts)
    return Key(path, Mark(*mark)), count


def _table(value: object) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def document(entries: Mapping[Key, int]) -> str:
    """Return the text of a baseline, the same for the same entries."""
    lines = [json.dumps({HEADER: VERSION})]
    for key, count in sorted(entries.items()):
        mark = key.mark
        values = (key.path, mark.rule, mark.symbol, mark.scope, mark.code, count)
        lines.append(json.dumps(dict(zip(_KEYS, values, strict=True))))
    return "".join(f"{line}\n" for line in lines)


def write(path: Path, entries: Mapping[Key, int]) -> bool:
    """Write a baseline in one step and tell whether it differs from what was there.

    Raises:
        UsageError: it cannot be written.
    """
    path = Path(os.path.realpath(path))
    data = document(entries).encode("ascii")
    try:
        old = path.read_bytes() if path.exists() else None
        if old is not None and old.splitlines() == data.splitlines():
            return False
        descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            if old is not None:
                shutil.copymode(path, scratch)
            else:
                os.chmod(scratch, 0o666 & ~_umask())
            os.replace(scratch, path)
        except BaseException:
            os.unlink(scratch)
            raise
    except OSError as error:
        raise UsageError(f"{path}: the baseline cannot be written: {error.strerror or error}") from None
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
