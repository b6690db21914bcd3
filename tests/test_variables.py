"""Files of environment variables, and what Pipecat's releases read of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.pipecat.releases import RELEASES
from checks.pipecat.variables import unread
from checks.project import Project
from checks.registry import all_rules
from checks.variables import VariableFile, is_variable_file
from tests.running import apply, check, found, git, project, statuses
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


PREFIXED = 'model_config = SettingsConfigDict(env_prefix="DAILY_")\n'
PUT_TOGETHER = 'print(os.environ[f"DAILY_{name}"])\n'
READS_NEW = 'import os\n\nprint(os.getenv("DAILY_ROOM_URL"))\n'


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({".env": OLD + "VITE_ROOM=${DAILY_SAMPLE_ROOM_URL}\n"}, ".env names it too"),
        ({".env": OLD, ".env.local": 'VITE_ROOM="$DAILY_SAMPLE_ROOM_URL"\n'}, ".env.local names it too"),
        ({".env": OLD, "web/src/index.ts": "process.env.DAILY_SAMPLE_ROOM_URL\n"}, "index.ts names it too"),
        ({"web/.env": OLD, "web/src/index.ts": "process.env.DAILY_SAMPLE_ROOM_URL\n"}, "index.ts names it too"),
        ({".env": OLD, "deploy/Dockerfile": "ENV DAILY_SAMPLE_ROOM_URL=1\n"}, "Dockerfile names it too"),
        ({".env": OLD, "settings.py": PREFIXED}, "settings.py holds a piece of its name"),
        ({".env": OLD, "rooms.py": PUT_TOGETHER}, "rooms.py holds a piece of its name"),
        ({".env": OLD, "rooms.py": READS_NEW}, "the project reads DAILY_ROOM_URL itself"),
        ({".env.local": OLD, ".env": "DAILY_ROOM_URL=1\n"}, ".env sets DAILY_ROOM_URL already"),
        ({"bot.py": BOT + 'os.environ["DAILY_SAMPLE_ROOM_URL"] = room\n', "run.sh": OLD}, "run.sh names it too"),
    ],
)
def test_is_left_to_a_human(files: dict[str, str], why: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, **files})
    done = check(root, "--target", "1.14.0", "--output-format", "json", ".")
    said = [(finding["fix"], finding["message"]) for finding in json.loads(done.out)["findings"]]
    assert [(fix, why in message) for fix, message in said] == [("none", True)]


def test_who_else_in_the_repository_names_it_is_asked(tmp_path: Path) -> None:
    script = 'import os\n\nprint(os.environ["DAILY_SAMPLE_ROOM_URL"])\n'
    member = {"bots/a/pyproject.toml": "[project]\n", "bots/a/bot.py": BOT, "bots/a/.env": OLD}
    root = project(tmp_path, {**member, "scripts/room.py": script})
    git(root, "init", "--quiet")
    done = check(root / "bots" / "a", "--target", "1.14.0", ".")
    assert b"room.py names it too" in done.out


def test_a_member_that_admits_an_older_release_counts_for_what_all_share(tmp_path: Path) -> None:
    members = {
        f"bots/{name}/{file}": text
        for name, pin in (("a", "1.0.0"), ("b", "0.0.90"))
        for file, text in (("bot.py", BOT), ("requirements.txt", f"pipecat-ai>={pin}\n"))
    }
    done = check(project(tmp_path, {**members, ".env": OLD}), "--target", "1.14.0", ".env")
    assert b"0.0.90, which the project admits" in done.out


def test_a_reader_that_cannot_be_read_is_a_reader(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, ".env": OLD, "old.py": 'print os.environ["DAILY_SAMPLE_ROOM_URL"]\n'})
    assert found(check(root, "--target", "1.14.0", "--output-format", "json", ".env")) == []


@pytest.mark.parametrize(
    "text", ["$DAILY_SAMPLE_ROOM_URL", "open ${DAILY_SAMPLE_ROOM_URL}", "%(DAILY_SAMPLE_ROOM_URL)s"]
)
def test_a_text_that_takes_its_value_in_reads_it(text: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, ".env": OLD, "show.py": f'ROOM = expanded("{text}")\n'})
    assert found(check(root, "--target", "1.14.0", "--output-format", "json", ".env")) == []


def test_a_baseline_reads_nothing(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, ".env": OLD})
    check(root, "--target", "1.14.0", "--baseline", "known.jsonl", "--write-baseline", ".")
    done = check(root, "--target", "1.14.0", "--output-format", "json", ".")
    assert [finding["fix"] for finding in json.loads(done.out)["findings"]] == ["safe"]


def test_two_files_of_one_folder_are_mended_together(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, ".env": OLD, ".env.local": OLD})
    assert apply(root, "--target", "1.14.0", ".").code == 1
    assert {(root / name).read_text("utf-8") for name in (".env", ".env.local")} == {OLD.replace("_SAMPLE", "")}


def test_many_variables_take_no_time(tmp_path: Path) -> None:
    """Each variable is looked at once, not all of them for each."""
    root = project(tmp_path, {"bot.py": BOT, ".env": "A=1\n" * 100_000 + OLD})
    assert len(found(check(root, "--target", "1.14.0", "--output-format", "json", ".env"))) == 1
