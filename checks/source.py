"""One Python file as it was read: its bytes, its text, its tree, and where each node stands in it.

Nothing here knows Pipecat. Text is decoded without newline translation, so an offset into the text maps back to an
offset into the bytes, and whatever is not edited can be kept byte for byte.
"""

from __future__ import annotations

import ast
import codecs
import copy
import errno
import io
import os
import re
import stat
import sys
import tokenize
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar, cast

from checks.walk import fields_backwards

if TYPE_CHECKING:
    from checks.names import Names
    from checks.pipecat.releases import Release
    from checks.project import Project

NodeT = TypeVar("NodeT", bound=ast.AST)
# The kinds of node that carry a position.
Located: TypeAlias = ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias | ast.excepthandler | ast.pattern

NEWLINE = re.compile(r"\r\n|\r|\n")
# The largest file the tools read. A generated table of this size is data, and its tree would take gigabytes.
MAX_BYTES = 16 * 1024 * 1024
_USUAL_STEP = "    "


class Unreadable(Exception):
    """A file that cannot be read as Python; the message says why in one line."""


class Span(NamedTuple):
    """A stretch of text: lines and columns from 1, columns in characters, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


# The field that holds the name of a node; of a constant its value.
_LABELS: dict[type[ast.AST], str] = {
    ast.Attribute: "attr",
    ast.Constant: "value",
    ast.Name: "id",
    ast.keyword: "arg",
    ast.alias: "name",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
}


def contents(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        OSError: it cannot be opened, is not a regular file (a pipe would be waited for, a device has no end), or is
            larger than the tools read.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MAX_BYTES // 2**20} MiB", str(path))
    return data


def decode(data: bytes) -> tuple[str, str]:
    """Return the text of a Python file and its encoding's name, by BOM and PEP 263 cookie.

    Raises:
        Unreadable: the bytes are not text, or not text of the encoding they claim.
    """
    if len(data) > MAX_BYTES:
        raise Unreadable(f"larger than {MAX_BYTES // 2**20} MiB, not read")
    if b"\0" in data:
        raise Unreadable("contains NUL bytes, so it is not Python source")
    encoding = _encoding(data)
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode(encoding)
        exact = text.encode(encoding) == body
    except UnicodeDecodeError as error:
        line = len(NEWLINE.findall(body[: error.start].decode("latin-1"))) + 1
        raise Unreadable(f"line {line} is not valid {encoding}: {error.reason}") from None
    except Exception as error:
        raise Unreadable(f"{encoding} cannot decode it: {type(error).__name__}") from None
    if not exact:
        raise Unreadable(f"{encoding} does not give the same bytes back, so an edit could not be exact")
    return text, encoding


def _encoding(data: bytes) -> str:
    # tokenize wants lines that end in LF; a coding line may end in CR.
    lines = [line + b"\n" for line in re.split(rb"\r\n|\r|\n", data[:4096], maxsplit=2)[:2]]
    supply = iter(lines)
    try:
        name = tokenize.detect_encoding(lambda: next(supply, b""))[0]
    except SyntaxError as error:
        stated = re.search(rb"coding[:=][ \t]*([-\w.]+)", b"".join(lines))
        if stated is None:
            return "utf-8"  # not even its first lines are; decoding says where
        name = stated[1].decode("ascii", "replace")
        if data.startswith(codecs.BOM_UTF8):
            raise Unreadable(f"has a UTF-8 byte order mark, but its coding line says {name}") from None
        raise Unreadable(f"its coding line cannot be followed: {error.msg}") from None
    codec = codecs.lookup(name)
    if not getattr(codec, "_is_text_encoding", True):
        raise Unreadable(f"its coding line names {name}, which is not a text encoding")
    return "utf-8" if codec.name == "utf-8-sig" else codec.name


class Source:
    """One file: ``data`` as on disk, ``text``, and, made when first asked for, ``tree`` and what is known of it.

    ``module`` is the dotted name the file is imported under, ``project`` the files it stands among.
    """

    def __init__(self, path: Path, data: bytes, *, module: str, project: Project):
        self.path = path
        self.data = data
        self.module = module
        self.project = project
        self.text, self.encoding = decode(data)

    def within(self, project: Project) -> Source:
        """Return the same file as it stands in another project, its tree and what each name stands for shared.

        Raises:
            Unreadable: the text does not parse.
        """
        # What is worked out by now goes into the copy; positions in the tree must be settled only once for both.
        self._index  # noqa: B018
        self.names  # noqa: B018
        self._settled  # noqa: B018
        other = copy.copy(self)
        other.project = project
        return other

    @property
    def oldest(self) -> Release:
        """The oldest Pipecat release the file must work with beside the target."""
        return self.project.oldest_for(self.path)

    @property
    def releases(self) -> tuple[Release, Release]:
        """The target and the oldest release beside it; what is so in both is taken to be so in all between."""
        return self.project.target, self.oldest

    @property
    def is_package(self) -> bool:
        """Whether the file is a package's ``__init__.py``, against which relative imports resolve."""
        return self.path.name in ("__init__.py", "__init__.pyi")

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree.

        Raises:
            Unreadable: the text does not parse under the running interpreter.
        """
        from checks.syntax import explain

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an odd escape in a string is not our business
                return ast.parse(self.text)
        except (SyntaxError, ValueError) as error:
            raise Unreadable(explain(error, self.text)) from None
        except (RecursionError, MemoryError):
            raise Unreadable("nested too deeply for this Python's parser") from None

    @cached_property
    def _index(self) -> tuple[dict[ast.AST, ast.AST], dict[type[ast.AST], list[ast.AST]]]:
        # One walk serves every rule. An explicit stack, because a tree the parser accepts may be deeper than the
        # interpreter lets a recursive visitor go.
        parents: dict[ast.AST, ast.AST] = {}
        nodes: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        todo: list[ast.AST] = [self.tree]
        while todo:
            node = todo.pop()
            kind = type(node)
            nodes[kind].append(node)
            for name in fields_backwards(kind):
                value = getattr(node, name, None)
                if isinstance(value, list):
                    for item in reversed(cast(list[object], value)):
                        if isinstance(item, ast.AST):
                            parents[item] = node
                            todo.append(item)
                elif isinstance(value, ast.AST):
                    parents[value] = node
                    todo.append(value)
        return parents, dict(nodes)

    def nodes(self, *kinds: type[NodeT]) -> Iterator[NodeT]:
        """Yield the nodes of exactly these types, in source order for each type."""
        index = self._index[1]
        for kind in kinds:
            yield from cast(list[NodeT], index.get(kind, ()))

    def named(self, kind: type[NodeT], names: Collection[str]) -> Iterator[NodeT]:
        """Yield the nodes of a type that bear one of these names: attributes, names, keywords, definitions, strings."""
        if kind not in self._by_name:
            label = _LABELS[kind]
            found: dict[str, list[ast.AST]] = defaultdict(list)
            for node in self.nodes(kind):
                found[getattr(node, label)].append(node)
            self._by_name[kind] = found
        known = self._by_name[kind]
        for name in names if len(names) < len(known) else known.keys() & names:
            yield from cast(list[NodeT], known.get(name, ()))

    @cached_property
    def _by_name(self) -> dict[type[ast.AST], dict[str, list[ast.AST]]]:
        return {}

    @cached_property
    def strings(self) -> str:
        """What the strings of the file say, one after the other, each on a line of its own or on several."""
        return "\n".join(node.value for node in self.nodes(ast.Constant) if isinstance(node.value, str))

    def strings_with(self, text: str) -> Iterator[ast.Constant]:
        """Yield the strings of the file that a text occurs in, in order."""
        if text in self.strings:
            for node in self.nodes(ast.Constant):
                if isinstance(node.value, str) and text in node.value:
                    yield node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that holds this one; None for the module."""
        return self._index[0].get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes that hold this one, innermost first."""
        parents = self._index[0]
        while (above := parents.get(node)) is not None:
            yield above
            node = above

    @cached_property
    def names(self) -> Names:
        """What each name in the file stands for."""
        from checks.names import Names

        return Names(self)

    # -- where things stand

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in NEWLINE.finditer(self.text))]

    @property
    def line_count(self) -> int:
        """How many lines the text has; a text that ends in a newline has an empty last one."""
        return len(self._line_starts)

    def line(self, number: int) -> str:
        """Return a line's text without its newline; lines count from 1."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def line_start(self, number: int) -> int:
        """Return the offset at which a line begins; the line after the last begins at the end of the text."""
        return self._line_starts[number - 1] if number <= len(self._line_starts) else len(self.text)

    def offset(self, line: int, column: int) -> int:
        """Return the offset into the text of a line and a column, both from 1, the column in characters."""
        return self._line_starts[line - 1] + column - 1

    def start(self, node: Located) -> int:
        """Return the offset into the text at which a node begins."""
        self._settle(node)
        return self._offset_of_bytes(node.lineno, node.col_offset)

    def end(self, node: Located) -> int:
        """Return the offset into the text just behind a node."""
        self._settle(node)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset_of_bytes(node.end_lineno, node.end_col_offset)

    def span(self, node: Located) -> Span:
        """Return where a node stands."""
        return self.span_between(self.start(node), self.end(node))

    def span_between(self, start: int, end: int) -> Span:
        """Return the span of two offsets into the text."""
        from bisect import bisect_right

        line, end_line = (bisect_right(self._line_starts, offset) for offset in (start, end))
        return Span(
            line,
            start - self._line_starts[line - 1] + 1,
            end_line,
            end - self._line_starts[end_line - 1] + 1,
        )

    def segment(self, node: Located) -> str:
        """Return a node's text as written."""
        return self.text[self.start(node) : self.end(node)]

    def _offset_of_bytes(self, line: int, column: int) -> int:
        # ast counts columns in UTF-8 bytes.
        start = self._line_starts[line - 1]
        text = self.text[start : start + column]
        if text.isascii():
            return start + column
        return start + len(text.encode()[:column].decode(errors="ignore"))

    def _settle(self, node: ast.AST) -> None:
        # Before 3.12 the positions inside an f-string are wrong in many cases; they are mended on first use.
        if sys.version_info >= (3, 12):
            return
        outermost: ast.JoinedStr | None = None
        for above in self.ancestors(node):
            if isinstance(above, ast.JoinedStr):
                outermost = above
            elif isinstance(above, ast.stmt):
                break
        if outermost is not None and outermost not in self._settled:
            from checks.fstring import settle

            self._settled.add(outermost)
            settle(outermost, self)

    @cached_property
    def _settled(self) -> set[ast.JoinedStr]:
        return set()

    def begins_line(self, node: Located) -> bool:
        """Tell whether nothing but indentation stands in front of a node on its line."""
        start = self.start(node)
        line = self.span_between(start, start).line
        return not self.text[self.line_start(line) : start].strip()

    def step(self, line: int) -> str:
        """Return one step of indentation as a line has it: the file's own, unless the line is indented otherwise."""
        text = self.line(line)
        indent = text[: len(text) - len(text.lstrip())]
        if indent and ("\t" in indent) != ("\t" in self._step):
            return "\t" if "\t" in indent else _USUAL_STEP
        return self._step

    @cached_property
    def _step(self) -> str:
        """What the first block is indented by; in a file without one, what follows a bracket that opens on its line."""
        for statement in self.tree.body:
            block: list[ast.stmt] = getattr(statement, "body", [])
            if block and self.begins_line(block[0]):
                start = self.start(block[0])
                return self.text[self.line_start(self.span_between(start, start).line) : start]
        opened = re.search(r"(?:\A|(?<=[\r\n]))\S[^\r\n]*[(\[{](?:\r\n|\r|\n)([ \t]+)\S", self.text)
        return opened[1] if opened is not None else _USUAL_STEP

    # -- tokens

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """The file's tokens; empty where the tokenizer cannot follow the parser."""
        try:
            text = NEWLINE.sub("\n", self.text)
            return list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (tokenize.TokenError, SyntaxError):
            return []

    @cached_property
    def comments(self) -> list[tuple[Span, str]]:
        """Each comment of the file with its place."""
        found: list[tuple[Span, str]] = []
        for token in self.tokens:
            if token.type == tokenize.COMMENT:
                line, column = token.start
                found.append((Span(line, column + 1, line, token.end[1] + 1), token.string))
        return found

    def head_end(self, node: Span) -> tuple[int, int] | None:
        """Return line and column, from 1, behind the colon that ends the head of a compound statement."""
        depth = 0
        begin = (node.line, node.column - 1)
        for token in self.tokens:
            if token.start < begin or token.type != tokenize.OP:
                continue
            if token.string in "([{":
                depth += 1
            elif token.string in ")]}":
                depth -= 1
            elif token.string == ":" and depth == 0:
                return token.end[0], token.end[1] + 1
        return None

    def name_of(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Span:
        """Return where the name of a function stands in its definition."""
        behind = self.text.index("def", self.start(node)) + len("def")
        start = self.text.index(node.name, behind)
        return self.span_between(start, start + len(node.name))

    def has_comment(self, start: int, end: int) -> bool:
        """Tell whether a comment stands between two offsets into the text."""
        if "#" not in self.text[start:end]:
            return False
        return any(start <= self.offset(at.line, at.column) < end for at, _ in self.comments)


def statements(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield every statement of a block and of the blocks within it, in order; functions and classes are one each."""
    for statement in block:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for name in ("body", "handlers", "orelse", "finalbody"):
            for inner in getattr(statement, name, ()):
                yield from statements(inner.body if isinstance(inner, ast.ExceptHandler) else [inner])
