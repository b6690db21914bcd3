"""Build the data in checks/pipecat from released wheels: releases.txt, and timeline.json with each release's classes.

    python scripts/build_timeline.py WHEELS_FOLDER

The folder holds ``pipecat_ai-*.whl`` files as ``pip download --no-deps pipecat-ai==X`` leaves them. The output depends
on nothing else, so the same wheels give the same bytes. Facts only: names, bases and releases.
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from pathlib import Path

DATA = Path(__file__).parent.parent / "checks" / "pipecat"
LEFT_OUT = ("pipecat.tests", "pipecat.evals", "pipecat.cli", "pipecat.examples")

Bases = dict[str, list[str]]
Aliases = dict[str, str]


def release_of(wheel: Path) -> tuple[int, ...]:
    """Return the release a wheel's file name states."""
    return tuple(int(part) for part in wheel.name.split("-")[1].split("."))


def read_wheel(wheel: Path) -> tuple[Bases, Aliases]:
    """Return the classes of one release with their bases, and the names its packages pass on."""
    modules: dict[str, tuple[ast.Module, bool]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            parts = entry.removesuffix(".py").split("/")
            if not entry.endswith(".py") or parts[0] != "pipecat":
                continue
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            if not name.startswith(LEFT_OUT):
                modules[name] = ast.parse(archive.read(entry)), is_package
    classes: Bases = {}
    aliases: Aliases = {}
    stars: list[tuple[str, str]] = []
    for module, (tree, is_package) in modules.items():
        names = imported_names(module, tree, is_package)
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                names[node.name] = f"{module}.{node.name}"
                dotted = [dotted_name(base, names) for base in node.bases]
                classes[f"{module}.{node.name}"] = [base for base in dotted if base]
            elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                stars.append((module, absolute(module, node, is_package)))
        if is_package:
            aliases |= {
                f"{module}.{name}": target
                for name, target in names.items()
                if target.startswith("pipecat.") and target not in modules
            }
    for module, origin in stars:
        for name in list(classes):
            if name.rpartition(".")[0] == origin:
                aliases.setdefault(f"{module}.{name.rpartition('.')[2]}", name)
    own = {name: settle(target, aliases) for name, target in aliases.items() if name not in classes}
    classes = {name: [settle(base, own) for base in bases] for name, bases in classes.items()}
    return classes, {name: target for name, target in own.items() if target in classes}


def settle(name: str, aliases: Aliases) -> str:
    """Follow a name through the packages that pass it on."""
    for _ in range(8):
        if name not in aliases or aliases[name] == name:
            break
        name = aliases[name]
    return name


def absolute(module: str, node: ast.ImportFrom, is_package: bool) -> str:
    """Return the module an import reads from, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def imported_names(module: str, tree: ast.Module, is_package: bool) -> dict[str, str]:
    """Return what the imports of a module bind, wherever they stand."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = absolute(module, node, is_package)
            names |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
    return names


def dotted_name(node: ast.expr, names: dict[str, str]) -> str | None:
    """Return the dotted name of a base class, type arguments dropped."""
    if isinstance(node, ast.Subscript):
        return dotted_name(node.value, names)
    if isinstance(node, ast.Attribute):
        base = dotted_name(node.value, names)
        return f"{base}.{node.attr}" if base else None
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else None


def intervals(history: dict[str, list[tuple[int, object]]], count: int) -> dict[str, list[object]]:
    """Turn ``name -> [(release index, value)]`` into runs ``[since, until, value]``; until null: still there."""
    folded: dict[str, list[object]] = {}
    for name in sorted(history):
        runs: list[list[object]] = []
        for index, value in history[name]:
            if runs and runs[-1][1] == index and runs[-1][2] == value:
                runs[-1][1] = index + 1
            else:
                runs.append([index, index + 1, value])
        folded[name] = [[a, None if b == count else b, value] for a, b, value in runs]
    return folded


def build(wheels: list[Path]) -> str:
    """Return the timeline of these wheels, in order of release, as JSON text."""
    classes: dict[str, list[tuple[int, object]]] = {}
    aliases: dict[str, list[tuple[int, object]]] = {}
    for index, wheel in enumerate(wheels):
        found, passed_on = read_wheel(wheel)
        for name, bases in found.items():
            classes.setdefault(name, []).append((index, bases))
        for name, target in passed_on.items():
            aliases.setdefault(name, []).append((index, target))
    timeline = {
        "classes": intervals(classes, len(wheels)),
        "aliases": intervals(aliases, len(wheels)),
    }
    return json.dumps(timeline, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = sorted(Path(sys.argv[1]).glob("pipecat_ai-*.whl"), key=release_of)
    names = "".join(".".join(map(str, release_of(wheel))) + "\n" for wheel in found)
    (DATA / "releases.txt").write_text(names, encoding="ascii")
    (DATA / "timeline.json").write_text(build(found), encoding="utf-8")
