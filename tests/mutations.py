"""Rewrites sources as odd people and odd tools write them, so that few of them mean less to the rules than before.

A mutation of text takes text with LF newlines and a source of chance. What it gives back may not compile: whoever
calls it, see ``mutated``, then takes the text as it was.
"""

from __future__ import annotations

import ast
import codecs
import io
import itertools
import re
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import TypeAlias

TextMutation: TypeAlias = Callable[[str, Random], str]
BytesMutation: TypeAlias = Callable[[bytes, Random], bytes]
Change: TypeAlias = tuple[int, int, str]

_SIMPLE = (
    *(ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Pass, ast.Raise, ast.Import),
    *(ast.ImportFrom, ast.Delete, ast.Assert, ast.Global, ast.Nonlocal),
)
_ODD_COMMENTS = (
    *("# odd", "#", "#: é→😀", "# noqa", "# type: ignore", "# fmt: skip", "# )]}", '# """', "# \\"),
    *("# codemods: ignore[removed-name]", "# codemods: ignore", "# pyright: ignore[reportMissingImports]"),
)


class _Text:
    """A text with its tokens and its tree, their places as offsets."""

    def __init__(self, text: str):
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def tokens(self) -> list[tokenize.TokenInfo]:
        return list(tokenize.generate_tokens(io.StringIO(self.text).readline))

    def at(self, place: tuple[int, int]) -> int:
        return self.starts[place[0] - 1] + place[1]

    def span(self, node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._in_bytes(node.lineno, node.col_offset), self._in_bytes(node.end_lineno, node.end_col_offset)

    def _in_bytes(self, line: int, column: int) -> int:
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode(errors="ignore"))

    def expressions(self) -> list[ast.expr]:
        """Return what may stand in parentheses, but for what stands in an f-string, whose places may be wrong."""
        found: list[ast.expr] = []
        todo: list[ast.AST] = [ast.parse(self.text)]
        while todo:
            node = todo.pop()
            if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
                if not isinstance(node, (ast.Starred, ast.Slice, ast.FormattedValue)):
                    found.append(node)
            if not isinstance(node, (ast.JoinedStr, ast.pattern)):
                todo += ast.iter_child_nodes(node)
        return found

    def blocks(self) -> Iterator[Sequence[ast.stmt]]:
        for node in ast.walk(ast.parse(self.text)):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list) and block:
                    yield block

    def changed(self, changes: Iterable[Change]) -> str:
        text, done = self.text, len(self.text) + 1
        for start, end, new in sorted(changes, reverse=True):
            if end <= done:
                text, done = text[:start] + new + text[end:], start
        return text

    def code_lines(self) -> list[int]:
        """Return the lines, from 0, that do not begin within a string."""
        within = {
            line
            for token in self.tokens()
            if token.start[0] != token.end[0] and token.type not in (tokenize.NL, tokenize.NEWLINE)
            for line in range(token.start[0], token.end[0])
        }
        return [line for line in range(len(self.lines)) if line not in within]


def _some(items: Sequence[object], random: Random, share: float = 0.15) -> list[int]:
    """Return the places of a few of several items, of at least one if there is one."""
    chosen = [place for place in range(len(items)) if random.random() < share]
    return chosen or ([random.randrange(len(items))] if items else [])


# -- layout


def comments_at_ends(text: str, random: Random) -> str:
    here = _Text(text)
    tokens = here.tokens()
    ends = [
        token
        for before, token in itertools.pairwise(tokens)
        if token.type in (tokenize.NEWLINE, tokenize.NL) and before.type != tokenize.COMMENT
    ]
    places = [here.at(ends[place].start) for place in _some(ends, random)]
    return here.changed((at, at, f"{random.choice(['', ' ', '  '])}{random.choice(_ODD_COMMENTS)}") for at in places)


def comment_lines(text: str, random: Random) -> str:
    here = _Text(text)
    starts = [here.starts[line] for line in here.code_lines()]
    chosen = [starts[place] for place in _some(starts, random)]
    return here.changed((at, at, f"{' ' * random.randrange(9)}{random.choice(_ODD_COMMENTS)}\n") for at in chosen)


def _gaps(here: _Text) -> list[tuple[int, int, int]]:
    """Return the gaps between tokens of one line: start, end, and how many brackets are open there."""
    found: list[tuple[int, int, int]] = []
    depth = 0
    tokens = [token for token in here.tokens() if token.type not in (tokenize.INDENT, tokenize.DEDENT)]
    for left, right in itertools.pairwise(tokens):
        if left.type == tokenize.OP:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(left.string, 0)
        if left.end[0] == right.start[0] and left.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT):
            found.append((here.at(left.end), here.at(right.start), depth))
    return found


def continuations(text: str, random: Random) -> str:
    here = _Text(text)
    gaps = [gap for gap in _gaps(here) if gap[0] < gap[1]]
    return here.changed((*gaps[place][:2], f" \\\n{' ' * random.randrange(8)}") for place in _some(gaps, random, 0.05))


def spaces(text: str, random: Random) -> str:
    here = _Text(text)
    gaps = _gaps(here)
    wide = (" ", "  ", "\t", " \f ")
    return here.changed((*gaps[place][:2], random.choice(wide)) for place in _some(gaps, random))


def broken_lines(text: str, random: Random) -> str:
    here = _Text(text)
    gaps = [gap for gap in _gaps(here) if gap[2]]
    breaks = ("\n", "\n        ", "  # odd\n    ", "\n\n", "\n# odd\n  ", "\n\t")
    return here.changed((*gaps[place][:2], random.choice(breaks)) for place in _some(gaps, random))


def joined_lines(text: str, _random: Random) -> str:
    here = _Text(text)
    tokens = here.tokens()
    changes: list[Change] = []
    for before, token, behind in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.type == tokenize.NL and before.type == tokenize.OP and before.end[0] == token.start[0]:
            if before.string in "([{," and behind.type not in (tokenize.NL, tokenize.COMMENT):
                changes.append((here.at(token.start), here.at(behind.start), " "))
    return here.changed(changes)


def trailing_blanks(text: str, random: Random) -> str:
    here = _Text(text)
    ends = [token for token in here.tokens() if token.type in (tokenize.NEWLINE, tokenize.NL)]
    return here.changed((here.at(ends[i].start), here.at(ends[i].start), "  \t") for i in _some(ends, random, 0.3))


def blank_lines(text: str, random: Random) -> str:
    here = _Text(text)
    starts = [here.starts[line] for line in here.code_lines()]
    return here.changed((starts[i], starts[i], random.choice(["\n", "   \n", "\n\n"])) for i in _some(starts, random))


def form_feeds(text: str, random: Random) -> str:
    here = _Text(text)
    starts = [here.starts[line] for line in here.code_lines()]
    return here.changed((starts[i], starts[i], random.choice(["\f", "\f\n"])) for i in _some(starts, random, 0.1))


def _indented_by(text: str, step: str) -> str:
    here = _Text(text)
    lines = list(here.lines)
    for number in here.code_lines():
        bare = lines[number].lstrip(" ")
        width = len(lines[number]) - len(bare)
        lines[number] = step * (width // 4) + " " * (width % 4) + bare
    return "\n".join(lines)


def tabs(text: str, _random: Random) -> str:
    return _indented_by(text, "\t")


def two_blanks(text: str, _random: Random) -> str:
    return _indented_by(text, "  ")


def semicolons(text: str, random: Random) -> str:
    here = _Text(text)
    gaps: list[Change] = []
    for block in here.blocks():
        for left, right in itertools.pairwise(block):
            if isinstance(left, _SIMPLE) and isinstance(right, _SIMPLE):
                gaps.append((here.span(left)[1], here.span(right)[0], random.choice(["; ", ";", " ;\t"])))
    return here.changed(gaps[place] for place in _some(gaps, random, 0.3))


def closing_semicolons(text: str, random: Random) -> str:
    here = _Text(text)
    ends = [here.span(one)[1] for block in here.blocks() for one in block if isinstance(one, _SIMPLE)]
    return here.changed((ends[i], ends[i], random.choice([";", " ; "])) for i in _some(ends, random))


def one_line_suites(text: str, random: Random) -> str:
    here = _Text(text)
    gaps: list[Change] = []
    for block in here.blocks():
        start = here.span(block[0])[0]
        head = re.search(r":\s*\n\s*$", text[:start])
        if head and len(block) == 1 and isinstance(block[0], _SIMPLE):
            gaps.append((head.start(), start, ": "))
    return here.changed(gaps[place] for place in _some(gaps, random, 0.5))


# -- expressions


def _wrapped(text: str, random: Random, wraps: Sequence[tuple[str, str]], *, flat: bool = False) -> str:
    here = _Text(text)
    spans = [here.span(node) for node in here.expressions()]
    if flat:
        spans = [(start, end) for start, end in spans if not re.search(r'["\\\n#{}]', text[start:end])]
    changes: list[Change] = []
    for place in _some(spans, random, 0.04):
        start, end = spans[place]
        left, right = random.choice(wraps)
        changes.append((start, end, f"{left}{text[start:end]}{right}"))
    return here.changed(changes)


def parentheses(text: str, random: Random) -> str:
    return _wrapped(text, random, [("(", ")"), ("((", "))"), ("( ", " )"), ("(\n  ", "\n)"), ("(  # odd\n", ")")])


def f_strings(text: str, random: Random) -> str:
    wraps = [('f"{', '}"'), ("f'é {", "!r:>{10}} {{}}'"), ('f"""\n{', '}"""'), ("f'{f\"{", "}\"}'"), ('rf"{', '=}"')]
    return _wrapped(text, random, wraps, flat=True)


def odd_expressions(text: str, random: Random) -> str:
    wraps = [
        *(("(odd := ", ")"), ("(", " if True else None)"), ("[", "][0]"), ("(lambda: ", ")()"), ("(not ", ")")),
        *(("{0: ", "}[0]"), ("(yield ", ")"), ("(", ", )[0]"), ("print(*[", "], sep='')"), ("odd[", ":, ...]")),
        *(("(", " or None)"), ("[one for one in [", "]]"), ("odd(**{'odd': ", "})"), ("(await ", ")")),
    ]
    return _wrapped(text, random, wraps)


def quoted_annotations(text: str, random: Random) -> str:
    here = _Text(text)
    spans = [
        here.span(annotation)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.arg, ast.AnnAssign)) and (annotation := node.annotation) is not None
    ]
    chosen = [spans[place] for place in _some(spans, random, 0.5)]
    return here.changed((start, end, repr(text[start:end])) for start, end in chosen)


def more_arguments(text: str, random: Random) -> str:
    here = _Text(text)
    calls = [node for node in here.expressions() if isinstance(node, ast.Call)]
    changes: list[Change] = []
    for place in _some(calls, random):
        end = here.span(calls[place])[1] - 1
        comma = ", " if calls[place].args or calls[place].keywords else ""
        changes.append((end, end, random.choice([",", f"{comma}**odd", f"{comma}*odd", f"{comma}odd=1"])))
    return here.changed(changes)


# -- statements


def _nested(text: str, random: Random, heads: Sequence[tuple[str, str]], depth: int) -> str:
    body = text
    for _ in range(depth):
        head, foot = random.choice(heads)
        here = _Text(body)
        code = set(here.code_lines())
        lines = [f"    {line}" if number in code and line else line for number, line in enumerate(here.lines)]
        body = f"{head}\n" + "\n".join(lines).rstrip(" ") + foot
    return body


_HEADS = [
    *(("if True:", ""), ("class Odd:", ""), ("async def odd(self, *a, **k):", ""), ("with odd() as o, odd():", "")),
    *(("for odd in ():", "else:\n    pass\n"), ("try:", "finally:\n    pass\n"), ("while odd:", "")),
    *(("if odd:\n    pass\nelse:", ""), ("try:\n    odd\nexcept  OSError :", ""), ("def odd():", "")),
]


def nesting(text: str, random: Random) -> str:
    return _nested(text, random, _HEADS, random.randrange(1, 4))


def deep_nesting(text: str, random: Random) -> str:
    return _nested(text, random, _HEADS[:1], 15)


def decorators(text: str, random: Random) -> str:
    here = _Text(text)
    changes: list[Change] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and random.random() < 0.4:
            start = here.starts[node.lineno - 1]
            indent = text[start : here.span(node)[0]]
            lines = ("@odd", "@odd(lambda x: x)  # odd", "@odd\n# odd\n", "@ odd . odd (\n)", "@staticmethod")
            changes.append((start, start, f"{indent}{random.choice(lines)}\n"))
    return here.changed(changes)


def _statements(here: _Text) -> list[tuple[int, int]]:
    return [here.span(one) for block in here.blocks() for one in block]


def dropped_statements(text: str, random: Random) -> str:
    here = _Text(text)
    spans = _statements(here)
    return here.changed((*spans[place], "pass") for place in _some(spans, random, 0.02))


def doubled_statements(text: str, random: Random) -> str:
    here = _Text(text)
    changes: list[Change] = []
    spans = _statements(here)
    for place in _some(spans, random, 0.03):
        start, end = spans[place]
        line = text.rfind("\n", 0, start) + 1
        changes.append((end, end, f"\n{text[line:end]}"))
    return here.changed(changes)


def swapped_statements(text: str, random: Random) -> str:
    here = _Text(text)
    pairs = [pair for block in here.blocks() for pair in itertools.pairwise(block)]
    if not pairs:
        return text
    (start, end), (then, stop) = (here.span(one) for one in random.choice(pairs))
    return text[:start] + text[then:stop] + text[end:then] + text[start:end] + text[stop:]


def wide_characters(text: str, random: Random) -> str:
    here = _Text(text)
    starts = [here.span(one)[0] for block in here.blocks() for one in block if isinstance(one, _SIMPLE)]
    return here.changed((starts[i], starts[i], "'é→😀'; ") for i in _some(starts, random))


# -- names


def renamed(text: str, random: Random) -> str:
    """Rename something that the file binds; keywords and attributes of the same name go with it."""
    tree = ast.parse(text)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    if not bound:
        return text
    return _renamed(
        text, random.choice(sorted(bound)), random.choice(["odd", "größe", "match", "_", "print", "x" * 80])
    )


def _renamed(text: str, old: str, new: str) -> str:
    here = _Text(text)
    return here.changed(
        (here.at(token.start), here.at(token.end), new)
        for token in here.tokens()
        if token.type == tokenize.NAME and token.string == old
    )


def aliased_imports(text: str, random: Random) -> str:
    here = _Text(text)
    names = [
        alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is None and alias.name != "*"
    ]
    if not names:
        return text
    name = random.choice(names)
    changes: list[Change] = []
    tokens = here.tokens()
    for before, token in itertools.pairwise(tokens):
        if token.type == tokenize.NAME and token.string == name and before.string != ".":
            imported = "import" in token.line and "from" in token.line
            new = f"{name} as Odd" if imported else "Odd"
            changes.append((here.at(token.start), here.at(token.end), new))
    return here.changed(changes)


# -- bytes


def _with_newlines(data: bytes, newline: Callable[[], bytes]) -> bytes:
    return b"".join(part if part != b"\n" else newline() for part in re.split(rb"(\n)", data))


def crlf(data: bytes, _random: Random) -> bytes:
    return _with_newlines(data, lambda: b"\r\n")


def cr(data: bytes, _random: Random) -> bytes:
    return _with_newlines(data, lambda: b"\r")


def mixed_newlines(data: bytes, random: Random) -> bytes:
    return _with_newlines(data, lambda: random.choice([b"\n", b"\r\n", b"\r"]))


def byte_order_mark(data: bytes, _random: Random) -> bytes:
    return codecs.BOM_UTF8 + data


def no_final_newline(data: bytes, _random: Random) -> bytes:
    return data.rstrip(b"\r\n")


def odd_end(data: bytes, random: Random) -> bytes:
    return data + random.choice([b"\n\n\n", b"   ", b"\x0c", b"# odd", b"\\\n", b"\t\n \n", b"pass;"])


def cookies(data: bytes, random: Random) -> bytes:
    name = random.choice(["latin-1", "cp1252", "utf-8-sig", "UTF_8", "utf-8-unix", "koi8-r", "shift_jis", "gb18030"])
    mark = {"koi8-r": "ж", "shift_jis": "ソ表", "gb18030": "é→😀"}.get(name, "é")
    codec = name.removesuffix("-unix").replace("utf-8-sig", "utf-8")
    text = f"#!/usr/bin/python\n# -*- coding: {name} -*-\n# {mark}\n{mark!r}\n" + data.decode()
    return text.encode(codec)


TEXT: dict[str, TextMutation] = {
    one.__name__: one
    for one in (
        *(comments_at_ends, comment_lines, continuations, spaces, broken_lines, joined_lines, trailing_blanks),
        *(blank_lines, form_feeds, tabs, two_blanks, semicolons, closing_semicolons, one_line_suites),
        *(parentheses, f_strings, odd_expressions, quoted_annotations, more_arguments, nesting, deep_nesting),
        *(decorators, dropped_statements, doubled_statements, swapped_statements, wide_characters, renamed),
        aliased_imports,
    )
}
BYTES: dict[str, BytesMutation] = {
    one.__name__: one for one in (crlf, cr, mixed_newlines, byte_order_mark, no_final_newline, odd_end, cookies)
}


def compiles(data: bytes) -> bool:
    """Tell whether this Python takes a file as a module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, "odd.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def mutated(data: bytes, names: Iterable[str], random: Random) -> bytes:
    """Return a file after several mutations, those of its text first; each that does not compile is left out."""
    wanted = list(names)
    for name in [*(name for name in wanted if name in TEXT), *(name for name in wanted if name in BYTES)]:
        try:
            if name in TEXT:
                text = data.decode()
                changed = data if "\r" in text or text[:1] == "\ufeff" else TEXT[name](text, random).encode()
            else:
                changed = BYTES[name](data, random)
        except (UnicodeError, SyntaxError, ValueError, tokenize.TokenError):
            continue
        if compiles(changed):
            data = changed
    return data
