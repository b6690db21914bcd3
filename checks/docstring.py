"""Where a parameter is described in a docstring."""

from __future__ import annotations

import ast
import re

from checks.source import Source

_HEADING = re.compile(r"^\s*(Args|Arguments|Parameters|Params|Keyword Args|Attributes):\s*$")


def entry_lines(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, parameter: str, source: Source
) -> range | None:
    """Return the lines of a docstring that describe a parameter, or None.

    Google style (``name: text`` or ``name (type): text`` under a heading, further lines indented deeper) and Sphinx
    style (``:param name: text``). A heading left with no entry goes too.
    """
    if not node.body or not isinstance(node.body[0], ast.Expr):
        return None
    literal = node.body[0].value
    if not isinstance(literal, ast.Constant) or not isinstance(literal.value, str):
        return None
    assert literal.end_lineno is not None
    # The opening and the closing line hold the quotes and stay.
    inside = range(literal.lineno + 1, literal.end_lineno)
    name = re.escape(parameter)
    entry = re.compile(rf"^(\s*)(?:{name}(?:\s*\([^)]*\))?\s*:|:param(?:\s+[\w.]+)?\s+{name}:)")
    for number in inside:
        match = entry.match(source.line(number))
        if match:
            last = number
            while last + 1 in inside and _continues(source.line(last + 1), match[1]):
                last += 1
            first = number - 1 if _is_only_entry(number, last, match[1], inside, source) else number
            if first < number and first - 1 in inside and not source.line(first - 1).strip():
                first -= 1
            return range(first, last + 1)
    return None


def _continues(line: str, indent: str) -> bool:
    text = line.strip()
    return bool(text) and line.startswith(indent) and line[len(indent)] in " \t"


def _is_only_entry(first: int, last: int, indent: str, inside: range, source: Source) -> bool:
    if first - 1 not in inside or not _HEADING.match(source.line(first - 1)):
        return False
    following = source.line(last + 1) if last + 1 in inside else ""
    return not (following.strip() and following.startswith(indent))
