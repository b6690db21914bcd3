"""What was found in a project is used again while nothing that went into it has changed, and only then."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from checks import cache, session
from checks.cache import Cache
from checks.cli import inspect_all
from checks.inspect import Inspection
from checks.rule import Fix, Rule
from checks.session import Request, begin
from tests.running import BAD, check

GONE = b"from pipecat.frames.frames import StopInterruptionFrame\n"
# Whether its method is gone depends on a file that git ignores: with that, nobody knows what the class derives from.
DERIVED = b"""\
from generated import Base
from pipecat.services.llm_service import LLMService


class Service(Base, LLMService):
    async def _start(self):
        await self.request_image_frame("user")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "bots"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "bots"\ndependencies = ["pipecat-ai>=1.0.0"]\n')
    (root / ".gitignore").write_text("generated.py\n")
    for number in range(24):
        (root / f"plain{number}.py").write_text("import asyncio\n")
    (root / "bot.py").write_bytes(GONE)
    (root / "old.py").write_bytes(BAD)
    (root / "service.py").write_bytes(DERIVED)
    return root


class Looks:
    """Runs over a project with a cache, counting the files that rules look at."""

    def __init__(self, root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.root, self.folder, self.count = root, folder, 0
        look = session.inspect

        def counted(*arguments: object, **more: object) -> Inspection:
            self.count += 1
            return look(*arguments, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(session, "inspect", counted)

    def found(self, *, cached: bool = True, jobs: int = 1, **asked: object) -> list[tuple[object, ...]]:
        request = Request((str(self.root),), **{"target": "1.14.0", **asked})  # type: ignore[arg-type]
        inspected = inspect_all(begin(request), jobs, Cache(self.folder) if cached else None)
        return [
            (str(one.path), one.error, *(finding._replace(facts=None) for finding in one.findings))
            for _, one in inspected
        ]

    def again(self, **asked: object) -> bool:
        """Tell whether rules look at files in a run; what is found must be what a run without a cache finds."""
        self.count = 0
        found = self.found(**asked)
        looked = self.count > 0
        assert found == self.found(cached=False, **asked)
        return looked


@pytest.fixture
def looks(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(root, tmp_path / "cache", monkeypatch)


def test_a_second_run_looks_at_nothing(looks: Looks) -> None:
    assert looks.again()
    assert not looks.again()
    assert not looks.again()


def test_what_worker_processes_found_is_used(looks: Looks) -> None:
    assert looks.again(jobs=2) is False  # they count for themselves
    assert not looks.again(jobs=1)
    (looks.root / "generated.py").write_bytes(b"class Base:\n    pass\n")
    assert looks.again(jobs=1)


def test_no_worker_outlives_the_last_file(looks: Looks) -> None:
    looks.found(jobs=2)
    assert multiprocessing.active_children() == []


def test_ways_to_look_are_kept_side_by_side(looks: Looks) -> None:
    assert looks.again()
    assert looks.again(select=("removed-name",))
    assert looks.again(ignore=("removed-name",))
    assert looks.again(target="1.13.0")
    assert not looks.again()
    assert not looks.again(select=("removed-name",))
    assert not looks.again(target="1.13.0")


def _write(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes(data)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_write("old.py", b"pass\n"), id="a file"),
        pytest.param(_write("plain3.py", b"import asyncio  # \n"), id="a file in which nothing is found"),
        pytest.param(_write("new.py", BAD), id="a new file"),
        pytest.param(lambda root: (root / "old.py").unlink(), id="a file less"),
        pytest.param(lambda root: (root / "old.py").rename(root / "older.py"), id="a file by another name"),
        pytest.param(_write("generated.py", b"class Base:\n    pass\n"), id="a module that git ignores"),
        pytest.param(_write("pipecat.py", b""), id="a module in the place of Pipecat"),
        pytest.param(
            _write("pyproject.toml", b'[project]\nname = "bots"\ndependencies = ["pipecat-ai>=0.0.108"]\n'),
            id="an older release admitted",
        ),
        pytest.param(_write("requirements.txt", b"pipecat-ai>=0.0.90\n"), id="another requirement"),
        pytest.param(_write("pyproject.toml", b'[tool.pipecat-codemods]\nignore = ["removed-name"]\n'), id="a setting"),
        pytest.param(
            _write("pyproject.toml", b'[tool.pipecat-codemods.per-file-ignores]\n"old.py" = ["unguarded-cr-code"]\n'),
            id="rules ignored in a file",
        ),
        pytest.param(_write("pyproject.toml", b'[tool.pipecat-codemods]\nexclude = ["old.py"]'), id="a file left out"),
    ],
)
def test_any_change_has_all_looked_at_again(change: Callable[[Path], object], looks: Looks) -> None:
    assert looks.again()
    change(looks.root)
    assert looks.again()
    assert not looks.again()


def test_an_ignored_module_that_changes_or_goes_has_all_looked_at_again(looks: Looks) -> None:
    module = looks.root / "generated.py"
    module.write_bytes(b"class Base:\n    pass\n")
    assert looks.again()
    module.write_bytes(b"class Base:\n    def request_image_frame(self, user):\n        pass\n")
    assert looks.again()
    assert not looks.again()
    module.unlink()
    assert looks.again()


def test_other_rules_have_all_looked_at_again(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks.again()
    monkeypatch.setattr(cache, "_own_files", lambda: [("other", 1, 1)])
    assert looks.again()


def test_what_changes_during_a_run_is_not_kept(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    look = session.inspect

    def changing(path: Path, *arguments: object, **more: object) -> Inspection:
        (looks.root / "old.py").write_bytes(b"pass\n")
        return look(path, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "inspect", changing)
    looks.found()
    (looks.root / "old.py").write_bytes(BAD)
    monkeypatch.setattr(session, "inspect", look)
    assert looks.found() == looks.found(cached=False)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_searched_more_than_code_is_not_kept(looks: Looks, jobs: int) -> None:
    (looks.root / "main.py").write_bytes(b"from pipecat.runner.run import main\n")
    (looks.root / ".env").write_bytes(b"DAILY_SAMPLE_ROOM_URL=1\n")
    looks.found(jobs=jobs)
    (looks.root / "compose.yml").write_bytes(b"url: ${DAILY_SAMPLE_ROOM_URL}\n")
    assert looks.again()


@pytest.mark.parametrize("data", [b"def\n", b"\xff\xfe\x00"])
def test_a_run_that_could_not_read_a_file_is_not_kept(looks: Looks, data: bytes) -> None:
    (looks.root / "broken.py").write_bytes(data + GONE)
    assert looks.again()
    assert looks.again()


def test_neither_small_projects_nor_others_are_kept(looks: Looks) -> None:
    for name in ("bot.py", "service.py", "pyproject.toml"):
        (looks.root / name).unlink()
    assert looks.again()
    assert not looks.folder.exists()
    (looks.root / "bot.py").write_bytes(GONE)
    for number in range(10):
        (looks.root / f"plain{number}.py").unlink()
    assert looks.again()
    assert not looks.folder.exists()


def test_rules_of_other_packages_are_not_kept(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule("acme.rules.mine", needles=("mine",), fix=Fix.NONE)
    monkeypatch.setattr(rule, "load", lambda: rule)
    known = session.chosen_rules
    monkeypatch.setattr(session, "chosen_rules", lambda *asked: {**known(*asked), rule.name: rule})
    assert looks.again()
    assert looks.again()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": 1}', "\0", '{"key": KEY, "sought": [], "found": []}'])
def test_a_file_of_the_cache_that_makes_no_sense_is_passed_over(looks: Looks, text: str) -> None:
    assert looks.again()
    (place,) = (looks.folder / "findings").iterdir()
    key = json.dumps(json.loads(place.read_text())["key"])
    place.write_text(text.replace("KEY", key))
    assert looks.again()
    assert not looks.again()


def test_what_is_kept_has_no_old_company(looks: Looks) -> None:
    assert looks.again()
    old = looks.folder / "findings" / "0.json"
    old.write_text("{}")
    os.utime(old, (0, 0))
    assert looks.again(select=("removed-name",))
    assert not old.exists()
    assert len(list((looks.folder / "findings").iterdir())) == 2


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github", "gitlab"])
def test_reports_are_the_same(root: Path, form: str, tmp_path: Path) -> None:
    command = ("--target", "1.14.0", "--output-format", form, "--cache-dir", str(tmp_path / "kept"), ".")
    first = check(root, *command)
    assert first.code == 1
    assert len(list((tmp_path / "kept" / "findings").iterdir())) == 1
    assert check(root, *command) == first
    assert check(root, *command, "--no-cache") == first


def test_a_baseline_knows_what_was_kept(root: Path) -> None:
    command = ("--target", "1.14.0", "--baseline", "known.txt", ".")
    assert check(root, *command, "--write-baseline").code == 0
    assert [check(root, *command).code for _ in range(2)] == [0, 0]
    (root / "old.py").write_bytes(BAD + BAD.replace(b"f(c)", b"g(c)"))
    assert [check(root, *command).code for _ in range(2)] == [1, 1]


def test_a_folder_that_cannot_be_written_is_no_matter(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = check(root, "--target", "1.14.0", "--cache-dir", str(tmp_path / "file" / "below"), ".")
    assert (done.code, done.err) == (1, b"")
