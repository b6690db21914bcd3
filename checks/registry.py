"""Which rules there are: the modules of ``checks.rules``, and what installed packages add.

Importing them all takes longer than checking a file. So what a rule states of itself is read off its source, and its
module imported once a file holds what it looks for.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from checks.errors import UsageError, unknown
from checks.rule import Finding, Fix, Impact, Rule

_STATED = "\nRULE = Rule("
_ENUMS = {"Fix": Fix, "Impact": Impact}


@cache
def all_rules() -> dict[str, Rule]:
    """Return every rule by name: the modules of ``checks.rules`` and what installed packages add."""
    import checks.rules

    names = [info.name for info in pkgutil.iter_modules(checks.rules.__path__)]
    found = [_stated(name) or _imported(f"checks.rules.{name}") for name in names]
    found += [_imported(module) for module in _plugin_modules()]
    return {rule.name: rule for rule in sorted(found, key=lambda rule: rule.name)}


def _stated(name: str) -> Rule | None:
    """Return a rule as its source states it; None if its module has to be imported to know.

    That is where an argument of its ``Rule`` is worked out, or there is no source.
    """
    import checks.rules

    try:
        with open(os.path.join(checks.rules.__path__[0], f"{name}.py"), encoding="utf-8") as file:
            text = file.read()
        start = text.index(_STATED) + 1
        statement = ast.parse(text[start : text.index(")\n", text.index("__name__", start)) + 1]).body[0]
    except (OSError, ValueError, SyntaxError):
        return None
    call = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(call, ast.Call) or any(keyword.arg is None for keyword in call.keywords):
        return None
    try:
        return Rule(f"checks.rules.{name}", **{str(keyword.arg): _value(keyword.value) for keyword in call.keywords})
    except ValueError:
        return None


def _value(node: ast.expr) -> Any:
    """Return what a literal, or a member of an enum, stands for.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _ENUMS:
        return _ENUMS[node.value.id][node.attr]
    return ast.literal_eval(node)


def _plugin_modules() -> Iterator[str]:
    group = "pipecat_codemods.rules"
    if any(_declares(group.encode(), folder) for folder in sys.path):
        from importlib.metadata import entry_points

        for entry in entry_points(group=group):
            yield entry.value


def _declares(group: bytes, folder: str) -> bool:
    """Tell whether a package in a folder may have entry points of a group.

    Importing importlib.metadata takes as long as checking a dozen files, and hardly anybody has any.
    """
    if os.path.isfile(folder):
        return True  # an archive, into which importlib.metadata looks
    try:
        packages = [one.path for one in os.scandir(folder or ".") if one.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return False
    for package in packages:
        try:
            with open(os.path.join(package, "entry_points.txt"), "rb") as file:
                if group in file.read():
                    return True
        except OSError:
            continue
    return False


def _imported(module: str) -> Rule:
    rule = getattr(importlib.import_module(module), "RULE", None)
    if not isinstance(rule, Rule):
        raise UsageError(f"{module} is not a rule: it has no RULE")
    return rule


def impact_of(finding: Finding) -> Impact:
    """Return what becomes of the code that a finding is about."""
    return all_rules()[finding.rule].impact


def chosen_rules(select: Iterable[str], ignore: Iterable[str]) -> dict[str, Rule]:
    """Return the rules to run: those selected (none named: all) less those ignored.

    Raises:
        UsageError: a name that is no rule's.
    """
    rules = all_rules()
    select, ignore = list(select), set(ignore)
    for name in (*select, *ignore):
        if name not in rules:
            raise unknown("rule", name, rules)
    return {name: rule for name, rule in rules.items() if (not select or name in select) and name not in ignore}
