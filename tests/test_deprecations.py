"""Every record of upstream's registry of deprecations is flagged where it is used."""

from __future__ import annotations

from pathlib import Path

from checks.inspect import find
from checks.pipecat.deprecations import Deprecation, records
from checks.pipecat.releases import NEWEST
from checks.pipecat.timeline import place
from checks.project import Project
from checks.rule import all_rules
from checks.source import Source

RULES = [
    all_rules()[name]
    for name in ("deprecated-name", "deprecated-keyword", "deprecated-method", "settings-as-arguments")
]


def use(record: Deprecation) -> str:
    """Return a program that uses what a record is about."""
    at = place(record.name)
    assert at is not None, record.name
    outer, _, rest = at.name.partition(".")
    if record.kind == "module":
        return f"import {record.name}\n"
    if not rest:
        return f"from {at.module} import {outer}\n"
    start = f"from {at.module} import {outer}\n"
    owner, _, member = at.name.rpartition(".")
    if record.kind == "parameter":
        return f"{start}{owner}({member}=1)\n"
    if record.kind in ("method", "property"):
        return f"{start}\nclass Mine({owner}):\n    def run(self):\n        return self.{member}\n"
    return f"{start}{at.name}\n"


def test_every_record_is_flagged_when_used() -> None:
    missed: list[str] = []
    for record in records():
        if record.kind == "file-key":
            continue  # no Python code names it
        path = Path("/nowhere/bot.py")
        text = use(record)
        project = Project(Path("/nowhere"), NEWEST, overlay={path: text.encode()})
        source = Source(path, text.encode(), module="bot", project=project)
        if not find(source, RULES, frozenset(rule.name for rule in RULES)):
            missed.append(f"{record.kind} {record.name}")
    assert missed == []
    assert len(records()) == 505  # one parameter of an upstream class is recorded twice
