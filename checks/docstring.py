"""Where a parameter is described in a docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from checks.source import Source

_HEADING = re.compile(r"^\s*(?:Args|Arguments|Parameters|Params|Keyword Args):\s*$")
_UNDERLINE = re.compile(r"^\s*-{3,}\s*$")


def entry_lines(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, parameter: str, source: Source
) -> range | None:
    """Return the lines of a docstring that describe a parameter, or None where they cannot be told.

    Google style (``name: text``, ``name (type): text`` under a heading), numpy style (``name : type`` under an
    underlined heading) and Sphinx style (``:param name:``, with ``:type name:``). A heading left with no entry goes
    too.
    """
    if not node.body or not isinstance(node.body[0], ast.Expr):
        return None
    literal = node.body[0].value
    if not isinstance(literal, ast.Constant) or not isinstance(literal.value, str):
        return None
    assert literal.end_lineno is not None
    # The opening and the closing line hold the quotes and stay.
    inside = range(literal.lineno + 1, literal.end_lineno)
    lines = [source.line(number) for number in inside]
    found = _sphinx(lines, parameter) or _section_entry(lines, parameter)
    if found is None or (found.stop == len(lines) and source.line(literal.end_lineno).strip(" \t")[:1] not in "\"'"):
        return None
    return range(inside.start + found.start, inside.start + found.stop)


def _sphinx(lines: Sequence[str], parameter: str) -> range | None:
    start = _first(lines, rf"^\s*:param(?:\s+[\w.]+)?\s+{re.escape(parameter)}:")
    if start is None:
        return None
    stop = _end_of_entry(lines, start)
    if stop < len(lines) and re.match(rf"^\s*:type\s+{re.escape(parameter)}:", lines[stop]):
        stop = _end_of_entry(lines, stop)
    return range(start, stop)


def _section_entry(lines: Sequence[str], parameter: str) -> range | None:
    """Return an entry of a section of parameters; with the section's heading if it is the only one."""
    start = _first(lines, rf"^\s*{re.escape(parameter)}(?:\s*\([^)]*\))?\s*:")
    if start is None:
        return None
    stop = _end_of_entry(lines, start)
    indent = _indent(lines[start])
    heading = start - 1
    while heading >= 0 and _belongs_to_section(lines[heading], indent):
        heading -= 1
    if heading < 0:
        return None
    underlined = bool(_UNDERLINE.match(lines[heading]))
    if not underlined and not _HEADING.match(lines[heading]):
        return None
    first_entry = all(not line.strip() for line in lines[heading + 1 : start])
    rest = next((line for line in lines[stop:] if line.strip()), "")
    last_entry = not rest or _indent(rest) < indent or (underlined and not _is_numpy_entry(rest))
    if not (first_entry and last_entry):
        return range(start, stop)
    begin = heading - 1 if underlined else heading
    while begin > 0 and not lines[begin - 1].strip():
        begin -= 1
    return range(begin, stop)


def _belongs_to_section(line: str, indent: int) -> bool:
    """Tell whether a line above an entry is blank, another entry or a part of one."""
    if not line.strip() or _indent(line) > indent:
        return True
    is_heading = _UNDERLINE.match(line) or _HEADING.match(line)
    return _indent(line) == indent and not is_heading and ":" in line


def _is_numpy_entry(line: str) -> bool:
    return " : " in line


def _end_of_entry(lines: Sequence[str], start: int) -> int:
    """Return the line behind an entry: what is indented deeper belongs to it, over blank lines too."""
    stop = at = start + 1
    while at < len(lines):
        if lines[at].strip():
            if _indent(lines[at]) <= _indent(lines[start]):
                break
            stop = at + 1
        at += 1
    return stop


def _first(lines: Sequence[str], pattern: str) -> int | None:
    return next((index for index, line in enumerate(lines) if re.match(pattern, line)), None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
