"""Where things stand inside f-strings: which quotes are open, and right positions before Python 3.12.

The older parser reads each replacement field on its own and places its nodes by guesswork: fields of a triple-quoted
or an implicitly concatenated string, and any field behind a non-ASCII character, come out wrong. The fields are found
again here in the text of the string's tokens, and the nodes moved to where they stand.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from checks.source import NEWLINE, Source

_PREFIX = re.compile(r"([A-Za-z]*)('''|\"\"\"|'|\")")


class _Field(NamedTuple):
    """One ``{…}``: the offsets of its expression, and the fields within its format spec."""

    start: int
    end: int
    nested: tuple[_Field, ...]


def quote_at(node: ast.JoinedStr, source: Source, at: int) -> str:
    """Return the opening quote (``"``, ``'''`` …) of the literal of an f-string that holds an offset into the text."""
    base = source.start(node)
    literal = source.text[base : source.end(node)]
    for start, stop, opening in _literals(literal):
        if base + start <= at < base + stop:
            match = _PREFIX.match(opening)
            return match[2] if match else opening
    return '"'


def free_quotes(node: ast.expr, source: Source) -> list[str]:
    """Return the quotes that may be used at a node, the better one first.

    Before Python 3.12 no text inside an f-string's field may use the quote of a string around it.
    """
    try:
        openings = [
            quote_at(above, source, source.start(node))
            for above in source.ancestors(node)
            if isinstance(above, ast.JoinedStr) and not _is_format_spec(above, source)
        ]
    except (SystemError, UnicodeDecodeError, tokenize.TokenError, SyntaxError):
        return []  # CPython's tokenizer gives up on some nested f-strings
    taken = {opening for opening in openings if len(opening) == 1}
    unlikely = {opening[0] for opening in openings}
    return sorted({'"', "'"} - taken, key=lambda quote: (quote in unlikely, quote))


def is_labelled(node: ast.expr, source: Source) -> bool:
    """Tell whether an expression stands in a field such as ``{x=}``, which prints the expression too."""
    for above in source.ancestors(node):
        if isinstance(above, ast.FormattedValue):
            return re.match(r"\s*\)*\s*=(?!=)", source.text[source.end(above.value) :]) is not None
        if isinstance(above, ast.stmt):
            break
    return False


def _is_format_spec(node: ast.JoinedStr, source: Source) -> bool:
    parent = source.parent(node)
    return isinstance(parent, ast.FormattedValue) and parent.format_spec is node


def _literals(expression: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and opening text of each of the implicitly concatenated literals of a string expression."""
    starts = [0, *(match.end() for match in NEWLINE.finditer(expression))]
    begin_kind = getattr(tokenize, "FSTRING_START", None)
    end_kind = getattr(tokenize, "FSTRING_END", None)
    opened: list[tuple[int, str]] = []
    # The parentheses let the literals stand on several lines; the opening one shifts the first line by one column.
    text = "(" + NEWLINE.sub("\n", expression) + ")"
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (begin_kind, end_kind, tokenize.STRING):
            continue
        start, stop = (starts[line - 1] + column - (line == 1) for line, column in (token.start, token.end))
        if token.type == begin_kind:
            opened.append((start, token.string))
        elif token.type == end_kind:
            begun, opening = opened.pop()
            if not opened:
                yield begun, stop, opening
        elif not opened:
            yield start, stop, token.string


def settle(node: ast.JoinedStr, source: Source) -> None:
    """Move every node inside an outermost f-string to its true position, in place."""
    start, end = source.start(node), source.end(node)
    _place(node, list(_fields_of(source.text[start:end], start)), source)


def _place(node: ast.JoinedStr, fields: list[_Field], source: Source) -> None:
    values = [value for value in node.values if isinstance(value, ast.FormattedValue)]
    if len(values) != len(fields):
        return
    for value, field in zip(values, fields, strict=True):
        _move(value.value, field, source)
        if isinstance(value.format_spec, ast.JoinedStr):
            _place(value.format_spec, list(field.nested), source)


def _move(node: ast.expr, field: _Field, source: Source) -> None:
    text = source.text[field.start : field.end]
    try:
        # The parenthesis lets the expression begin with a newline; it shifts the first line by one column.
        fresh = ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        return
    starts = [0, *(match.end() for match in NEWLINE.finditer(text))]

    def position(line: int, column: int) -> tuple[int, int]:
        begin = starts[line - 1]
        inside = text[begin:].encode()[: column - (line == 1)].decode(errors="ignore")
        at = source.span_between(*(2 * [field.start + begin + len(inside)]))
        prefix = source.text[source.offset(at.line, 1) : source.offset(at.line, at.column)]
        return at.line, len(prefix.encode())

    todo: list[tuple[ast.AST, ast.AST]] = [(node, fresh)]
    while todo:
        old, new = todo.pop()
        if isinstance(old, (ast.expr, ast.arg, ast.keyword)) and isinstance(new, type(old)):
            old.lineno, old.col_offset = position(new.lineno, new.col_offset)
            assert new.end_lineno is not None
            assert new.end_col_offset is not None
            old.end_lineno, old.end_col_offset = position(new.end_lineno, new.end_col_offset)
        if isinstance(old, ast.JoinedStr):
            inner = source.start(old), source.end(old)
            _place(old, list(_fields_of(source.text[slice(*inner)], inner[0])), source)
        else:
            todo += zip(ast.iter_child_nodes(old), ast.iter_child_nodes(new), strict=True)


def _fields_of(literal: str, base: int) -> Iterator[_Field]:
    """Yield the fields of a string expression, of all its implicitly concatenated parts."""
    for at, stop, opening in _literals(literal):
        match = _PREFIX.match(opening)
        if match is None or "f" not in match[1].lower():
            continue
        raw = "r" in match[1].lower()
        body = at + match.end()
        fields, _ = _scan(literal, body, stop - len(match[2]), raw=raw, spec=False)
        yield from (_shift(field, base) for field in fields)


def _shift(field: _Field, base: int) -> _Field:
    return _Field(field.start + base, field.end + base, tuple(_shift(inner, base) for inner in field.nested))


def _scan(text: str, at: int, stop: int, *, raw: bool, spec: bool) -> tuple[list[_Field], int]:
    """Read literal text and fields up to ``stop``, or in a format spec up to its closing brace."""
    fields: list[_Field] = []
    while at < stop:
        char = text[at]
        if char == "\\" and not raw and text.startswith("\\N{", at):
            at = text.index("}", at) + 1
        elif char == "{" and text.startswith("{{", at) and not spec:
            at += 2
        elif char == "{":
            field, at = _scan_field(text, at + 1, stop, raw=raw)
            fields.append(field)
        elif char == "}" and spec:
            return fields, at
        else:
            at += 1
    return fields, at


def _scan_field(text: str, at: int, stop: int, *, raw: bool) -> tuple[_Field, int]:
    """Read one field from behind its opening brace; return it and the offset behind its closing brace."""
    start, depth = at, 0
    while at < stop:
        char = text[at]
        if char in "'\"":
            quote = char * 3 if text.startswith(char * 3, at) else char
            at = text.index(quote, at + len(quote)) + len(quote)
            continue
        if char in "([{":
            depth += 1
        elif char in ")]" or (char == "}" and depth):
            depth -= 1
        elif (depth == 0 and (char == "}" or char == ":" or (char == "!" and text[at + 1] != "="))) or (
            depth == 0 and char == "=" and text[at + 1] != "=" and text[at - 1] not in "!<>="
        ):
            break
        at += 1
    end = at
    while text[at] not in ":}":
        at += 1
    nested: list[_Field] = []
    if text[at] == ":":
        nested, at = _scan(text, at + 1, stop, raw=raw, spec=True)
    return _Field(start, end, tuple(nested)), at + 1
