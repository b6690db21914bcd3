"""Files that set environment variables, as ``python-dotenv`` and Docker read them, and where each name stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from checks.datafile import DataFile, Written
from checks.source import Unreadable, contents, decode

_FILE = re.compile(
    r"(?:[\w-]+)?\.env|\.env\.(?!py$|pyi$)[\w.-]+|env\.(?:default|dev|dist|example|local|prod|sample|template|test)"
)
# A value in quotes may go over lines, in which nothing is set.
_LINE = re.compile(
    r"(?:\A|(?<=[\r\n]))[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_]\w*)[ \t]*="
    r"""[ \t]*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\r\n]*)""",
    re.DOTALL,
)


class VariableFile(DataFile):
    """A file that sets environment variables."""

    @cached_property
    def variables(self) -> list[Written]:
        """The names that it sets, in order."""
        return [Written(found["name"], *found.span("name")) for found in _LINE.finditer(self.text)]

    @property
    def parts(self) -> list[Written]:
        """The same: what rules look at."""
        return self.variables


def is_variable_file(path: Path) -> bool:
    """Tell by its name whether a file sets environment variables: ``.env``, ``.env.example``, ``bot.env``."""
    return "env" in path.name and _FILE.fullmatch(path.name) is not None


def names_any(path: Path, names: Iterable[str]) -> bool:
    """Tell whether one of some names occurs in a file that can be read."""
    try:
        data = contents(path)
        decode(data)
    except (OSError, Unreadable):
        return False
    return any(name.encode() in data for name in names)
