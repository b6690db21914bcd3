"""Fixtures of pyright-reports: each has beside it what the real pyright says of it, which a test holds to be so."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from checks.cli import inspect_all
from checks.errors import UsageError
from checks.pyright import Diagnostic, diagnose, read
from checks.rule import Finding
from checks.rules.pyright_reports import OPTION
from checks.session import Request, Session, begin
from tests.cases import Case, cases, places
from tests.running import check, project
from tests.trees import released

RULE = "pyright-reports"
CASES = cases(RULE)


def said_of(case: Case, root: Path) -> list[Diagnostic]:
    """Return the report of a case as of files below a root."""
    data = (case.folder / "report.json").read_bytes()
    return [one._replace(path=root / one.path) for one in read(data, "report.json")]


def joined(root: Path, said: list[Diagnostic], *select: str, ignore: tuple[str, ...] = ()) -> list[Finding]:
    """Return what is found in a project of which pyright says something."""
    session = begun(root, *select, ignore=ignore)
    for one in said:
        session.workspaces[0].project.diagnostics.setdefault(one.path, []).append(one)
    inspections = [inspection for _, inspection in inspect_all(session, 1)]
    assert [one.error for one in inspections if one.error] == []
    return [finding for one in inspections for finding in one.findings]


def begun(root: Path, *select: str, ignore: tuple[str, ...] = ()) -> Session:
    return begin(Request((str(root),), target="1.14.0", select=select, ignore=ignore, options=(OPTION,)))


def copied(case: Case, scratch: Path) -> Path:
    """Copy a case's project."""
    root = Path(shutil.copytree(case.folder / "before", scratch / case.folder.name))
    (root / "pyproject.toml").touch()
    return root


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("select", [(), (RULE,)], ids=["all", "alone"])
def test_case(case: Case, select: tuple[str, ...], tmp_path: Path) -> None:
    root = copied(case, tmp_path)
    findings = [one for one in joined(root, said_of(case, root), *select) if one.rule == RULE]
    assert places(findings, root) == sorted(case.findings)


def test_reports_are_what_pyright_says(tmp_path: Path) -> None:
    settings = {"extraPaths": [str(released("1.14.0"))], "reportMissingModuleSource": False}
    for case in CASES:
        root = copied(case, tmp_path)
        environment = {"root": root.name, "extraPaths": [str(root), str(released("1.14.0"))]}
        settings.setdefault("executionEnvironments", []).append(environment)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({**settings, "reportDeprecated": "warning"}))
    found = diagnose(tmp_path, sorted(tmp_path.rglob("*.py")))
    given = [one for case in CASES for one in said_of(case, tmp_path / case.folder.name)]
    assert Counter(found) == Counter(given)


def test_a_finding_says_what_pyright_says_where_it_says_it(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.folder.name == "found")
    root = copied(case, tmp_path)
    by_line = {one.span.line: one for one in joined(root, said_of(case, root), RULE)}
    assert by_line[6].message == 'reportAttributeAccessIssue: "_NotThere" is unknown import symbol'
    # Columns are pyright's UTF-16 units in the report, and characters in a finding.
    text = (root / "bot.py").read_text(encoding="utf-8").splitlines()[16]
    assert text[by_line[17].span.column - 1 : by_line[17].span.end_column - 1] == "no_such_method"


def test_what_a_rule_says_is_its_own_though_it_is_left_out(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.folder.name == "silent-said-by-other-rules")
    root = copied(case, tmp_path)
    said = said_of(case, root)
    assert len(said) == 7
    others = {one.rule for one in joined(root, said)}
    assert joined(root, said, ignore=tuple(sorted(others))) == []


def test_a_suppression_is_unused_only_where_pyright_was_asked(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.folder.name == "silent-suppressed")
    root = copied(case, tmp_path)
    assert joined(root, said_of(case, root)) == []
    assert [one.rule for one in joined(root, [])] == ["unused-suppression"]
    session = begin(Request((str(root),), target="1.14.0"))
    assert [one.findings for _, one in inspect_all(session, 1)] == [[]]


def test_without_the_option_the_rule_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pyright-reports needs --pyright"):
        begin(Request((str(tmp_path),), select=(RULE,)))
    assert RULE not in begin(Request((str(tmp_path),))).workspaces[0].rules


def test_the_command_line(tmp_path: Path) -> None:
    bot = "from pipecat.services.settings import _NotThere\nfrom os import nothing\n"
    config = {"extraPaths": [str(released("1.14.0"))]}
    root = project(tmp_path, {"bot.py": bot, "pyrightconfig.json": json.dumps(config)})
    done = check(root, "--pyright", "--target", "1.14.0", ".")
    assert (done.code, done.err) == (1, b"")
    assert done.out.decode().splitlines()[0] == (
        'bot.py:1:39: pyright-reports reportAttributeAccessIssue: "_NotThere" is unknown import symbol [needs a human]'
    )
    assert b"nothing" not in done.out


def test_a_pipecat_that_pyright_does_not_see(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": "import pipecat.frames.frames\n", "pyrightconfig.json": "{}"})
    done = check(root, "--pyright", "--target", "1.14.0", ".")
    assert done.code == 2
    assert done.errors == [
        "error: pyright does not see pipecat-ai 1.14.0: it does not find pipecat.frames.frames, imported in bot.py; "
        "install that release where pyright looks, or name its Python with --pyright-python"
    ]


def test_settings_that_pyright_cannot_read(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": "import pipecat\n", "pyrightconfig.json": "{"})
    done = check(root, "--pyright", ".")
    assert done.code == 2
    assert len(done.errors) == 1
    assert "pyright failed in" in done.errors[0]


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": "import pipecat\n"})
    done = check(root, "--pyright", "--pyright-python", "no-such-python", ".")
    assert (done.code, done.errors) == (2, ["error: --pyright-python no-such-python: there is no such program"])
