"""Which release a project is pinned to, and what is known of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.pipecat import timeline
from checks.pipecat.releases import NEWEST, RELEASES, UnknownRelease, oldest_beside, parse, pinned


@pytest.mark.parametrize(
    ("name", "text", "release"),
    [
        ("requirements.txt", "pipecat-ai==1.1.0\n", "1.1.0"),
        ("requirements.txt", "pipecat_ai[daily,silero] ~= 1.2.0  # voice\n", "1.2.1"),
        ("requirements-dev.txt", "Pipecat-AI >=1.0,<1.5 ; python_version > '3.10'\n", "1.4.0"),
        ("requirements.txt", "pipecat-ai-flows==1.1.0\n", None),
        ("requirements.txt", "pipecat-ai\n", None),
        ("pyproject.toml", '[project]\ndependencies = [\n  "pipecat-ai[openai]==0.0.95",\n]\n', "0.0.95"),
        ("pyproject.toml", '[project]\ndependencies = ["x", "pipecat-ai>=1.3,<1.4"]\n', "1.3.0"),
        (
            "pyproject.toml",
            '[project]\ndependencies = ["pipecat-ai>=1.3,<1.4; python_version < \\"3.14\\""]\n',
            "1.3.0",
        ),
        ("pyproject.toml", '[project]\ndependencies = ["pipecat-ai-flows>=1.0", "pipecat-ai>=1.3,<1.4"]\n', "1.3.0"),
        ("Pipfile", '[packages]\npipecat-ai = "~=1.2.0"\n', "1.2.1"),
        ("Pipfile", '[dev-packages]\npipecat_ai = {extras = ["daily"], version = ">=1.0,<1.5"}\n', "1.4.0"),
        ("Pipfile", '[packages]\npipecat-ai = "*"\n', None),
        ("Pipfile", '[packages]\npipecat-ai = {git = "https://example.org/fork"}\n', None),
        ("Pipfile", '[scripts]\npipecat-ai = "==1.1.0"\n', None),
        (
            "Pipfile.lock",
            '{"default": {"x": {"version": "==2"}, "pipecat-ai": {"extras": ["daily"], "version": "==1.2.1"}}}',
            "1.2.1",
        ),
        ("uv.lock", '[[package]]\nname = "pipecat-ai"\nversion = "1.2.1"\n', "1.2.1"),
    ],
)
def test_pinned(name: str, text: str, release: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert pinned(tmp_path) == (parse(release) if release else None)


def test_what_everybody_gets_speaks_before_groups(tmp_path: Path) -> None:
    text = '[dependency-groups]\ndev = ["pipecat-ai==1.8.0"]\n[project]\ndependencies = ["pipecat-ai>=1.0,<1.5"]\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert pinned(tmp_path) == parse("1.4.0")


def test_lock_speaks_first(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('dependencies = ["pipecat-ai>=1.0"]\n', encoding="utf-8")
    (tmp_path / "poetry.lock").write_text('[[package]]\nname = "pipecat-ai"\nversion = "1.1.0"\n', encoding="utf-8")
    assert pinned(tmp_path) == parse("1.1.0")


def test_parse() -> None:
    assert str(parse("1.2")) == "1.2.0"
    assert parse("v1.14.0") == NEWEST == RELEASES[-1]
    assert list(RELEASES) == sorted(RELEASES)
    with pytest.raises(UnknownRelease, match=r"the nearest is 1\.2\.1"):
        parse("1.2.7")


def test_ancestors() -> None:
    old, new = parse("1.2.0"), parse("1.14.0")
    base = "pipecat.utils.base_object.BaseObject"
    assert base in timeline.ancestors("pipecat.pipeline.task_observer.TaskObserver", old)
    # Gone since 1.3.0, it is still what it was to code that names it.
    assert base in timeline.ancestors("pipecat.pipeline.task_observer.TaskObserver", new)
    assert "pipecat.services.tts_service.TTSService" in timeline.ancestors(
        "pipecat.services.openai.OpenAITTSService", parse("1.0.0")
    )
    assert timeline.ancestors("somewhere.Else", new) == {"somewhere.Else"}


@pytest.mark.parametrize(
    ("requirement", "target", "oldest"),
    [
        ("pipecat-ai>=1.2,<1.5", "1.4.0", "1.2.0"),
        ("pipecat-ai[openai]>=1.2", "1.14.0", "1.2.0"),
        ("pipecat-ai>=1.2,<1.5", "1.14.0", "1.14.0"),
        ("pipecat-ai==1.1.0", "1.2.0", "1.2.0"),
        ("pipecat-ai", "1.2.0", None),
    ],
)
def test_oldest_release_to_work_with(requirement: str, target: str, oldest: str | None, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\ndependencies = ["{requirement}"]\n')
    assert oldest_beside(tmp_path, parse(target)) == (parse(oldest) if oldest else None)


@pytest.mark.parametrize(
    ("files", "oldest"),
    [
        ({"setup.cfg": "[options]\ninstall_requires =\n    pipecat-ai[silero]>=1.0,<1.15\n"}, "1.0.0"),
        ({"setup.py": "from setuptools import setup\nsetup(install_requires=['pipecat-ai>=1.1'])\n"}, "1.1.0"),
        ({"setup.py": "setup(install_requires=['pipecat-ai>=1.1'\n"}, None),
        ({"Pipfile": '[packages]\npipecat-ai = {version = ">=1.0"}\n'}, "1.0.0"),
        ({"Pipfile": '[packages]\npipecat-ai = ">=1.0"\n', "requirements.txt": "pipecat-ai==1.8.0\n"}, "1.0.0"),
        ({"Pipfile.lock": '{"default": {"pipecat-ai": {"version": "==1.8.0"}}}'}, None),
        ({"requirements.in": "pipecat-ai >= 1.2, < 2\n"}, "1.2.0"),
        ({"requirements/base.in": "pipecat-ai>=1.2\n", "requirements/dev.txt": "-r base.in\n"}, "1.2.0"),
        ({"requirements.txt": "pipecat-ai>=1.3\n", "requirements-dev.txt": "pipecat-ai>=1.2\n"}, "1.2.0"),
        # What a tool has compiled holds one release of those that what it was compiled from admits.
        (
            {"requirements.in": "pipecat-ai>=1.2\n", "requirements.txt": "# autogenerated by x\npipecat-ai==1.8\n"},
            "1.2.0",
        ),
        (
            {
                "pyproject.toml": '[project]\ndependencies = ["pipecat-ai>=1.3", "x"]\n'
                'optional-dependencies.all = ["pipecat-ai[daily]>=1.0"]\n'
            },
            "1.3.0",
        ),
        # Wherever it stands, what everybody gets counts, and where that is nothing, the least that somebody gets.
        (
            {
                "pyproject.toml": '[dependency-groups]\ndev = ["pipecat-ai==1.8.0"]\n'
                '[project.optional-dependencies]\nall = ["pipecat-ai>=1.5"]\n'
                '[project]\ndependencies = ["pipecat-ai>=1.1"]\n'
            },
            "1.1.0",
        ),
        (
            {
                "pyproject.toml": "[project.optional-dependencies]\n"
                'voice = ["pipecat-ai[daily]>=1.5"]\nall = ["pipecat-ai[all]>=1.2"]\n'
            },
            "1.2.0",
        ),
        (
            {
                "pyproject.toml": "[project]\ndependencies = [\n\"pipecat-ai>=1.5; python_version >= '3.13'\",\n"
                "\"pipecat-ai>=1.2; python_version < '3.13'\"]\n"
            },
            "1.2.0",
        ),
        (
            {
                "pyproject.toml": '[tool.poetry.group.dev.dependencies]\npipecat-ai = "1.8.0"\n'
                '[tool.poetry.dependencies]\npipecat-ai = "^1.3"\n'
            },
            "1.3.0",
        ),
        ({"Pipfile": '[dev-packages]\npipecat-ai = "==1.8.0"\n[packages]\npipecat-ai = ">=1.3"\n'}, "1.3.0"),
        (
            {
                "setup.py": "setup(extras_require={'x': ['pipecat-ai[daily]>=1.3']}, "
                "install_requires=['pipecat-ai>=1.1'])\n"
            },
            "1.1.0",
        ),
        (
            {
                "setup.cfg": "[options.extras_require]\nx =\n    pipecat-ai[daily]>=1.3\n"
                "[options]\ninstall_requires =\n    pipecat-ai>=1.1\n"
            },
            "1.1.0",
        ),
        ({"requirements.txt": "pipecat-ai[daily]>=1.3\npipecat-ai>=1.1\n"}, "1.1.0"),
        ({"requirements/dev.txt": "-r base.txt\npipecat-ai\n", "requirements/base.txt": "pipecat-ai>=1.2\n"}, "1.2.0"),
        ({"pyproject.toml": '[project]\ndependencies = ["pipecat-ai"]\n'}, None),
        ({"requirements.txt": "pipecat-ai==1.1.0\n"}, "1.8.0"),
        ({}, None),
    ],
)
def test_what_a_folder_admits(files: dict[str, str], oldest: str | None, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert oldest_beside(tmp_path, parse("1.8.0")) == (parse(oldest) if oldest else None)
