"""One project under several targets."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from checks.pipecat.releases import parse
from checks.project import Project
from checks.source import Unreadable


def test_a_project_aimed_elsewhere_reads_nothing_again(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pipecat-ai>=1.2\n", encoding="utf-8")
    path = tmp_path / "a.py"
    path.write_text("import b\nname = f'{b.c}'\n", encoding="utf-8")
    project = Project(tmp_path, parse("1.4.0"))
    project.stand_in(tmp_path / "b.py", b"c = 1\n")
    project.memo["rule"] = "what holds at 1.4.0"

    other = project.aimed_at(parse("1.8.0"))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        other.source(path)
    path.write_text("import b\nname = f'{b.c}'\n", encoding="utf-8")
    source = other.source(path)
    path.unlink()

    assert other.source(path) is source
    assert source.tree is project.source(path).tree
    assert (source.project, project.source(path).project) == (other, project)
    assert [source.segment(node) for node in source.nodes(ast.Attribute)] == ["b.c"]
    assert [project.source(path).segment(node) for node in source.nodes(ast.Attribute)] == ["b.c"]
    assert other.find_module("b", path) == tmp_path / "b.py"
    assert (project.oldest_for(path), other.oldest_for(path), other.memo) == (parse("1.2.0"), parse("1.8.0"), {})


@pytest.mark.parametrize(
    ("path", "oldest"),
    [
        ("setup/a.py", "1.1.0"),
        ("acme/docker/a.py", "1.1.0"),  # the package is installed with what stands above it
        ("acme/later/a.py", "1.1.0"),
        ("acme/earlier/a.py", "1.0.0"),
        ("member/src/a.py", "1.3.0"),
        ("silent/a.py", "1.1.0"),
    ],
)
def test_the_nearest_folder_says_what_a_file_must_work_with(path: str, oldest: str, tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\ndependencies = ["pipecat-ai>=1.1"]\n',
        "acme/__init__.py": "",
        "acme/docker/requirements.txt": "pipecat-ai\n",
        "acme/requirements.txt": "pipecat-ai==1.8.0\n",
        "acme/later/__init__.py": "",
        "acme/later/requirements.txt": "pipecat-ai>=1.5\n",
        "acme/earlier/__init__.py": "",
        "acme/earlier/requirements.txt": "pipecat-ai>=1.0\n",
        "member/pyproject.toml": '[project]\ndependencies = ["pipecat-ai>=1.3"]\n',
        "silent/pyproject.toml": '[project]\ndependencies = ["acme"]\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    assert Project(tmp_path, parse("1.8.0")).oldest_for(tmp_path / path) == parse(oldest)


def test_a_file_that_does_not_parse_does_not_parse_for_any_target() -> None:
    path = Path("/nowhere/a.py")
    project = Project(Path("/nowhere"), parse("1.4.0"), overlay={path: b"def f(:\n"})

    with pytest.raises(Unreadable, match="line 1"):
        project.aimed_at(parse("1.8.0")).source(path)
