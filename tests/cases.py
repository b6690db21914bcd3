"""The one assertion every rule's fixtures go through.

A case is a folder ``fixtures/<rule>/<case>`` with ``before/``, a small project, and ``after/`` where the codemod
changes it. ``case.toml`` says what to aim at and which findings are expected, as ``file:line``; left out, there is
none.
"""

from __future__ import annotations

import ast
import shutil
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import libcst

from checks.cli import inspect_all
from checks.rule import Finding, Fix
from checks.session import Request, begin
from codemods import apply
from codemods.journal import Journal

FIXTURES = Path(__file__).parent.parent / "fixtures"


@dataclass(frozen=True)
class Case:
    """One fixture: ``findings`` are those of ``before``, ``left`` those that remain, ``beside`` rules that run too."""

    rule: str
    folder: Path
    target: str = "1.2.0"
    unsafe: bool = False
    beside: list[str] = field(default_factory=list[str])
    findings: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])

    @property
    def changes(self) -> bool:
        """Whether the codemod is to change anything."""
        return (self.folder / "after").is_dir()

    def __str__(self) -> str:
        return self.folder.name


def cases(rule: str) -> list[Case]:
    """Return a rule's cases: silent ones first, then those that are only found, then those that are mended."""
    found: list[Case] = []
    for folder in sorted((FIXTURES / rule).iterdir()):
        settings = folder / "case.toml"
        values = tomllib.loads(settings.read_text("utf-8")) if settings.exists() else {}
        if not (folder / "after").is_dir():
            values["left"] = values.get("findings", [])
        found.append(Case(rule, folder, **values))
    return sorted(found, key=lambda case: (case.changes, bool(case.findings), case.folder.name))


def check(root: Path, case: Case) -> list[Finding]:
    """Return what the rule of a case finds in a tree."""
    rules = (case.rule, *case.beside)
    session = begin(Request((str(root),), target=case.target, select=rules))
    inspections = [inspection for _, inspection in inspect_all(session, 1)]
    assert [i.error for i in inspections if i.error] == []
    return [finding for inspection in inspections for finding in inspection.findings]


def places(findings: list[Finding], root: Path) -> list[str]:
    """Return findings as sorted ``file:line``."""
    return sorted(f"{Path(f.path).relative_to(root).as_posix()}:{f.span.line}" for f in findings)


def contents(root: Path) -> dict[str, bytes]:
    """Return every file of a tree with its bytes."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def assert_case(case: Case, scratch: Path) -> None:
    """Run check, apply, apply again and check again on a case, and hold every result against what it says."""
    root = scratch / "project"
    shutil.copytree(case.folder / "before", root)
    (root / "pyproject.toml").touch()
    wanted = contents(case.folder / ("after" if case.changes else "before"))
    wanted.setdefault("pyproject.toml", b"")

    assert places(check(root, case), root) == sorted(case.findings)

    # Selecting the rule by name would turn its unsafe fixes on; ignoring the others does not.
    request = Request((str(root),), target=case.target, ignore=_others(case))
    ledger = apply.write(apply.mended(request, unsafe=case.unsafe, jobs=1), Journal(scratch / "journal"))
    assert contents(root) == wanted
    assert [entry.reason for entry in ledger.entries if entry.status in ("error", "refused")] == []
    outcomes = [mended for _, mended in ledger.findings()]
    assert outcomes.count(False) == len(case.left)
    assert outcomes.count(True) >= len(case.findings) - len(case.left)  # more, if some came up on the way

    for data in (data for name, data in contents(root).items() if name.endswith((".py", ".pyi"))):
        ast.parse(data)
        libcst.parse_module(data)

    again = apply.mended(request, unsafe=case.unsafe, jobs=1)
    assert [file.path for files in again.sets for file in files if file.changed] == []

    left = check(root, case)
    assert places(left, root) == sorted(case.left)
    if not case.unsafe and case.changes:
        assert [finding for finding in left if finding.fix is Fix.SAFE] == []


def _others(case: Case) -> tuple[str, ...]:
    from checks.registry import all_rules

    return tuple(name for name in all_rules() if name not in (case.rule, *case.beside))
