"""Files of environment variables, and what Pipecat's releases read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.pipecat.releases import RELEASES
from checks.pipecat.variables import unread
from checks.project import Project
from checks.registry import all_rules
from checks.variables import VariableFile, is_variable_file
from tests.running import check, found, git, project, statuses
from tests.trees import released

BOT = "from pipecat.runner.run import main\n\nmain()\n"
OLD = "DAILY_SAMPLE_ROOM_URL=https://acme.daily.co/lobby\n"


@pytest.mark.parametrize("name", [".env", ".env.local", ".env.example", "env.example", "bot.env", "bot-1.env"])
def test_is_known_by_its_name(name: str) -> None:
    assert is_variable_file(Path("/nowhere") / name)


@pytest.mark.parametrize("name", ["env.py", ".env.py", "env.ts", "environment", ".envrc", "env", "envoy.example"])
def test_is_none(name: str) -> None:
    assert not is_variable_file(Path("/nowhere") / name)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A=1\nexport B=2\r\n  C = 3\rD=", ["A", "B", "C", "D"]),
        ("# A=1\n#B=2\nC=3 # D=4\n", ["C"]),
        ("A=\"x\nB=1\n\"\nC='y\nD=2\n'\nE=3\n", ["A", "C", "E"]),
        ('A="say \\"x\\"\nB=1"\nC=2\n', ["A", "C"]),
        ('A="open\nB=1\n', ["A", "B"]),
        ("A B=1\n1C=2\n-D=3\n", []),
        ("", []),
    ],
)
def test_names_that_are_set(text: str, names: list[str], tmp_path: Path) -> None:
    path = tmp_path / ".env"
    file = VariableFile(path, text.encode(), module="", project=Project(tmp_path, RELEASES[-1]))
    assert [one.text for one in file.variables] == names
    assert [text[one.start : one.end] for one in file.variables] == names


def test_the_rule_looks_for_each() -> None:
    assert {needle.decode() for needle in all_rules()["unread-variable"].needles} == set(unread())


@pytest.mark.parametrize("name", sorted(unread()))
def test_what_the_releases_read(name: str) -> None:
    one = unread()[name]
    at = RELEASES.index(one.since)
    before, since, newest = (released(str(release)) for release in (RELEASES[at - 1], one.since, RELEASES[-1]))
    assert names_it(before, name)
    assert not names_it(since, name)
    assert not names_it(newest, name)
    assert one.new == "" or (names_it(since, one.new) and names_it(newest, one.new) and not names_it(before, one.new))


def names_it(tree: Path, name: str) -> bool:
    """Tell whether a file of a release gives a variable's name as a string."""
    return any(f'"{name}"'.encode() in path.read_bytes() for path in (tree / "pipecat").rglob("*.py"))


def test_what_git_ignores_is_left_alone(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, ".env": OLD, ".env.example": OLD, ".gitignore": ".env\n"})
    git(root, "init", "--quiet")
    done = check(root, "--target", "1.14.0", "--output-format", "json", ".")
    assert [path for path, _, _ in found(done)] == [".env.example"]


def test_a_file_that_sets_nothing_of_interest_is_none_of_the_run(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, ".env": "SECRET=1\n"})
    (root / ".env.local").write_bytes(b"\xff\xfe DAILY_SAMPLE_ROOM_URL=1\n")
    assert list(statuses(check(root, "--target", "1.14.0", "--output-format", "json", "."))) == ["bot.py"]


def test_one_that_is_named_is_read_as_what_it_is(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, "prod.env": "not python = at all\n"})
    done = check(root, "--target", "1.14.0", "prod.env")
    assert (done.code, done.err) == (0, b"")
