"""The API of every known Pipecat release, as read from the released wheels by scripts/build_timeline.py.

The data is a line of JSON for each module (its form is described there). It is read as one text; a module's line is
only taken apart when somebody asks for that module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import Enum
from functools import cache
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar, cast

from checks.pipecat import tables
from checks.pipecat.releases import RELEASES, Release

# Members that classes have from bases which are not Pipecat's.
_OF_PYTHON: dict[str, type] = {"enum.Enum": Enum, "enum.IntEnum": Enum, "enum.StrEnum": Enum, "str": str, "int": int}
_OF_MODEL = ("construct", "copy", "dict", "from_orm", "json", "parse_obj", "parse_raw", "schema", "validate")
_READ_OF_MODEL = ("config", "computed_fields", "extra", "fields", "fields_set", "parametrized_name", "post_init")
_DONE_BY_MODEL = ("construct", "copy", "dump", "dump_json", "json_schema", "rebuild")
_VALIDATES = ("validate", "validate_json", "validate_strings")
ValueT = TypeVar("ValueT")
Run = tuple[int, int | None, ValueT]
_INDEX = {release: index for index, release in enumerate(RELEASES)}
BASE_MODEL = "pydantic.BaseModel"
_DATACLASSES = ("dataclasses.dataclass", "dataclass")
_FATES: dict[str, Literal["refused"]] = {"extra=forbid": "refused"}
_PLAIN = ("object", "abc.ABC", "typing.Generic", "typing.Protocol", "Generic", "ABC")


class _Class(TypedDict, total=False):
    b: list[Run[list[str]]]
    k: list[Run[list[str]]]
    i: list[Run[str]]
    o: list[Run[str]]
    m: dict[str, list[Run[str]]]
    g: dict[str, list[Run[str]]]


class _Module(TypedDict, total=False):
    r: list[Run[str]]
    d: list[Run[str]]
    a: dict[str, list[Run[str]]]
    v: dict[str, list[Run[str]]]
    f: dict[str, list[Run[str]]]
    c: dict[str, _Class]


@cache
def _text() -> str:
    return "\n" + tables.text("timeline.txt")


@cache
def _lines() -> dict[str, str]:
    return dict(cast(tuple[str, str], line.split("\t", 1)) for line in _text().split("\n") if line)


@cache
def _module(name: str) -> _Module | None:
    """Return what is known of a module, or None if no release has it."""
    line = _lines().get(name)
    return cast(_Module, json.loads(line)) if line is not None else None


@cache
def _private_lines() -> dict[str, str]:
    return dict(cast(tuple[str, str], line.split("\t", 1)) for line in tables.text("private.txt").splitlines())


@cache
def _private(name: str) -> dict[str, list[Run[str]]]:
    """Return by class where a private member that some class has lost is defined; empty for any other name."""
    line = _private_lines().get(name)
    return cast(dict[str, list[Run[str]]], json.loads(line)) if line is not None else {}


@cache
def module_names() -> tuple[str, ...]:
    """Return the dotted name of every module of any release."""
    return tuple(_lines())


def _at(runs: list[Run[ValueT]], index: int) -> ValueT | None:
    for since, until, value in runs:
        if since <= index and (until is None or index < until):
            return value
    return None


def _last(runs: list[Run[ValueT]], index: int) -> ValueT | None:
    """Return the value at a release, else that of the last release before it that had one, else the first."""
    found = _at(runs, index)
    if found is not None or not runs:
        return found
    earlier = [value for since, _, value in runs if since <= index]
    return earlier[-1] if earlier else runs[0][2]


# -- names


class Place(NamedTuple):
    """A dotted name taken apart: its module, and what of the name stands within it (``""``: the module itself)."""

    module: str
    name: str


@cache
def place(dotted: str) -> Place | None:
    """Return where a dotted name is defined or was, by the longest module that any release has; None for no module's.

    ``pipecat.services.cartesia.tts.CartesiaTTSService.InputParams`` is a name of ``pipecat.services.cartesia.tts``.
    """
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        if _module(module) is not None:
            return Place(module, ".".join(parts[length:]))
    return None


def _runs_of(found: _Module, name: str) -> list[Run[Any]]:
    """Return the runs in which a module has a name, whatever it stands for there."""
    if not name:
        return list(found.get("r", []))
    runs: list[Run[Any]] = []
    for kind in ("a", "v", "f"):
        runs += found.get(kind, {}).get(name, [])
    known = found.get("c", {}).get(name)
    return [*runs, *known.get("b", [])] if known is not None else runs


@cache
def exists(dotted: str, release: Release) -> bool | None:
    """Tell whether a release has a module, or a name of a module; None if that cannot be told.

    Of what no release has nothing can be told: it may be made at run time, or by another package. Of private names
    only classes are known.
    """
    at = place(dotted)
    found = _module(at.module) if at is not None else None
    if at is None or found is None:
        return None
    index = _INDEX[release]
    outer = at.name.partition(".")[0]
    if _at(found.get("d", []), index) is not None:
        return None
    if outer.startswith("_") and outer not in found.get("c", {}):
        return None
    runs = _runs_of(found, at.name)
    if not runs:
        return _member_exists(at, found, release)
    if _at(runs, index) is not None:
        return True
    # A submodule is an attribute of its package too.
    return exists_module(f"{at.module}.{at.name}", release) if at.name else False


def exists_module(dotted: str, release: Release) -> bool:
    """Tell whether a release has a module of that name."""
    found = _module(dotted)
    return found is not None and _at(found.get("r", []), _INDEX[release]) is not None


def _member_exists(at: Place, found: _Module, release: Release) -> bool | None:
    """Tell whether a name within a name exists: a class within a class, or an attribute of what an alias leads to."""
    outer, _, rest = at.name.partition(".")
    index = _INDEX[release]
    target = _at(found.get("a", {}).get(outer, []), index)
    if target is not None and rest:
        return exists(f"{target}.{rest}", release)
    dotted = f"{at.module}.{at.name}"
    inner = canonical(dotted, release) if rest else dotted
    return exists(inner, release) if inner != dotted else None


def history(dotted: str) -> list[tuple[Release, Release | None]]:
    """Return in which releases a name exists: from each first one to the first without it, None for still there."""
    at = place(dotted)
    found = _module(at.module) if at is not None else None
    if at is None or found is None:
        return []
    spans: list[tuple[int, int | None]] = []
    for since, until, _ in sorted(_runs_of(found, at.name), key=lambda run: (run[0], run[1] is None)):
        if spans and spans[-1][1] == since:
            spans[-1] = (spans[-1][0], until)
        else:
            spans.append((since, until))
    return [(RELEASES[since], None if until is None else RELEASES[until]) for since, until in spans]


def gone_since(dotted: str, release: Release) -> Release | None:
    """Return the release from which on a name, which exists no more in the one given, is missing."""
    ends = [until for since, until in history(dotted) if until is not None and since <= release]
    return max((end for end in ends if end <= release), default=None)


def last_with(dotted: str, release: Release) -> Release:
    """Return the last release before one that has a name; that one itself where none has."""
    return next((one for one in reversed(RELEASES[: RELEASES.index(release)]) if exists(dotted, one)), release)


def names_of(module: str) -> Iterator[str]:
    """Yield every public name any release has in a module, nested classes included."""
    found = _module(module)
    if found is not None:
        for kind in ("a", "v", "f", "c"):
            yield from found.get(kind, {})


# -- classes


@cache
def canonical(name: str, release: Release) -> str:
    """Return the dotted name a class is defined under, where a module, or a class around it, only passes it on.

    A name that the release no longer has stands for what it stood for last.
    """
    at = place(name)
    found = _module(at.module) if at is not None else None
    if at is None or found is None or not at.name:
        return name
    index = _INDEX[release]
    outer, _, rest = at.name.partition(".")
    passed_on = found.get("a", {}).get(outer, [])
    target = _at(passed_on, index)
    defined = found.get("c", {}).get(outer, {}).get("b", [])
    if target is None and _at(defined, index) is None and _latest(passed_on, index) > _latest(defined, index):
        target = _last(passed_on, index)
    owner = target if target is not None else f"{at.module}.{outer}"
    return _within(owner, rest, release) if rest else owner


def _within(owner: str, rest: str, release: Release) -> str:
    """Return what a name within a class stands for: a class that it or an ancestor defines, or has under that name."""
    inner, _, deeper = rest.partition(".")
    index = _INDEX[release]
    for ancestor in lineage(owner, release):
        at = place(ancestor)
        found = _module(at.module) if at is not None else None
        known = found.get("c", {}).get(at.name) if at is not None and found is not None else None
        value = (_last(known.get("m", {}).get(inner, []), index) or "") if known is not None else ""
        if value == "class" or value.startswith("="):
            dotted = f"{ancestor}.{inner}" if value == "class" else canonical(value[1:], release)
            return _within(dotted, deeper, release) if deeper else dotted
    return f"{owner}.{rest}"


def _latest(runs: list[Run[Any]], index: int) -> int:
    """Return the last release up to one in which something was there, -1 for none."""
    return max(
        (index if until is None else min(until - 1, index) for since, until, _ in runs if since <= index), default=-1
    )


def _class(name: str, release: Release) -> _Class | None:
    return _defined(canonical(name, release))


@cache
def _defined(name: str) -> _Class | None:
    """Return what is known of a class under the name of its own place."""
    at = place(name)
    found = _module(at.module) if at is not None else None
    return found.get("c", {}).get(at.name) if at is not None and found is not None else None


def bases(name: str, release: Release) -> tuple[str, ...]:
    """Return the dotted names of a class's bases.

    A class the release no longer has answers for the last release that had it: code that still names it derives from
    what it was.
    """
    found = _class(name, release)
    return tuple(_last(found.get("b", []), _INDEX[release]) or ()) if found is not None else ()


def ancestors(name: str, release: Release) -> set[str]:
    """Return the dotted names of a class and of everything it derives from."""
    return set(lineage(name, release))


@cache
def lineage(name: str, release: Release) -> tuple[str, ...]:
    """Return the dotted names of a class and of its ancestors, nearest first."""
    found: list[str] = []
    todo = [canonical(name, release)]
    while todo:
        one = todo.pop(0)
        if one not in found:
            found.append(one)
            todo = [*(canonical(base, release) for base in bases(one, release)), *todo]
    return tuple(found)


class Constructor(NamedTuple):
    """What a class can be built with: keywords, and what becomes of any other one.

    ``swallowed``: ignored without a word; ``refused``: TypeError or a validation error; None: it cannot be told.
    """

    keywords: frozenset[str]
    others: Literal["swallowed", "refused"] | None


@cache
def constructor(name: str, release: Release) -> Constructor | None:
    """Return what a release's class can be built with; None for a class it does not have.

    Where a class has several bases, what any of them takes is taken: better silent than wrong.
    """
    found = _class(name, release)
    if found is None or _at(found.get("b", []), _INDEX[release]) is None:
        return None
    is_model = BASE_MODEL in lineage(name, release)
    return _built_with(canonical(name, release), release, is_model, frozenset())


def lacking(name: str, keywords: Iterable[str], releases: Iterable[Release]) -> Release | None:
    """Return the first of some releases whose class cannot be built with all of these keywords, None if each can."""
    wanted = set(keywords)
    for release in releases:
        takes = constructor(name, release)
        if takes is None or not wanted <= takes.keywords:
            return release
    return None


def _built_with(name: str, release: Release, is_model: bool, seen: frozenset[str]) -> Constructor:
    if name == BASE_MODEL:
        return Constructor(frozenset(), "swallowed")
    found = _class(name, release)
    if found is None or name in seen:
        return Constructor(frozenset(), "refused" if name in _PLAIN else None)
    index = _INDEX[release]
    own = _at(found.get("i", []), index)
    kinds = _at(found.get("k", []), index) or []
    names: set[str] = set()
    rest: str | None = ">"
    if own is not None:
        names, rest = _taken_apart(own)
    elif is_model or any(kind in _DATACLASSES for kind in kinds):
        names = {part.rstrip("=") for part in (_at(found.get("o", []), index) or "").split(",") if part}
    if rest is None:
        return Constructor(frozenset(names), "refused")
    if rest in ("", "?"):
        return Constructor(frozenset(names), None if rest else "swallowed")
    above = [_built_with(canonical(base, release), release, is_model, seen | {name}) for base in bases(name, release)]
    keywords = frozenset(names).union(*(one.keywords for one in above))
    fates = {one.others for one in above}
    for kind in kinds:
        if kind.startswith("extra="):
            return Constructor(keywords, "swallowed" if kind == "extra=ignore" else _FATES.get(kind))
    if None in fates:
        return Constructor(keywords, None)
    return Constructor(keywords, "swallowed" if "swallowed" in fates else "refused")


@cache
def positional(name: str, release: Release) -> tuple[str, ...]:
    """Return the parameters that a class takes by place, in order; of one that is gone, those it took last."""
    found = _class(name, release)
    if found is None:
        return ()
    index = _INDEX[release]
    own = _last(found.get("i", []), index)
    if own is not None:
        head = own[own.index("(") + 1 : -1].partition("*")[0]
        return tuple(part.rstrip("=") for part in head.split(",") if part and part != "/")
    above = (positional(canonical(base, release), release) for base in bases(name, release))
    if not any(kind in _DATACLASSES for kind in _last(found.get("k", []), index) or []):
        return next((names for names in above if names), ())
    fields = [part.rstrip("=") for part in (_last(found.get("o", []), index) or "").split(",") if part]
    return tuple(dict.fromkeys([name for names in above for name in names] + fields))


def _taken_apart(signature: str) -> tuple[set[str], str | None]:
    """Return the keywords of a signature, and the fate of others: None where it takes none."""
    names: set[str] = set()
    rest: str | None = None
    for part in signature[signature.index("(") + 1 : -1].split(","):
        if part.startswith("**"):
            rest = part[-1] if part[-1] in ">?" else ""
        elif part and not part.startswith("*") and part != "/":
            names.add(part.rstrip("="))
    return names, rest


@cache
def defines(name: str, member: str, release: Release) -> bool:
    """Tell whether a class itself, not an ancestor, has a member, or a parameter of its constructor."""
    found = _class(name, release)
    if found is None:
        return False
    index = _INDEX[release]
    if _at(found.get("m", {}).get(member, []), index) is not None:
        return True
    return member in _taken_apart(_at(found.get("i", []), index) or "()")[0]


@cache
def member(owner: str, name: str, release: Release) -> str | None:
    """Return what a class has under a name in a release, its nearest ancestor's; None where none has one.

    It is a signature, or the word for it that scripts/build_timeline.py says. Of private names only those are known
    that some class has lost.
    """
    index = _INDEX[release]
    for ancestor in lineage(owner, release):
        found: _Class = _class(ancestor, release) or {}
        runs = _private(name).get(ancestor) if name in _private_lines() else found.get("m", {}).get(name)
        value = _at(runs or [], index)
        if value is not None:
            return value
    return None


class Given(NamedTuple):
    """Of which class of Pipecat's an object is, and whether it is of just that class or may be of one below."""

    name: str
    is_exact: bool


@cache
def given(owner: str, name: str, release: Release) -> Given | None:
    """Return what an object of just a class gives by a method, a property, or (``[0]``) when it is unpacked.

    The class's nearest ancestor that has such a member decides; None where there is none, or it cannot be told.
    """
    index = _INDEX[release]
    line = lineage(owner, release)
    for ancestor in line:
        found: _Class = _class(ancestor, release) or {}
        value = _at(found.get("g", {}).get(name, []), index)
        if value is not None:
            # A class below may keep another object where its ancestor looks.
            return Given(value.rstrip("+"), not value.endswith("+") and ancestor == line[0])
        if _at(found.get("m", {}).get(name, []), index) is not None:
            break
    return None


@cache
def last_member(owner: str, name: str, release: Release) -> tuple[Release, str] | None:
    """Return the last release before one in which a class had a member, and what it was."""
    above = _ever_above(owner)
    if not any(name in names for names in above.values()) and above.keys().isdisjoint(_private(name)):
        return None
    for earlier in reversed(RELEASES[: _INDEX[release]]):
        value = member(owner, name, earlier)
        if value is not None:
            return earlier, value
    return None


@cache
def _ever_above(owner: str) -> dict[str, Collection[str]]:
    """Return a class and what it derives from in whatever release, each with the members it has in any."""
    names = {ancestor for release in RELEASES for ancestor in lineage(owner, release)}
    return {name: (_defined(name) or {}).get("m", {}) for name in names}


@cache
def lost() -> frozenset[str]:
    """Return the name of every public member that some class had in a release and had no more in a later one."""
    return frozenset(tables.text("lost.txt").split())


@cache
def lost_private() -> frozenset[str]:
    """Return the name of every private member that some class had in a release and had no more in a later one.

    Left out are those that Pipecat itself sets on an object from outside its class.
    """
    return frozenset(_private_lines())


def lost_members(modules: Iterable[str]) -> Iterator[str]:
    """Yield the same for classes of some modules, worked out of the timeline, some more than once; slow."""
    for owner in _classes(modules):
        before: frozenset[str] = frozenset()
        for release in _releases_with(owner):
            now = _members(canonical(owner, release), release)
            yield from before - now
            before |= now


@cache
def narrowed() -> frozenset[str]:
    """Return the name of every method that in some class took an argument in a release and not in a later one."""
    return frozenset(tables.text("narrowed.txt").split())


def narrowed_methods(modules: Iterable[str]) -> Iterator[str]:
    """Yield the same for classes of some modules, worked out of the timeline, some more than once; slow."""
    for owner in _classes(modules):
        before: dict[str, set[str]] = {}
        for release in _releases_with(owner):
            for name, taken in _arguments(canonical(owner, release), release).items():
                known = before.setdefault(name, set())
                if not known <= taken:
                    yield name
                known |= taken


@cache
def _arguments(owner: str, release: Release) -> dict[str, frozenset[str]]:
    """Return what each public method of a class takes in a release."""
    names = [name for name in _members(owner, release) if "(" in (member(owner, name, release) or "")]
    found = {name: signature(owner, name, release) for name in names}
    return {name: frozenset((*one.by_place, *one.by_keyword)) for name, one in found.items() if one is not None}


def _releases_with(owner: str) -> Iterator[Release]:
    """Yield the releases that have a class, in order."""
    for index, release in enumerate(RELEASES):
        found = _class(owner, release)
        if found is not None and _at(found.get("b", []), index) is not None:
            yield release


def _classes(modules: Iterable[str]) -> list[str]:
    """Return the dotted name of every class of some modules, and of those within them."""
    outer = [f"{module}.{name}" for module in modules for name in names_of(module)]
    return [*outer, *(f"{owner}.{name}" for owner in outer for name in _inner(owner))]


def _inner(owner: str) -> Iterator[str]:
    """Yield the names that a class has other classes under, in any release."""
    at = place(owner)
    members = (_module(at.module) or {}).get("c", {}).get(at.name, {}).get("m", {}) if at is not None else {}
    for name, runs in members.items():
        if any(value.startswith("=") for _, _, value in runs):
            yield name


@cache
def _members(owner: str, release: Release) -> frozenset[str]:
    """Return the names of all public members a class has in a release."""
    index = _INDEX[release]
    found = (_class(ancestor, release) for ancestor in lineage(owner, release))
    members = [(name, runs) for one in found if one is not None for name, runs in one.get("m", {}).items()]
    return frozenset(name for name, runs in members if name[0] != "_" and _at(runs, index) is not None)


@cache
def missing(name: str, other: str, release: Release) -> frozenset[str]:
    """Return the public members and keywords of one class that another one does not have in a release."""
    first, second = constructor(name, release), constructor(other, release)
    if first is None or second is None:
        return frozenset()
    return (first.keywords | _members(name, release)) - (second.keywords | _members(other, release))


@cache
def once_sync() -> frozenset[str]:
    """Return the names of what is async in some release and was not in another: few, and a quick way to tell."""
    kinds: dict[str, set[bool]] = {}
    for name, runs in re.findall(r'"(\w+)":\[((?:\[\d+,(?:\d+|null),"(?:async)?\([^"]*"\],?)+)\]', _text()):
        kinds.setdefault(name, set()).update(start == "async" for start in re.findall(r'"(async)?\(', runs))
    return frozenset(name for name, found in kinds.items() if len(found) > 1)


@cache
def definers(name: str, release: Release) -> frozenset[str]:
    """Return the dotted names of the classes that themselves define a member of that name in a release."""
    index, found = _INDEX[release], set[str]()
    if name in _private_lines():
        return frozenset(owner for owner, runs in _private(name).items() if _at(runs, index) is not None)
    for module, line in _lines().items():
        if f'"{name}":[' in line:
            for kind, one in (_module(module) or {}).get("c", {}).items():
                if _at(one.get("m", {}).get(name, []), index) is not None:
                    found.add(f"{module}.{kind}")
    return frozenset(found)


@cache
def answers_for_itself(owner: str, release: Release) -> bool:
    """Tell whether a release's class has no members but those told here: no ancestor is another package's.

    Pydantic's model counts as one without, and so do the bases of enumerations; ask ``is_of_python`` of their names.
    """
    index = _INDEX[release]
    for ancestor in lineage(owner, release):
        found = _class(ancestor, release)
        if found is None or _at(found.get("b", []), index) is None:
            if ancestor not in (*_PLAIN, *_OF_PYTHON, BASE_MODEL):
                return False
        elif "extra=allow" in (_at(found.get("k", []), index) or []):
            return False
    return member(owner, "__getattr__", release) is None


@cache
def is_of_python(name: str) -> bool:
    """Tell whether a member may be one of a base that is not Pipecat's."""
    if name.startswith("model_"):
        return name.removeprefix("model_") in (*_READ_OF_MODEL, *_DONE_BY_MODEL, *_VALIDATES)
    return name in _OF_MODEL or any(hasattr(kind, name) for kind in _OF_PYTHON.values())


class Signature(NamedTuple):
    """What a method is called with, ``self`` left out; names begin with a star where it takes any number.

    ``since`` is the release from which on it is so; what ``yields`` is iterated over, not awaited.
    """

    is_async: bool
    required: tuple[str, ...]
    optional: tuple[str, ...]
    by_keyword: tuple[str, ...]
    rest: tuple[str, ...]
    since: Release
    yields: bool = False

    @property
    def by_place(self) -> tuple[str, ...]:
        """The parameters that can be given by place, in order."""
        return self.required + self.optional


@cache
def signature(owner: str, member: str, release: Release) -> Signature | None:
    """Return the signature of a class's method in a release, its nearest ancestor's; None where none has one."""
    index = _INDEX[release]
    for ancestor in lineage(owner, release):
        found: _Class = _class(ancestor, release) or {}
        for since, until, text in found.get("i", []) if member == "__init__" else found.get("m", {}).get(member, []):
            if since <= index and (until is None or index < until):
                return _signature(text, RELEASES[since]) if "(" in text else None
    return None


def _signature(text: str, since: Release) -> Signature:
    by_place, _, others = text[text.index("(") + 1 : -1].partition("*")
    names = [part for part in by_place.split(",") if part and part != "/"]
    rest = [part for part in f"*{others}".split(",") if part.startswith("*") and part != "*"]
    return Signature(
        text.startswith("async"),
        tuple(name for name in names if not name.endswith("=")),
        tuple(name.rstrip("=") for name in names if name.endswith("=")),
        tuple(part.rstrip("=") for part in others.split(",") if part and "*" not in part),
        tuple(rest),
        since,
        text.startswith("async*"),
    )


def async_since(signatures: Callable[[Release], Signature | None], release: Release) -> Release | None:
    """Return the release that made a method async which was not before; None where that is not so.

    ``signatures`` gives the signature in each release.
    """
    since: Release | None = None
    for one in reversed(RELEASES[: _INDEX[release] + 1]):
        found = signatures(one)
        if found is None or found.yields:
            return None
        if not found.is_async:
            return since
        since = one
    return None


def keyword_history(name: str, keyword: str) -> list[Release]:
    """Return the releases in which a class takes a keyword."""
    built = ((release, constructor(name, release)) for release in RELEASES)
    return [release for release, one in built if one is not None and keyword in one.keywords]


@cache
def earlier_homes(dotted: str) -> tuple[str, ...]:
    """Return the dotted names under which other modules defined what they only pass on as this class now."""
    found: list[str] = []
    text, wanted = _text(), f'"{dotted}"'
    at = text.find(wanted)
    while at >= 0:
        start, end = text.rindex("\n", 0, at) + 1, text.index("\n", at)
        module = text[start : text.index("\t", start)]
        known = _module(module) or {}
        for name, runs in known.get("a", {}).items():
            if name in known.get("c", {}) and any(target == dotted for _, _, target in runs):
                found.append(f"{module}.{name}")
        at = text.find(wanted, end)
    return tuple(found)


def last_meaning(dotted: str, release: Release) -> str | None:
    """Return what a name that is gone stood for when it was last passed on: its dotted name elsewhere, if it has one.

    That the one was the other is a fact of the last release that had both.
    """
    at = place(dotted)
    found = _module(at.module) if at is not None else None
    if at is None or found is None or not at.name:
        return None
    outer, _, rest = at.name.partition(".")
    index = _INDEX[release]
    runs = [run for run in found.get("a", {}).get(outer, []) if run[0] <= index]
    if not runs or _latest(runs, index) < _latest(_runs_of(found, outer), index):
        return None
    target = max(runs, key=lambda run: run[0])[2]
    return f"{target}.{rest}" if rest else target
