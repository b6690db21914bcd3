"""``--raise-pin``: the requirement moves to the target in the same change as the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.pipecat.releases import parse
from codemods.pins import CannotRaise, raised
from tests.cases import contents
from tests.running import BAD, GOOD, apply, project, undo


@pytest.mark.parametrize(
    ("before", "target", "after"),
    [
        ("", "1.14.0", ">=1.14.0"),
        (">=1.0", "1.14.0", ">=1.14.0"),
        (" >= 1.0 , < 2", "1.14.0", " >= 1.14.0 , < 2"),
        ("<2,!=1.3", "1.14.0", ">=1.14.0,<2,!=1.3"),
        (">1.0", "1.14.0", ">=1.14.0"),
        ("==1.1.0", "1.14.0", "==1.14.0"),
        ("==1.14", "1.14.0", "==1.14"),
        (">=1.14", "1.14.0", ">=1.14"),
        ("~=1.2.0", "1.2.1", "~=1.2.1"),
        ("~=1.2", "1.14.0", "~=1.14"),
        ("~=1.2", "1.8.1", ">=1.8.1,~=1.8"),
        ("==1.2.*", "1.2.1", ">=1.2.1,==1.2.*"),
    ],
)
def test_raised(before: str, target: str, after: str) -> None:
    assert raised(before, parse(target)) == after
    assert raised(after, parse(target)) == after


@pytest.mark.parametrize(
    ("before", "target", "after"),
    [
        ("*", "1.14.0", ">=1.14.0"),
        ("^1.2", "1.14.0", "^1.14"),
        ("^1.2.0", "1.8.1", "^1.8.1"),
        ("^1", "1.8.1", "^1.8.1"),
        ("~1.8", "1.8.1", "~1.8.1"),
        ("~1", "1.8.0", "^1.8"),
        ("1.1.0", "1.14.0", "1.14.0"),
        (">=1.2,<2.0", "1.14.0", ">=1.14.0,<2.0"),
    ],
)
def test_raised_as_poetry_writes_it(before: str, target: str, after: str) -> None:
    assert raised(before, parse(target), is_poetrys=True) == after
    assert raised(after, parse(target), is_poetrys=True) == after


@pytest.mark.parametrize(
    ("specifier", "target"),
    [
        (">=1.0,<1.5", "1.14.0"),
        ("~=1.2.0", "1.14.0"),
        ("==1.2.*", "1.14.0"),
        ("!=1.14.0", "1.14.0"),
        (">=1.4", "1.2.0"),
        ("==1.4.0", "1.2.0"),
        (">1.2.0", "1.2.0"),
        ("^1.2", "1.14.0"),
        (">=1.0 || <0.1", "1.14.0"),
    ],
)
def test_not_raised(specifier: str, target: str) -> None:
    with pytest.raises(CannotRaise):
        raised(specifier, parse(target))


PYPROJECT = """\
[project]
name = "bot"
dependencies = [
  "pipecat-ai[daily, websockets-base]>=1.2,<2 ; python_version > '3.10'",  # voice
]

[project.optional-dependencies]
web = ["pipecat-ai[websocket]"]
"""
RAISED = PYPROJECT.replace("[daily, websockets-base]>=1.2", "[daily]>=1.14.0")
FILES = {"pyproject.toml": PYPROJECT, "requirements.txt": "pipecat-ai==1.2.0\r\n", "a.py": BAD, "b.py": b"x = 1\n"}
LOCK = '[[package]]\nname = "pipecat-ai"\nversion = "1.2.0"\n'
AFTER = {
    "pyproject.toml": RAISED.encode(),
    "requirements.txt": b"pipecat-ai==1.14.0\r\n",
    "a.py": GOOD,
    "b.py": b"x = 1\n",
    "uv.lock": LOCK.encode(),
}


def test_pins_and_code_change_together(tmp_path: Path) -> None:
    root = project(tmp_path, {**FILES, "uv.lock": LOCK})
    before = contents(root)
    options = ("--raise-pin", "--target", "1.14", ".")

    shown = apply(root, "--diff", *options)
    assert (shown.code, contents(root)) == (1, before)
    for line in (b"+pipecat-ai==1.14.0", b'+  "pipecat-ai[daily]>=1.14.0,<2 ; python_version'):
        assert line in shown.out
    assert apply(root, "--check", *options).code == 1
    assert contents(root) == before

    done = apply(root, *options)
    assert done.code == 1
    assert contents(root) == AFTER
    assert done.err.decode() == "uv.lock is to be written anew: `uv lock`\n"
    assert done.out.decode().splitlines() == [
        "a.py: mended 1 finding",
        "pyproject.toml: raised pipecat-ai to 1.14.0, mended 1 finding",
        "requirements.txt: raised pipecat-ai to 1.14.0",
        "2 findings for pipecat-ai 1.14.0 in 4 files: 2 mended in 3 files.",
    ]

    again = apply(root, *options)
    assert (again.code, again.err, contents(root)) == (0, b"", AFTER)

    assert undo(root).code == 0
    assert contents(root) == before


def test_without_it_pins_stay(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)

    assert apply(root, "--target", "1.14", ".").code == 1

    assert contents(root) == {**contents(root), "pyproject.toml": PYPROJECT.encode(), "a.py": GOOD}


def test_only_the_pin_changes(tmp_path: Path) -> None:
    root = project(tmp_path, {"requirements.txt": "pipecat-ai>=1.2\n"})

    shown = apply(root, "--raise-pin", "--check", "--target", "1.14", "--output-format", "json", ".")
    assert shown.code == 1
    assert json.loads(shown.out)["files"] == [
        {"path": "requirements.txt", "status": "changed", "reason": "raised pipecat-ai to 1.14.0"}
    ]
    done = apply(root, "--raise-pin", "--target", "1.14", ".")
    assert done.code == 1
    assert done.out.decode().splitlines() == [
        "requirements.txt: raised pipecat-ai to 1.14.0",
        "No findings for pipecat-ai 1.14.0: 1 file looked at, 1 changed.",
    ]


def test_a_pipfile(tmp_path: Path) -> None:
    """It is read as Poetry's table is, and what it says of other packages stays."""
    pipfile = '[packages]\nother = "==1.1.0"\npipecat-ai = {extras = ["daily", "canonical"], version = "==1.1.0"}\n'
    root = project(tmp_path, {"Pipfile": pipfile, "a.py": BAD})

    done = apply(root, "--raise-pin", "--target", "1.14", ".")

    assert (done.code, done.err) == (1, b"")
    raised_pipfile = pipfile.replace('version = "==1.1.0"', 'version = "==1.14.0"').replace(', "canonical"', "")
    assert contents(root) == {**contents(root), "Pipfile": raised_pipfile.encode(), "a.py": GOOD}


SCRIPT = "from setuptools import setup\nsetup(install_requires=[\n    'pipecat-ai[daily]>={}',\n])\n"


def test_a_setup_script_raised_by_hand(tmp_path: Path) -> None:
    """What it requires begins with the target, so there is nothing to raise, and the code goes on from there."""
    script = SCRIPT.format("1.14")
    root = project(tmp_path, {"setup.py": script, "a.py": BAD})

    done = apply(root, "--raise-pin", "--target", "1.14", ".")

    assert (done.code, done.err) == (1, b"")
    assert contents(root) == {**contents(root), "setup.py": script.encode(), "a.py": GOOD}


@pytest.mark.parametrize(
    ("files", "paths", "error"),
    [
        (
            {"requirements.txt": "x\npipecat-ai<1.5\n"},
            ["."],
            "requirements.txt:2: --raise-pin: 'pipecat-ai<1.5' excludes 1.14.0: change that bound first",
        ),
        (
            {"requirements.txt": "pipecat-ai==1.1.0 \\\n  --hash=sha256:00\n"},
            ["."],
            "requirements.txt:1: --raise-pin: 'pipecat-ai==1.1.0' has options behind it, "
            "as the hashes of the old release: let your tool write it",
        ),
        (
            {"requirements.txt": "pipecat-ai>=1.1.0\n"},
            ["a.py"],
            "--raise-pin: no file given requires pipecat-ai by release; give the project's folder, .",
        ),
        (
            {"requirements.txt": "pipecat-ai @ git+https://example.org/fork\n"},
            ["."],
            "--raise-pin: no file given requires pipecat-ai by release; give the project's folder, .",
        ),
        (
            {"setup.py": SCRIPT.format("1.1")},
            ["."],
            "setup.py:3: --raise-pin: 'pipecat-ai[daily]>=1.1' stands in a script: raise it to 1.14.0 by hand first",
        ),
        (
            {"setup.py": SCRIPT.format("1.1,<1.5"), "requirements.txt": "pipecat-ai>=1.1.0\n"},
            ["."],
            "setup.py:3: --raise-pin: 'pipecat-ai[daily]>=1.1,<1.5' stands in a script: "
            "raise it to 1.14.0 by hand first",
        ),
        ({}, ["-"], "--raise-pin needs the project's files; it cannot be used with -"),
    ],
)
def test_what_cannot_be_raised(files: dict[str, str], paths: list[str], error: str, tmp_path: Path) -> None:
    root = project(tmp_path, {**files, "a.py": BAD})
    before = contents(root)

    done = apply(root, "--raise-pin", "--target", "1.14", *paths, stdin=BAD)

    assert (done.code, done.out, done.errors) == (2, b"", [f"error: {error}"])
    assert contents(root) == before


def test_all_files_or_none(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    (root / "requirements.txt").chmod(0o444)
    before = contents(root)

    assert apply(root, "--raise-pin", "--target", "1.14", ".").code == 2
    assert contents(root) == before
