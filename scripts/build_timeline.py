"""Build the data in checks/pipecat from released wheels: releases.txt, extras.tsv, and timeline.txt with their API.

    python scripts/build_timeline.py WHEELS_FOLDER

The folder holds ``pipecat_ai-*.whl`` files as ``pip download --no-deps pipecat-ai==X`` leaves them. The output depends
on nothing else, so the same wheels give the same bytes. Facts only: names, bases, signatures and releases.

timeline.txt has a line for each module: its dotted name, a tab, and a JSON object. Whatever changes is a list of runs
``[since, until, value]``, releases by their index, ``until`` null for what is still there:

* ``r``: the module itself; ``d``: names in it are made at run time, so that none can be told to be missing
* ``a``: names it imports from another module of Pipecat's, with their dotted name there
* ``v``: other names, ``f``: functions with their signatures
* ``c``: classes; of each ``b`` its bases, ``i`` its own constructor's signature, ``o`` its fields (annotated names of
  the class body), ``k`` what its decorators make of it, ``m`` its methods with their signatures and other names:
  ``class`` for one within it, ``=`` and the dotted name of one it has under another name, ``self`` for what its
  methods set on ``self``; ``__getattr__`` is among them where it answers for names of its own; ``g`` of which class of
  Pipecat's is what they give, ``[0]`` the first that the object itself gives where it is unpacked; ``+`` behind the
  class where it may be one below it

A signature is ``(text,*,voice=,**kwargs)``: ``=`` marks a default, ``async`` stands in front if it is, ``async*`` if it
yields. Behind a ``**kwargs`` stands what becomes of it: ``>`` it is handed to the base class, ``?`` it is used
otherwise, nothing: it is dropped. Names read off it (``kwargs.pop("x")``) are listed as parameters.

lost.txt names the members that a class of some release has no more in a later one, narrowed.txt the methods that take
less.

private.txt is the same of private members, and says where they are: a line for each name, a tab, and a JSON object with
the classes that define it, each with its runs; of a method only ``()``. Left out are names that some release's code
sets on an object from outside its class.

extras.tsv has a row for each extra and the distributions it asks for, with the release from which on and, if it ended,
the one until which that is so. ``pipecat-ai`` itself stands for what every installation gets.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "checks" / "pipecat"
ANSWERS = "__getattr__"
LEFT_OUT = ("pipecat.tests", "pipecat.cli", "pipecat.examples")


@dataclass
class Class:
    """What a class definition says."""

    bases: list[str]
    kinds: list[str]
    init: str | None
    fields: str
    members: dict[str, str]
    given: dict[str, str]


@dataclass
class Module:
    """What the top level of a module says."""

    imports: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    values: set[str] = field(default_factory=set)
    functions: dict[str, str] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    is_dynamic: bool = False
    set_from_outside: set[str] = field(default_factory=set)


def release_of(wheel: Path) -> tuple[int, ...]:
    """Return the release a wheel's file name states."""
    return tuple(int(part) for part in wheel.name.split("-")[1].split("."))


# -- reading a module


def read_module(name: str, text: bytes, is_package: bool) -> Module:
    """Return what a module binds at its top level, under tests and in handlers too."""
    module = Module()
    tree = ast.parse(text)
    module.set_from_outside.update(set_from_outside(tree))
    for node in statements(tree.body):
        if isinstance(node, ast.ImportFrom):
            origin = absolute(name, node, is_package)
            for alias in node.names:
                if alias.name == "*":
                    module.stars.append(origin)
                else:
                    module.imports[alias.asname or alias.name] = f"{origin}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                module.imports[local] = alias.name if alias.asname else local
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            module.functions[node.name] = signature(node, drop=0)
        elif isinstance(node, ast.ClassDef):
            read_class(node, node.name, module, name)
        else:
            module.values |= bound(node)
            text_of_it = ast.unparse(node)
            module.is_dynamic |= "sys.modules[" in text_of_it and "globals()" not in text_of_it
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            answered = compared(node)
            module.values |= answered
            module.is_dynamic |= not answered
    return module


def compared(node: ast.FunctionDef) -> set[str]:
    """Return the strings a function compares something with."""
    parts = (part for one in ast.walk(node) if isinstance(one, ast.Compare) for part in ast.walk(one))
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def statements(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block, those under ``if``, ``try`` and ``with`` included."""
    for node in block:
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ("body", "orelse", "finalbody"):
                yield from statements(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)
        else:
            yield node


def bound(node: ast.stmt) -> set[str]:
    """Return the names a simple statement binds."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def absolute(module: str, node: ast.ImportFrom, is_package: bool) -> str:
    """Return the module an import reads from, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def read_class(node: ast.ClassDef, name: str, module: Module, home: str) -> None:
    """Note a class and the classes within it, which go by ``Outer.Inner``."""
    names = {**module.imports, **{known: f"{home}.{known}" for known in module.classes}}
    init: str | None = None
    members: dict[str, str] = {}
    fields: list[str] = []
    for statement in statements(node.body):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = [ast.unparse(one) for one in statement.decorator_list]
            is_static = "staticmethod" in decorators
            if statement.name == "__init__":
                init = signature(statement, drop=1)
            elif "property" in decorators or any(one.endswith((".setter", ".deleter")) for one in decorators):
                members[statement.name] = "property"
            else:
                members[statement.name] = signature(statement, drop=0 if is_static else 1)
        elif isinstance(statement, ast.ClassDef):
            members[statement.name] = "class"
            read_class(statement, f"{name}.{statement.name}", module, home)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            fields += field_of(statement.target.id, statement)
            members.setdefault(statement.target.id, "")
        else:
            same = alias_of(statement, names)
            members |= dict.fromkeys(bound(statement) - members.keys(), same)
    for attribute in set_on_self(node):
        members.setdefault(attribute, "self")
    dotted = [dotted_name(base, names) for base in node.bases]
    kinds = [str(dotted_name(one.func if isinstance(one, ast.Call) else one, names)) for one in node.decorator_list]
    kinds += [f"{one.arg}={one.value.value}" for one in node.keywords if isinstance(one.value, ast.Constant)]
    kept = {member: value for member, value in members.items() if not member.startswith("__") or member == ANSWERS}
    kinds += [f"extra={value}" for value in extra_of(node)]
    given = dict(results(node, module.imports))
    module.classes[name] = Class([base for base in dotted if base], sorted(kinds), init, ",".join(fields), kept, given)


def results(node: ast.ClassDef, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the methods and properties of a class, each with the class of what it gives.

    It is just that class where what is returned is built there, or is kept in an attribute that the class gives nothing
    else; where only the annotation says it, a ``+`` stands behind.
    """
    kept = kept_on_self(node)
    for method in statements(node.body):
        if not isinstance(method, ast.FunctionDef) or not all(gives_the_same(one) for one in method.decorator_list):
            continue
        returned = [one.value for one in ast.walk(method) if isinstance(one, ast.Return) and one.value is not None]
        match method.name, returned:
            case "__iter__", [ast.Call(func=ast.Name(id="iter"), args=[ast.Tuple(elts=parts)])]:
                for at, part in enumerate(parts):
                    yield from ((f"[{at}]", built) for built in built_as(part, kept, names))
                continue
            case _:
                built = {found for one in returned for found in built_as(one, kept, names) or [""]}
        said = dotted_name(annotated(method.returns), names) if method.returns is not None else None
        if len(built) == 1 and "" not in built:
            yield method.name, built.pop()
        elif said is not None:
            yield method.name, f"{said}+"


def gives_the_same(decorator: ast.expr) -> bool:
    """Tell whether a decorator leaves what a method gives as it is."""
    return ast.unparse(decorator).partition("(")[0] in ("property", "override", "abstractmethod", "deprecated")


def annotated(annotation: ast.expr) -> ast.expr:
    """Return an annotation, taken out of a string."""
    match annotation:
        case ast.Constant(value=str(text)):
            return ast.parse(text, mode="eval").body
        case _:
            return annotation


def built_as(value: ast.expr, kept: dict[str, set[str]], names: dict[str, str]) -> list[str]:
    """Return the class that a returned value is built as, none where that is not seen."""
    called = {ast.unparse(value.func)} if isinstance(value, ast.Call) else kept.get(ast.unparse(value), set())
    match [ast.parse(one, mode="eval").body for one in called]:
        case [ast.Name() | ast.Attribute() as one]:
            return [dotted_name(one, names) or ""]
        case _:
            return []


def kept_on_self(node: ast.ClassDef) -> dict[str, set[str]]:
    """Return by attribute of ``self`` what a class calls for its value, as text; ``{}`` for any other value.

    ``None`` beside it is left out: that is how an attribute is declared.
    """
    found: dict[str, set[str]] = {}
    called: dict[ast.expr, str] = {}
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                if isinstance(value, ast.Call):
                    called[target] = ast.unparse(value.func)
                elif isinstance(value, ast.Constant) and value.value is None:
                    called[target] = ""
            case ast.AnnAssign(target=target):
                called[target] = ""
            case _:
                pass
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            found.setdefault(ast.unparse(part), set()).add(called.get(part, "{}"))
    return {attribute: texts - {""} for attribute, texts in found.items()}


def set_on_self(node: ast.ClassDef) -> Iterator[str]:
    """Yield the attributes that the methods of a class set on ``self``."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            if isinstance(part.value, ast.Name) and part.value.id == "self":
                yield part.attr


def set_from_outside(tree: ast.Module) -> Iterator[str]:
    """Yield the private attributes that code sets on anything but ``self``."""
    for part in ast.walk(tree):
        match part:
            case ast.Attribute(value=ast.Name(id="self")):
                pass
            case (
                ast.Attribute(attr=name, ctx=ast.Store())
                | ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), *_])
            ):
                if name.startswith("_"):
                    yield name
            case _:
                pass


def alias_of(statement: ast.stmt, names: dict[str, str]) -> str:
    """Return ``=`` and the dotted name of the class that ``Inner = Other`` makes one of its own, else nothing."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Name, ast.Attribute)):
        dotted = dotted_name(statement.value, names) or ""
        if dotted.startswith("pipecat.") and dotted.rpartition(".")[2][:1].isupper():
            return f"={dotted}"
    return ""


def field_of(name: str, statement: ast.AnnAssign) -> list[str]:
    """Return a field as the constructor that is made of it takes it: none for what it does not."""
    value = ast.unparse(statement.value) if statement.value is not None else ""
    if "ClassVar" in ast.unparse(statement.annotation) or "init=False" in value.replace(" ", "") or name[:1] == "_":
        return []
    return [f"{name}=" if value else name]


def extra_of(node: ast.ClassDef) -> list[str]:
    """Return what a pydantic model's configuration says of unknown keywords."""
    return [
        str(keyword.value.value)
        for part in node.body
        if isinstance(part, (ast.Assign, ast.AnnAssign, ast.ClassDef))
        for keyword in ast.walk(part)
        if isinstance(keyword, ast.keyword) and keyword.arg == "extra" and isinstance(keyword.value, ast.Constant)
    ]


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef, drop: int) -> str:
    """Return a function's parameters without the first ones."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    parts: list[str] = []
    for index, one in enumerate(positional):
        parts.append(one.arg + ("=" if index >= first_default else ""))
        if arguments.posonlyargs and index == len(arguments.posonlyargs) - 1:
            parts.append("/")
    parts = parts[drop:]
    if arguments.vararg:
        parts.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs or arguments.kwarg:
        parts.append("*")
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parts.append(one.arg + ("=" if default is not None else ""))
    if arguments.kwarg:
        read, fate = uses_of(arguments.kwarg.arg, node)
        parts += [f"{one}=" for one in read]
        parts.append(f"**{arguments.kwarg.arg}{fate}")
    if parts[-1:] == ["*"]:
        parts.pop()
    mark = "" if isinstance(node, ast.FunctionDef) else "async*" if is_generator(node) else "async"
    return f"{mark}({','.join(parts)})"


def is_generator(node: ast.AsyncFunctionDef) -> bool:
    """Tell whether an async function yields, or says so."""
    says = ast.unparse(node.returns) if node.returns is not None else ""
    if "AsyncGenerator" in says or "AsyncIterator" in says:
        return True
    todo: list[ast.AST] = list(node.body)
    while todo:
        part = todo.pop()
        if isinstance(part, ast.Yield):
            return True
        if not isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            todo += ast.iter_child_nodes(part)
    return False


def uses_of(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[list[str], str]:
    """Return the names read off a ``**name``, and what becomes of the rest."""
    read: dict[str, None] = {}
    is_handed, is_used = False, False
    parents = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
    for part in ast.walk(node):
        if not isinstance(part, ast.Name) or part.id != name:
            continue
        parent = parents[part]
        above = parents.get(parent)
        key = None
        if isinstance(parent, ast.Attribute) and parent.attr in ("pop", "get", "setdefault") and above is not None:
            key = above.args[0] if isinstance(above, ast.Call) and above.args else None
        elif isinstance(parent, ast.Subscript):
            key = parent.slice
        elif isinstance(parent, ast.Compare) and isinstance(parent.left, ast.Constant):
            key = parent.left
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            read[key.value] = None
        elif isinstance(parent, ast.keyword) and isinstance(above, ast.Call):
            to = ast.unparse(above.func)
            is_handed |= to.endswith(f".{node.name}")
            is_used |= not to.endswith(f".{node.name}")
        else:
            is_used = True
    return list(read), "?" if is_used else ">" if is_handed else ""


def dotted_name(node: ast.expr, names: dict[str, str]) -> str | None:
    """Return the dotted name of a base class or decorator, type arguments dropped."""
    if isinstance(node, ast.Subscript):
        return dotted_name(node.value, names)
    if isinstance(node, ast.Attribute):
        base = dotted_name(node.value, names)
        return f"{base}.{node.attr}" if base else None
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else None


# -- reading a release


def sources(wheel: Path) -> Iterator[tuple[str, bytes, bool]]:
    """Yield the modules of a wheel: dotted name, text, and whether it is a package."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            parts = entry.removesuffix(".py").split("/")
            if not entry.endswith(".py") or parts[0] != "pipecat":
                continue
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            if not name.startswith(LEFT_OUT):
                yield name, archive.read(entry), is_package


def read_wheel(wheel: Path, known: dict[tuple[str, str], Module]) -> dict[str, Module]:
    """Return the modules of one release; ``known`` keeps those already read, by name and contents."""
    modules: dict[str, Module] = {}
    for name, text, is_package in sources(wheel):
        key = (name, hashlib.sha256(text).hexdigest())
        if key not in known:
            known[key] = read_module(name, text, is_package)
        modules[name] = known[key]
    return modules


def aliases_of(modules: dict[str, Module]) -> dict[str, dict[str, str]]:
    """Return by module the names it takes from other modules of the release, star imports followed."""
    found = {
        name: {local: target for local, target in module.imports.items() if target.startswith("pipecat.")}
        for name, module in modules.items()
    }
    for _ in range(4):  # as deep as packages pass on what packages pass on
        for name, module in modules.items():
            for origin in module.stars:
                if origin in modules:
                    other = modules[origin]
                    own = {*other.classes, *other.functions, *other.values}
                    passed = {one: f"{origin}.{one}" for one in own if "." not in one} | found[origin]
                    for local, target in passed.items():
                        if not local.startswith("_"):
                            found[name].setdefault(local, target)
    return found


def settled(target: str, aliases: dict[str, dict[str, str]]) -> str:
    """Follow a name through the modules that pass it on."""
    for _ in range(8):
        module, _, name = target.rpartition(".")
        onward = aliases.get(module, {}).get(name)
        if onward is None or onward == target:
            break
        target = onward
    return target


# -- folding releases


class History:
    """Values of one thing over the releases, folded into runs."""

    def __init__(self) -> None:
        self._runs: list[list[Any]] = []

    def note(self, index: int, value: Any = "") -> None:
        """Note the value in one release; releases come in order."""
        if self._runs and self._runs[-1][1] == index and self._runs[-1][2] == value:
            self._runs[-1][1] = index + 1
        else:
            self._runs.append([index, index + 1, value])

    def runs(self, count: int) -> list[list[Any]]:
        """Return the runs, of so many releases in all."""
        return [[since, None if until == count else until, value] for since, until, value in self._runs]


Tree = dict[str, Any]


def note(tree: Tree, path: Sequence[str], index: int, value: Any = "") -> None:
    """Note a value at a path of a tree of histories."""
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree.setdefault(path[-1], History()).note(index, value)


def fold(tree: Tree, count: int) -> Tree:
    """Return a tree with its histories as runs, in order of name."""
    return {
        name: value.runs(count) if isinstance(value, History) else fold(value, count)
        for name, value in sorted(tree.items())
    }


Read = list[dict[str, Module]]


def read_wheels(wheels: list[Path]) -> Read:
    """Return the modules of these wheels, in order of release."""
    known: dict[tuple[str, str], Module] = {}
    return [read_wheel(wheel, known) for wheel in wheels]


def build(releases: Read) -> str:
    """Return the timeline of these releases."""
    timeline: Tree = {}
    for index, modules in enumerate(releases):
        aliases = aliases_of(modules)
        for name, module in modules.items():
            tree = timeline.setdefault(name, {})
            note(tree, ["r"], index)
            if module.is_dynamic:
                note(tree, ["d"], index)
            note_names(tree, index, module, aliases[name], aliases)
            note_given(tree, index, name, modules, aliases)
    folded = fold(timeline, len(releases))
    return "".join(f"{name}\t{json.dumps(tree, separators=(',', ':'))}\n" for name, tree in folded.items())


def note_names(tree: Tree, index: int, module: Module, own: dict[str, str], aliases: dict[str, dict[str, str]]) -> None:
    """Note what one module binds in one release."""
    defined = {*module.classes, *module.functions}
    # A private class that moved may still be passed on from where it was.
    once = tree.get("c", {})
    for name, target in own.items():
        if name not in defined and (is_public(name) or name in once):
            note(tree, ["a", name], index, settled(target, aliases))
    for name in module.values - defined - own.keys():
        if is_public(name) or name in once:
            note(tree, ["v", name], index)
    for name, text in module.functions.items():
        if is_public(name):
            note(tree, ["f", name], index, text)
    for name, one in module.classes.items():
        # Private ones too: what is public derives from them.
        note(tree, ["c", name, "b"], index, [settled(base, aliases) for base in one.bases])
        if one.kinds:
            note(tree, ["c", name, "k"], index, [settled(kind, aliases) for kind in one.kinds])
        if one.init is not None:
            note(tree, ["c", name, "i"], index, one.init)
        if one.fields:
            note(tree, ["c", name, "o"], index, one.fields)
        for member, text in one.members.items():
            if is_public(member) or member == ANSWERS:
                value = f"={settled(text[1:], aliases)}" if text.startswith("=") else text
                note(tree, ["c", name, "m", member], index, value)


def note_given(
    tree: Tree, index: int, home: str, modules: dict[str, Module], aliases: dict[str, dict[str, str]]
) -> None:
    """Note what the classes of one module give in one release, where that is an object of Pipecat's."""
    for name, one in modules[home].classes.items():
        for member, text in one.given.items():
            given, mark, _ = text.partition("+")
            target = settled(f"{home}.{given}" if given in modules[home].classes else given, aliases)
            module, _, kind = target.rpartition(".")
            if is_public(member) and module in modules and kind in modules[module].classes:
                note(tree, ["c", name, "g", member], index, f"{target}{mark}")


def is_public(name: str) -> bool:
    """Tell whether a name, of a nested class each part of it, is for others to use."""
    return not any(part.startswith("_") for part in name.split("."))


# -- extras


def requirements_of(wheel: Path) -> dict[str, set[str]]:
    """Return the distributions each extra of a release asks for, under ``pipecat-ai`` what every installation gets."""
    found: dict[str, set[str]] = {"pipecat-ai": set()}
    within: dict[str, set[str]] = {}
    for line in metadata_of(wheel):
        kind, _, value = line.partition(": ")
        if kind == "Provides-Extra":
            found.setdefault(value, set())
        elif kind == "Requires-Dist":
            requirement, _, marker = value.partition(";")
            extra = re.search(r"extra == ['\"]([^'\"]+)['\"]", marker)
            if not extra and marker.strip():
                continue  # some installations only
            home = extra[1] if extra else "pipecat-ai"
            name, extras = re.findall(r"^([\w.-]+)(?:\[([^\]]*)\])?", requirement)[0]
            if canonical(name) == "pipecat-ai":
                within.setdefault(home, set()).update(canonical(one) for one in extras.split(","))
            else:
                found.setdefault(home, set()).add(canonical(name))
    for home in found:
        todo, done = set(within.get(home, ())), {home}
        while todo - done:
            inner = min(todo - done)
            done.add(inner)
            found[home] |= found.get(inner, set())
            todo |= within.get(inner, set())
    return {canonical(extra): names for extra, names in found.items()}


def metadata_of(wheel: Path) -> list[str]:
    """Return the lines of a wheel's metadata, its description left out."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return archive.read(name).decode("utf-8").partition("\n\n")[0].splitlines()


def canonical(name: str) -> str:
    """Return a distribution's or an extra's name as names are compared."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def extras(wheels: list[Path]) -> str:
    """Return the table of extras of these wheels, in order of release."""
    histories: dict[str, History] = {}
    for index, wheel in enumerate(wheels):
        for extra, names in requirements_of(wheel).items():
            histories.setdefault(extra, History()).note(index, " ".join(sorted(names)))
    releases = [".".join(map(str, release_of(wheel))) for wheel in wheels]
    rows = [
        "\t".join([extra, releases[since], "" if until is None else releases[until], names])
        for extra, history in sorted(histories.items())
        for since, until, names in history.runs(len(wheels))
    ]
    return "\n".join(["extra\tsince\tuntil\trequires", *rows, ""])


# -- what is gone


def lost() -> str:
    """Return the members that classes have lost, by the code that reads the data just written."""
    from checks.pipecat import timeline

    return "".join(f"{name}\n" for name in sorted(set(timeline.lost_members(timeline.module_names()))))


def narrowed() -> str:
    """Return the methods that take less than once they did, by the code that reads the data just written."""
    from checks.pipecat import timeline

    return "".join(f"{name}\n" for name in sorted(set(timeline.narrowed_methods(timeline.module_names()))))


def private(releases: Read) -> str:
    """Return the private members that classes have lost, by the code that reads the data just written."""
    members = [private_members(modules) for modules in releases]
    outside = {name for modules in releases for module in modules.values() for name in module.set_from_outside}
    kept = lost_of(members) - outside
    tree: Tree = {}
    for index, classes in enumerate(members):
        for owner, names in classes.items():
            for name in names.keys() & kept:
                note(tree, [name, owner], index, names[name])
    folded = fold(tree, len(releases))
    return "".join(f"{name}\t{json.dumps(runs, separators=(',', ':'))}\n" for name, runs in folded.items())


def private_members(modules: dict[str, Module]) -> dict[str, dict[str, str]]:
    """Return by class the private members it defines in a release, each with what it is."""
    found: dict[str, dict[str, str]] = {}
    for module, content in modules.items():
        for name, one in content.classes.items():
            members = {member: value for member, value in one.members.items() if member != ANSWERS}
            found[f"{module}.{name}"] = {
                member: "()" if "(" in value else "class" if value.startswith("=") else value
                for member, value in members.items()
                if member.startswith("_")
            }
    return found


def lost_of(members: list[dict[str, dict[str, str]]]) -> set[str]:
    """Return the members that a class had, itself or by an ancestor, and has no more in a later release."""
    from checks.pipecat import timeline
    from checks.pipecat.releases import RELEASES

    found: set[str] = set()
    for owner in {owner for classes in members for owner in classes}:
        before: set[str] = set()
        for release, classes in zip(RELEASES, members, strict=True):
            if owner in classes:
                now = {name for one in timeline.lineage(owner, release) for name in classes.get(one, ())}
                found |= before - now
                before |= now
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.path.insert(0, str(DATA.parent.parent))
    found = sorted(Path(sys.argv[1]).glob("pipecat_ai-*.whl"), key=release_of)
    names = "".join(".".join(map(str, release_of(wheel))) + "\n" for wheel in found)
    (DATA / "releases.txt").write_text(names, encoding="ascii")
    (DATA / "extras.tsv").write_text(extras(found), encoding="ascii")
    read = read_wheels(found)
    (DATA / "timeline.txt").write_text(build(read), encoding="utf-8")
    (DATA / "lost.txt").write_text(lost(), encoding="ascii")
    (DATA / "narrowed.txt").write_text(narrowed(), encoding="ascii")
    (DATA / "private.txt").write_text(private(read), encoding="ascii")
