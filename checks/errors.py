"""The one exception that ends a run with a single line on stderr and exit code 2."""

from __future__ import annotations

from collections.abc import Iterable

_SHORT = 80


class UsageError(Exception):
    """The tool was asked for something it cannot do; the message is one line for the user."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that does not exist, with the nearest one that does."""
    import difflib

    name = shortened(name)
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return UsageError(f"unknown {kind} {name!r}{hint}")


def shortened(text: str) -> str:
    """Return a text as far as a person needs to know it again."""
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
