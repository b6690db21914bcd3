"""Build checks/pipecat/deprecations.tsv from released wheels: what upstream marks in them as deprecated.

    python scripts/build_deprecations.py WHEELS_FOLDER

The folder holds ``pipecat_ai-*.whl`` files, as for build_timeline.py, which is to be run before: of what is gone by the
newest release its timeline says since when. The same wheels give the same bytes. Facts only.

A row for each thing that is deprecated, in order of name: its dotted ``name``; its ``kind``; ``deprecated_in`` and
``removed_in``, the releases upstream states; the ``relation`` of what takes its place (``move``: a module elsewhere,
``rename``, ``use_existing``, ``none``) and that ``replacement``, the first name its text points at; ``gone_in``, the
release from which on it is not there, empty for what the newest one has. Of that the newest wheel says all; of what is
gone the last one that had a word of it, from 1.4.0 on.

Read are, by their form alone:

* ``.. deprecated:: X.Y.Z`` in a docstring. It is about what the docstring is of; about a parameter or field, if it
  stands in an entry of ``Args:``, ``Parameters:`` or ``Attributes:``; about an event, if in one of ``Events:`` or in an
  item of a list of them.
  In a module's ``Attributes:`` it is about a name of the module. One in a module's docstring that points at a key of a
  YAML file (``key:``) is about such files: kind ``file-key``.
* the text that ``@deprecated("…")`` is given, which wins where it names a replacement, and that of ``warn_deprecated``
  and of ``warnings.warn`` with a ``DeprecationWarning``, where no directive says it: both only if they state releases.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from build_timeline import DATA, is_public, release_of, sources

sys.path.insert(0, str(DATA.parent.parent))
from checks.pipecat import events, releases, timeline

HEADINGS = "name\tkind\tdeprecated_in\tremoved_in\trelation\treplacement\tgone_in"
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
# The first release whose texts all have one form, which upstream's own tests hold them to. Of what is gone by the
# newest release, what earlier ones say is not taken over.
UNIFORM = (1, 4, 0)

_DIRECTIVE = re.compile(r"\.\. deprecated::\s*(\d+\.\d+\.\d+)\s*$")
_SECTION = re.compile(r"(\w+):$")
_OF_ENTRIES = ("Args", "Parameters", "Attributes", "Events")
_LIST = "-"  # for a section, an item of a list
_ENTRY = re.compile(r"\**(\w+)(?: \([^)]*\))?:(?: |$)")
_EVENT = re.compile(r"- `*(on_\w+)`*:")
_REMOVED = re.compile(r"removed in (\d+\.\d+\.\d+)")
_TEMPLATE = re.compile(r"`([^`]+)` is deprecated since (\d+\.\d+\.\d+) and will be removed in (\d+\.\d+\.\d+)\. ")
_POINTER = re.compile(r":(\w+):`~?([^`]+)`|``([^`]+)``|`([^`]+)`")


@dataclass(frozen=True, order=True)
class Row:
    """A row of the table, or what a wheel says for one."""

    name: str
    kind: str
    since: str
    removed_in: str
    relation: str
    replacement: str
    gone_in: str = ""

    @property
    def text(self) -> str:
        """The row as it is written."""
        cells = (self.name, self.kind, self.since, self.removed_in, self.relation, self.replacement, self.gone_in)
        return "\t".join(cells)


@dataclass
class Module:
    """What a module marks as deprecated: what it defines, and the rows so far, by name and kind."""

    name: str
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    rows: dict[tuple[str, str], Row] = field(default_factory=dict[tuple[str, str], Row])

    def note(self, name: str, kind: str, since: str, text: str) -> None:
        """Note a row; the first one of a name and kind stays."""
        self.rows.setdefault((name, kind), row_of(name, kind, since, text))


# -- what a text says


def row_of(name: str, kind: str, since: str, text: str) -> Row:
    """Return what a directive's body, or a message behind its first sentence, says of a name."""
    removed = _REMOVED.search(text)
    relation, replacement = successor_in(text)
    if kind == "module" and replacement.endswith(("}", ":")):
        kind = "file-key"
    return Row(name, kind, since, removed[1] if removed else "", relation, replacement)


def successor_in(text: str) -> tuple[str, str]:
    """Return the relation of the first thing that a text points at, and that; a module is moved to."""
    found = _POINTER.search(text, max(text.find("Use "), 0))
    if text.startswith("No replacement") or found is None:
        return "none", ""
    role, pointed, literal, quoted = found.groups()
    relation = "move" if role == "mod" else "rename" if text.startswith("Renamed") else "use_existing"
    return relation, pointed or literal or quoted


# -- docstrings


def directives(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield of each directive in a docstring the section and the entry it stands in, its release and its body."""
    lines = list(prose(inspect.cleandoc(text).splitlines()))
    section, entry, depth = "", "", 0
    for index, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        heading, event = _SECTION.match(line), _EVENT.match(line)
        directive = _DIRECTIVE.match(line.strip())
        if directive:
            if entry or not indent:  # of what an indented one is about elsewhere, nothing is known
                of_entry = (section, entry) if indent else ("", "")
                yield *of_entry, directive[1], body_of(lines[index + 1 :], indent)
        elif heading and indent == 0:
            section, entry, depth = heading[1], "", 0
        elif event:
            section, entry = _LIST, event[1]
        elif line.strip() and indent == 0:
            section, entry = "", ""
        elif line.strip() and section in _OF_ENTRIES:
            depth = depth or indent
            if indent == depth:
                item = _ENTRY.match(line.strip())
                entry = item[1] if item else ""


def prose(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that are not of a literal block, which shows what a docstring may look like."""
    literal: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if literal is not None and line.strip() and indent <= literal:
            literal = None
        if literal is None:
            yield line
            literal = indent if line.rstrip().endswith("::") else None


def body_of(lines: Iterable[str], indent: int) -> str:
    """Return the lines that stand deeper than a directive, as one."""
    kept: list[str] = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        kept.append(line.strip())
    return " ".join(" ".join(kept).split())


def read_docstring(node: ast.Module | Definition, name: str, kind: str, module: Module) -> None:
    """Note what the docstring of a module, class or function says, under the names its parts go by."""
    text = ast.get_docstring(node, clean=False) or ""
    for section, entry, since, body in directives(text) if ".. deprecated::" in text else ():
        if not entry:
            module.note(name, kind, since, body)
        elif section in ("Events", _LIST):
            module.note(f"{name}.{entry}", "event", since, body)
        elif isinstance(node, ast.Module):
            module.note(f"{name}.{entry}", "class" if entry[:1].isupper() else "value", since, body)
        else:
            module.note(f"{name.removesuffix('.__init__')}.{entry}", "parameter", since, body)


# -- messages


def text_of(call: ast.Call) -> str:
    """Return the text a call is given first, ``…`` for what is worked out in it."""
    first = call.args[0] if call.args else None
    parts = first.values if isinstance(first, ast.JoinedStr) else [first]
    return "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in parts)


def read_decorators(node: Definition, name: str, kind: str, module: Module) -> None:
    """Note what ``@deprecated`` says of a definition; it wins over a directive."""
    for one in node.decorator_list:
        found = _TEMPLATE.match(text_of(one)) if isinstance(one, ast.Call) and is_named(one, "deprecated") else None
        if isinstance(one, ast.Call) and found:
            said = replace(row_of(name, kind, found[2], text_of(one)[found.end() :]), removed_in=found[3])
            known = module.rows.get((name, kind), said)
            module.rows[name, kind] = replace(
                known,
                removed_in=known.removed_in or said.removed_in,
                relation=said.relation if known.relation == "none" else known.relation,
                replacement=said.replacement or known.replacement,
            )


def read_warnings(node: ast.AST, within: str, parameters: set[str], module: Module) -> None:
    """Note what the warnings in a function say of its parameters, or of a name of its module."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not is_warning(call):
            continue
        found = _TEMPLATE.match(text_of(call))
        if not found:
            continue
        subject, leaf = found[1], found[1].removesuffix("=...)").replace("(", ".").rpartition(".")[2]
        if leaf in parameters:
            name, kind = f"{within.removesuffix('.__init__')}.{leaf}", "parameter"
        else:
            owner = within.rpartition(".")[0]
            names = (f"{module.name}.{subject}", f"{owner}.{subject}")
            name = next((one for one in names if one in module.kinds), "")
            kind = module.kinds.get(name, "")
        if name and not any(known == name for known, _ in module.rows):
            row = row_of(name, kind, found[2], text_of(call)[found.end() :])
            module.rows[name, kind] = replace(row, removed_in=found[3])


def is_warning(call: ast.Call) -> bool:
    """Tell whether a call warns of something deprecated."""
    if is_named(call, "warn_deprecated"):
        return True
    given = [*call.args, *(one.value for one in call.keywords)]
    return is_named(call, "warn") and any(isinstance(one, ast.Name) and one.id == "DeprecationWarning" for one in given)


def is_named(call: ast.Call, name: str) -> bool:
    """Tell whether what is called goes by a name, whatever it is taken from."""
    return ast.unparse(call.func).rpartition(".")[2] == name


# -- modules


def read_module(name: str, text: bytes) -> list[Row]:
    """Return what one module marks as deprecated."""
    module = Module(name)
    tree = ast.parse(text)
    found = list(definitions(tree, name, is_class=False))
    module.kinds = {dotted: kind for _, dotted, kind in found}
    read_docstring(tree, name, "module", module)
    for node, dotted, kind in found:
        read_docstring(node, dotted, kind, module)
        read_decorators(node, dotted, kind, module)
    for node, dotted, _ in found:
        if not isinstance(node, ast.ClassDef):
            arguments = node.args
            given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            read_warnings(node, dotted, {one.arg for one in given}, module)
    return [row for row in module.rows.values() if is_public(row.name)]


def definitions(node: ast.AST, name: str, *, is_class: bool) -> Iterator[tuple[Definition, str, str]]:
    """Yield the classes and functions of a module or class, however deep in ``if`` and ``try``, with name and kind."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield child, f"{name}.{child.name}", "class"
            yield from definitions(child, f"{name}.{child.name}", is_class=True)
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = {ast.unparse(one).rpartition(".")[2] for one in child.decorator_list}
            is_property = decorators & {"property", "cached_property", "setter"}
            yield child, f"{name}.{child.name}", "property" if is_property else "method" if is_class else "function"
        elif isinstance(child, (ast.If, ast.Try, ast.ExceptHandler, ast.With)):
            yield from definitions(child, name, is_class=is_class)


def read_wheel(wheel: Path, known: dict[tuple[str, str], list[Row]]) -> list[Row]:
    """Return what one release marks as deprecated; ``known`` keeps what is read already, by name and contents."""
    rows: list[Row] = []
    for name, text, _ in sources(wheel):
        key = (name, hashlib.sha256(text).hexdigest())
        if key not in known:
            known[key] = read_module(name, text) if b"deprecat" in text else []
        rows += known[key]
    return rows


# -- releases


def build(wheels: Sequence[Path]) -> str:
    """Return the table of these wheels, in order of release."""
    known: dict[tuple[str, str], list[Row]] = {}
    gone: dict[tuple[str, str], Row] = {}
    for wheel in wheels[:-1]:
        if release_of(wheel) >= UNIFORM:
            gone |= {(row.name, row.kind): row for row in read_wheel(wheel, known)}
    rows = read_wheel(wheels[-1], known)
    for row in rows:
        gone.pop((row.name, row.kind), None)
    for row in gone.values():
        ended = gone_in(row)
        rows += [replace(row, gone_in=ended)] if ended else []
    return "\n".join([HEADINGS, *(row.text for row in sorted(rows)), ""])


def gone_in(row: Row) -> str:
    """Return the release from which on what a row is about is not there, nothing if the newest one has it."""
    missing = itertools.takewhile(lambda release: not is_there(row, release), reversed(releases.RELEASES))
    return str(min(missing, default=""))


def is_there(row: Row, release: releases.Release) -> bool:
    """Tell whether a release has what a row is about, or may have it, by the timeline."""
    if row.kind in ("module", "class", "function", "value", "file-key"):
        return timeline.exists(row.name, release) is not False
    owner, _, leaf = row.name.rpartition(".")
    if timeline.exists(owner, release) is False:
        return False
    if row.kind == "event":
        known = events.known_to(owner, release)
        return known is None or leaf in known
    member = timeline.member(owner, leaf, release)
    if row.kind in ("method", "property"):
        return member is not None
    built = timeline.constructor(owner, release)
    if built is not None:  # a field may be no parameter; what is set on ``self`` is no field
        return leaf in built.keywords or member not in (None, "self")
    outer, _, method = owner.rpartition(".")
    if timeline.exists(outer, release) is False:
        return False
    called = timeline.signature(outer, method, release)
    return called is None or leaf in {*called.by_place, *called.by_keyword}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    table = build(sorted(Path(sys.argv[1]).glob("pipecat_ai-*.whl"), key=release_of))
    (DATA / "deprecations.tsv").write_text(table, encoding="utf-8")
