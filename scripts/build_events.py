"""Build events.tsv and event_calls.tsv in checks/pipecat from released wheels: the events of each class and release.

    python scripts/build_events.py WHEELS_FOLDER

The folder is the one that build_timeline.py reads. The same wheels give the same bytes. Facts only: names and releases.

A row of events.tsv is a class, by its dotted name where it is defined, an event that it registers by itself, with
``self._register_event_handler``, and the release from which on and, if it ended, the one until which that is so. What
it has from its bases is looked up in the timeline.

The event ``*`` says that a class may know any: it registers one whose name is not written out, or has its own way of
taking handlers. The class ``*`` stands for all: something registers an event for an object that is not itself.

A row of event_calls.tsv is a class, an event whose handlers it calls by itself, with ``self._call_event_handler``, what
it hands to them behind the object, and the releases. Of an argument the name is said where one is written, the same in
every such call with as many arguments, and ``_`` where not. ``(*)`` says that it may hand on any arguments.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from build_timeline import DATA, History, release_of, sources

HEADINGS = "class\tevent\tsince\tuntil"
CALL_HEADINGS = "class\tevent\targuments\tsince\tuntil"
ANY = "*"
# Where the ways are defined that all other classes have.
HOME = "pipecat.utils.base_object"
REGISTER, KEPT = "_register_event_handler", "_event_handlers"
WAYS = ("event_handler", "add_event_handler", REGISTER)
CALL, RUNS = "_call_event_handler", ("_run_task", "_run_handler")
UNTOLD, UNNAMED = ("*",), "_"

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


def read_calls(name: str, text: bytes) -> set[tuple[str, ...]]:
    """Return the classes of a module with the events whose handlers they call, and the arguments, as text."""
    merged: dict[tuple[str, str, int], tuple[str, ...]] = {}
    for owner, event, arguments in _calls(ast.parse(text), name, ANY) if name != HOME else ():
        key = (owner, event, -1 if arguments == UNTOLD else len(arguments))
        pairs = zip(merged.get(key, arguments), arguments, strict=True)
        merged[key] = tuple(one if one == other else UNNAMED for one, other in pairs)
    return {(owner, event, f"({','.join(names)})") for (owner, event, _), names in merged.items()}


def _calls(node: ast.AST, within: str, owner: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield what the code in a node calls the handlers of, that of classes in it for these."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef():
                yield from _calls(child, f"{within}.{child.name}", f"{within}.{child.name}")
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef() if child.name in (CALL, *RUNS):
                yield owner, ANY, UNTOLD
            case ast.Call(func=ast.Attribute(value=asked, attr=name)) if name == CALL:
                yield owner if _is_itself(asked) else ANY, _event_of(child), _handed(child)
            case ast.Attribute(attr=name) if name == CALL and not _is_called(child, node):
                yield owner, ANY, UNTOLD
            case ast.Constant(value=name) if name == CALL:
                yield owner, ANY, UNTOLD
            case _:
                pass
        yield from _calls(child, within, owner)


def _handed(call: ast.Call) -> tuple[str, ...]:
    """Return the names of the arguments that a call hands to handlers."""
    if call.keywords or any(isinstance(one, ast.Starred) for one in call.args):
        return UNTOLD
    return tuple(one.id if isinstance(one, ast.Name) else UNNAMED for one in call.args[1:])


def build(wheels: Sequence[Path]) -> str:
    """Return the table of what these wheels register, in order of release."""
    return _table(HEADINGS, read_module, wheels)


def build_calls(wheels: Sequence[Path]) -> str:
    """Return the table of what these wheels call handlers with, in order of release."""
    return _table(CALL_HEADINGS, read_calls, wheels)


def _table(headings: str, read: Callable[[str, bytes], Iterable[tuple[str, ...]]], wheels: Sequence[Path]) -> str:
    known: dict[Pair, Iterable[tuple[str, ...]]] = {}
    histories: dict[tuple[str, ...], History] = {}
    for index, wheel in enumerate(wheels):
        found: set[tuple[str, ...]] = set()
        for name, text, _ in sources(wheel):
            if b"event_handler" in text:
                key = (name, hashlib.sha256(text).hexdigest())
                if key not in known:
                    known[key] = read(name, text)
                found.update(known[key])
        for row in found:
            histories.setdefault(row, History()).note(index)
    releases = [".".join(map(str, release_of(wheel))) for wheel in wheels]
    rows = [
        "\t".join([*row, releases[since], "" if until is None else releases[until]])
        for row, history in sorted(histories.items())
        for since, until, _ in history.runs(len(wheels))
    ]
    return "\n".join([headings, *rows, ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = sorted(Path(sys.argv[1]).glob("pipecat_ai-*.whl"), key=release_of)
    (DATA / "events.tsv").write_text(build(found), encoding="ascii")
    (DATA / "event_calls.tsv").write_text(build_calls(found), encoding="ascii")
