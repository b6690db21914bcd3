"""Says in one line why a text does not parse, and what to do about it."""

from __future__ import annotations

import re
import sys

_PYTHON_2 = (
    r"^\s*print\s+[\"'\w]",
    r"^\s*print\s*>>",
    r"^\s*exec\s+[\"'\w]",
    r"^\s*raise\s+\w[\w.]*\s*,",
    r"except\s+[\w.]+\s*,\s*\w+\s*:",
    r"`[^`]+`",
    r"<>",
    r"\b0[0-7]+\b",
    r"\bur[\"']",
)
# What each later grammar brought, by what the line at fault looks like.
_LATER = (
    ((3, 14), r"\bt[rR]?[\"']|except\s+[\w.]+\s*,\s*[\w.]+(\s*,\s*[\w.]+)*\s*:"),
    ((3, 13), r"^\s*(?:type|(?:async\s+)?def|class)\s+\w+\s*\[[^\]]*="),
    ((3, 12), r"^\s*type\s+\w+.*=|^\s*(?:async\s+)?(?:def|class)\s+\w+\s*\["),
    ((3, 12), r"\b[rR]?f[rR]?[\"']"),
)


def explain(error: Exception, text: str) -> str:
    """Return one line that says what is wrong with a text that does not parse."""
    if not isinstance(error, SyntaxError):
        return str(error).splitlines()[0]
    lines = re.split(r"\r\n|\r|\n", text)
    number = error.lineno or 1
    line = lines[number - 1] if number <= len(lines) else ""
    reason = f"line {number}: {error.msg}"
    if any(re.search(pattern, line) for pattern in _PYTHON_2) and not _reads_as_later(line):
        return f"{reason} (this looks like Python 2, which cannot be read)"
    for version, pattern in _LATER:
        if version > sys.version_info[:2] and re.search(pattern, line):
            needed, running = (".".join(map(str, v)) for v in (version, sys.version_info[:2]))
            return (
                f"{reason} (if this is Python {needed} syntax, run the tool under Python {needed}; this is {running})"
            )
    return reason


def _reads_as_later(line: str) -> bool:
    # ``except A, B:`` is Python 2 when B is a plain lower-case name, and 3.14 when both are classes.
    match = re.search(r"except\s+[\w.]+\s*,\s*([\w.]+)", line)
    return bool(match and match[1][:1].isupper())
