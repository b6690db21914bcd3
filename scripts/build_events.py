"""Build checks/pipecat/events.tsv from released wheels: which class knows which events in which releases.

    python scripts/build_events.py WHEELS_FOLDER

The folder is the one that build_timeline.py reads. The same wheels give the same bytes. Facts only: names and releases.

A row is a class, by its dotted name where it is defined, an event that it registers by itself, with
``self._register_event_handler``, and the release from which on and, if it ended, the one until which that is so. What
it has from its bases is looked up in the timeline.

The event ``*`` says that a class may know any: it registers one whose name is not written out, or has its own way of
taking handlers. The class ``*`` stands for all: something registers an event for an object that is not itself.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from build_timeline import DATA, History, release_of, sources

HEADINGS = "class\tevent\tsince\tuntil"
ANY = "*"
# Where the ways are defined that all other classes have.
HOME = "pipecat.utils.base_object"
REGISTER, KEPT = "_register_event_handler", "_event_handlers"
WAYS = ("event_handler", "add_event_handler", REGISTER)

Pair = tuple[str, str]


def read_module(name: str, text: bytes) -> set[Pair]:
    """Return the classes of a module with the events they register."""
    return set(_read(ast.parse(text), name, ANY)) if name != HOME else set()


def _read(node: ast.AST, within: str, owner: str) -> Iterator[Pair]:
    """Yield what the code in a node registers, that of classes in it for these."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef():
                yield from _read(child, f"{within}.{child.name}", f"{within}.{child.name}")
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef() if child.name in WAYS:
                yield owner, ANY
            case ast.Call(func=ast.Attribute(value=asked, attr=name)) if name == REGISTER:
                yield owner if _is_itself(asked) else ANY, _event_of(child)
            case ast.Attribute(value=asked, attr=name) if name == KEPT:
                yield owner if _is_itself(asked) else ANY, ANY
            case ast.Attribute(attr=name) if name == REGISTER and not _is_called(child, node):
                yield owner, ANY
            case ast.Constant(value=name) if name in (REGISTER, KEPT):
                yield owner, ANY
            case _:
                pass
        yield from _read(child, within, owner)


def _is_itself(asked: ast.expr) -> bool:
    return ast.unparse(asked) in ("self", "super()")


def _is_called(node: ast.Attribute, parent: ast.AST) -> bool:
    return isinstance(parent, ast.Call) and parent.func is node


def _event_of(call: ast.Call) -> str:
    """Return the event a call registers, by place or keyword."""
    given = [*call.args[:1], *(one.value for one in call.keywords if one.arg == "event_name")]
    match given:
        case [ast.Constant(value=str(event))]:
            return event
        case _:
            return ANY


def build(wheels: Sequence[Path]) -> str:
    """Return the table of these wheels, in order of release."""
    known: dict[Pair, set[Pair]] = {}
    histories: dict[Pair, History] = {}
    for index, wheel in enumerate(wheels):
        found: set[Pair] = set()
        for name, text, _ in sources(wheel):
            if b"event_handler" in text:
                key = (name, hashlib.sha256(text).hexdigest())
                if key not in known:
                    known[key] = read_module(name, text)
                found |= known[key]
        for pair in found:
            histories.setdefault(pair, History()).note(index)
    releases = [".".join(map(str, release_of(wheel))) for wheel in wheels]
    rows = [
        "\t".join([owner, event, releases[since], "" if until is None else releases[until]])
        for (owner, event), history in sorted(histories.items())
        for since, until, _ in history.runs(len(wheels))
    ]
    return "\n".join([HEADINGS, *rows, ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    table = build(sorted(Path(sys.argv[1]).glob("pipecat_ai-*.whl"), key=release_of))
    (DATA / "events.tsv").write_text(table, encoding="ascii")
