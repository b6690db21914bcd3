"""``--since``: only what stands on lines that changed since the branch left a commit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from checks.changed import changed_lines
from checks.cli import inspect_all
from checks.errors import UsageError
from checks.session import Request, begin
from codemods import apply as engine
from codemods.journal import Journal
from tests.running import BAD, GOOD, HUMAN, TOGETHER, TOGETHER_MENDED, apply, check, git, project, python_sources

TWO = BAD + b"\n\n" + BAD.replace(b"def f", b"def h")


def commit(root: Path, *, everything: bool = True) -> None:
    """Commit what there is in a repository, which is made if need be."""
    if not (root / ".git").exists():
        git(root, "init", "-q", "-b", "main")
    if everything:
        git(root, "add", "-A")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = git(root, *identity, "commit", "-q", "--no-verify", "--allow-empty", "-m", "x")
    assert done.returncode == 0, done.stderr


def repository(tmp_path: Path, files: dict[str, bytes | str]) -> Path:
    root = project(tmp_path, files)
    commit(root)
    return root


def found(root: Path, ref: str = "main", path: str = ".", **options: Any) -> list[str]:
    """Return the findings since a ref as ``file:line``."""
    session = begin(Request((str(root / path),), target="1.2.0", since=ref, **options))
    inspections = [one for _, one in inspect_all(session, 1)]
    assert [one.error for one in inspections if one.error] == []
    return [f"{one.path.relative_to(root).as_posix()}:{f.span.line}" for one in inspections for f in one.findings]


def mended(root: Path, **options: Any) -> tuple[int, dict[str, int]]:
    plan = engine.mended(Request((str(root),), target="1.2.0", since="main", **options), unsafe=False, jobs=1)
    ledger = engine.write(plan, Journal(root.parent / "journal"))
    return ledger.exit_code(), ledger.summary()


# -- which lines


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (b"a\nb\nc\n", b"a\nb\nc\n", []),
        (b"a\nb\nc\n", b"a\nX\nY\nc\n", [(2, 3)]),
        (b"a\nb\nc\n", b"a\nc\n", [(2, 1)]),
        (b"a\nb\nc\n", b"a\r\nb\r\nc", []),
        (b"a\rb\r", b"a\rX\r", [(2, 2)]),
        (b"", b"a\nb\n", [(1, 2)]),
        (b"a\n", b"", [(1, 0)]),
        (b"x\n" * 5, b"x\n" * 6, [(6, 6)]),
        (
            b"x = 1\n" * 9000 + b"a\n" + b"x = 1\n" * 9000,
            b"x = 1\n" * 9000 + b"b\n" + b"x = 1\n" * 9000,
            [(9001, 9001)],
        ),
    ],
    ids=["same", "replaced", "taken out", "newlines", "carriage returns", "new", "emptied", "repeated", "large"],
)
def test_lines(before: bytes, after: bytes, lines: list[tuple[int, int]]) -> None:
    assert list(changed_lines(before, after)) == lines


def test_committed_staged_unstaged_and_untracked(tmp_path: Path) -> None:
    files = {f"{name}.py": BAD for name in ("same", "committed", "staged", "unstaged", "gone")}
    root = repository(tmp_path, files)
    git(root, "checkout", "-q", "-b", "work")
    (root / "committed.py").write_bytes(TWO)
    commit(root)
    (root / "staged.py").write_bytes(b"import os\n" + BAD)
    git(root, "add", "-A")
    (root / "unstaged.py").write_bytes(TWO)
    (root / "untracked.py").write_bytes(BAD)
    (root / "gone.py").unlink()

    assert found(root) == ["committed.py:6", "unstaged.py:6", "untracked.py:2"]
    assert found(root, "HEAD") == ["unstaged.py:6", "untracked.py:2"]
    assert found(root, path="committed.py") == ["committed.py:6"]

    done = check(root, "--since", "main", ".")
    assert done.code == 1
    assert done.out.decode().splitlines()[-2:] == [
        "3 findings for pipecat-ai 1.14.0 in 4 files: 3 can be mended.",
        "Not shown: 3 findings on unchanged lines.",
    ]


def test_what_others_did_since_does_not_count(tmp_path: Path) -> None:
    root = repository(tmp_path, {"a.py": BAD, "b.py": BAD})
    git(root, "checkout", "-q", "-b", "work")
    (root / "b.py").write_bytes(TWO)
    commit(root)
    git(root, "checkout", "-q", "main")
    (root / "a.py").write_bytes(GOOD)
    commit(root)
    git(root, "checkout", "-q", "work")
    assert found(root) == ["b.py:6"]


def test_a_renamed_file_keeps_its_lines(tmp_path: Path) -> None:
    body = b"".join(b"x%d = %d\n" % (n, n) for n in range(30))
    root = repository(tmp_path, {"old name.py": BAD + body, "sub/other.py": BAD + body + b"\n"})
    git(root, "mv", "old name.py", "n\u00e9w.py")
    git(root, "mv", "sub", "moved")
    (root / "n\u00e9w.py").write_bytes(BAD + body + BAD)
    assert found(root) == ["n\u00e9w.py:34"]
    assert found(root / "moved", path=".") == []


def test_a_finding_counts_if_any_of_its_lines_changed(tmp_path: Path) -> None:
    text = b"def f(c):\n    return (\n        c\n        # gone\n        .cr_code\n        .co_name\n    )\n"
    root = repository(tmp_path, {"a.py": text})
    for changed, places in (
        (text.replace(b".co_name", b".co_name  # x"), ["a.py:3"]),
        (text.replace(b"        # gone\n", b""), ["a.py:3"]),
        (text.replace(b"(c)", b"(c, d)"), []),
        (b"# more\n" + text + b"# more\n", []),
    ):
        (root / "a.py").write_bytes(changed)
        assert found(root) == places, changed


def test_a_project_below_the_top_of_a_repository(tmp_path: Path) -> None:
    root = repository(tmp_path, {"app/pyproject.toml": "", "app/src/a.py": BAD, "b.py": BAD})
    (root / "app/src/a.py").write_bytes(TWO)
    (root / "new").mkdir()
    (root / "new/pyproject.toml").touch()
    (root / "new/c.py").write_bytes(BAD)
    assert found(root, path="app") == ["app/src/a.py:6"]
    assert found(root, path="new") == ["new/c.py:2"]


def test_within_a_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path, {"app/pyproject.toml": "", "app/a.py": BAD, "a.py": GOOD})
    (root / "app/a.py").write_bytes(TWO)
    for told in (".git", str(root / ".git")):
        monkeypatch.setenv("GIT_DIR", told)
        assert found(root, path="app") == ["app/a.py:6"]


def test_standard_input_is_compared_with_the_file_it_stands_for(tmp_path: Path) -> None:
    root = repository(tmp_path, {"a.py": BAD})
    arguments = ("--since", "main", "--stdin-filename", "a.py", "-")
    assert check(root, *arguments, stdin=BAD).code == 0
    done = apply(root, *arguments, stdin=TWO)
    assert done.out == BAD + TWO[len(BAD) :].replace(BAD[-25:], GOOD[BAD.index(BAD[-25:]) :])


def test_files_that_are_no_python_cost_only_themselves(tmp_path: Path) -> None:
    root = repository(tmp_path, {"old.py": b"\0\1", "broken.py": b"def f(:\n", "a.py": BAD, "image.bin": b"\0"})
    (root / "image.bin").write_bytes(b"\0\0")
    assert check(root, "--since", "main", ".").code == 0
    (root / "old.py").write_bytes(b"\0\2")
    (root / "a.py").write_bytes(TWO)
    done = check(root, "--since", "main", ".")
    assert (done.code, len(done.errors)) == (2, 1)
    assert "old.py: contains NUL bytes" in done.errors[0]


def test_submodules_and_links_are_left_out(tmp_path: Path) -> None:
    root = repository(tmp_path, {"a.py": BAD, "inner/pyproject.toml": "", "inner/b.py": BAD})
    (root / "link.py").symlink_to("a.py")
    commit(root / "inner")
    git(root, "rm", "-rq", "--cached", "inner")
    git(root, "add", "inner", "link.py")
    commit(root, everything=False)
    (root / "inner/b.py").write_bytes(TWO)
    assert found(root) == []


def test_with_a_baseline(tmp_path: Path) -> None:
    root = repository(tmp_path, {"a.py": BAD})
    (root / "a.py").write_bytes(TWO)
    baseline = root / "known.jsonl"
    assert check(root, "--target", "1.2", "--baseline", str(baseline), "--write-baseline", ".").code == 0
    (root / "a.py").write_bytes(TWO + HUMAN)
    (root / "b.py").write_bytes(BAD)
    assert found(root, baseline=str(baseline)) == ["a.py:8", "b.py:2"]


# -- apply


def test_apply_mends_what_changed_and_settles(tmp_path: Path) -> None:
    root = repository(tmp_path, {"a.py": BAD, "b.py": BAD})
    (root / "a.py").write_bytes(TWO)
    code, summary = mended(root)
    assert (code, summary["applied"], summary["unchanged"]) == (1, 1, 1)
    after = (root / "a.py").read_bytes()
    assert after.startswith(BAD)
    assert after.count(b"getattr(getattr(") == 1
    assert (root / "b.py").read_bytes() == BAD
    assert mended(root)[0] == 0
    assert (root / "a.py").read_bytes() == after


def test_files_that_belong_together_change_whole_or_not_at_all(tmp_path: Path) -> None:
    root = repository(tmp_path, TOGETHER)
    changed = {**TOGETHER, "watcher.py": TOGETHER["watcher.py"].replace(b"task_manager, **", b"task_manager, **more_")}
    changed["watcher.py"] = changed["watcher.py"].replace(b"(**kwargs)", b"(**more_kwargs)")
    (root / "watcher.py").write_bytes(changed["watcher.py"])
    code, summary = mended(root)
    assert (code, summary["applied"], summary["findings"]) == (1, 0, 1)
    assert python_sources(root) == changed
    (root / "main.py").write_bytes(TOGETHER["main.py"].replace(b"=manager)", b"=manager)  # x"))
    assert mended(root)[1]["applied"] == 2
    assert python_sources(root)["main.py"] == TOGETHER_MENDED["main.py"].replace(b"Watcher()", b"Watcher()  # x")


# -- what cannot be done


def refused(root: Path, ref: str) -> str:
    with pytest.raises(UsageError) as error:
        found(root, ref)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_refs_that_are_none(tmp_path: Path) -> None:
    root = repository(tmp_path, {"a.py": BAD})
    for ref in ("nowhere", "main..HEAD", "HEAD:a.py", "HEAD^{tree}", "0" * 40):
        assert "git knows no such commit here" in refused(root, ref)
    for ref in ("", "-x", "--output=made", "a\nb"):
        assert "is no name of a commit" in refused(root, ref)
    assert not (root / "made").exists()
    git(root, "checkout", "-q", "--orphan", "other")
    (root / "b.py").touch()
    commit(root)
    assert "no commit in common with HEAD" in refused(root, "main")
    for command in (check, apply):
        done = command(root, "--since=--output=made", ".")
        assert (done.code, done.out) == (2, b"")
        assert done.errors == ["error: --since --output=made: is no name of a commit"]


def test_no_repository_and_none_to_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, {"a.py": BAD})
    assert f"{root} is in no git repository" in refused(root, "HEAD")
    git(root, "init", "-q")
    assert "git knows no such commit here" in refused(root, "HEAD")
    (root / ".git/HEAD").unlink()
    assert "is in no git repository" in refused(root, "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git cannot be run" in refused(root, "HEAD")


@pytest.mark.skipif(os.name != "posix", reason="the programs are shell scripts")
def test_nothing_that_a_repository_names_is_run(tmp_path: Path) -> None:
    root = repository(tmp_path, {"a.py": BAD, "b.py": BAD})
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path / "ran"}\nexit 1\n')
    program.chmod(0o755)
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (root / ".git/hooks").mkdir(exist_ok=True)
        (root / ".git/hooks" / hook).symlink_to(program)
    settings = {
        "core.fsmonitor": program,
        "core.pager": program,
        "pager.ls-tree": program,
        "diff.external": program,
        "diff.evil.command": program,
        "diff.evil.textconv": program,
        "filter.evil.clean": program,
        "filter.evil.smudge": program,
        "filter.evil.process": program,
        "core.sshCommand": program,
        "core.editor": program,
        "core.askPass": program,
        "credential.helper": program,
        "gpg.program": program,
        "remote.origin.url": f"ext::{program}",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "log.showSignature": "true",
        "alias.ls-tree": f"!{program}",
    }
    for name, value in settings.items():
        assert git(root, "config", name, str(value)).returncode == 0
    (root / ".gitattributes").write_text("*.py diff=evil filter=evil\n")
    (root / "a.py").write_bytes(TWO)
    (root / "b.py").rename(root / "c.py")
    assert found(root) == ["a.py:6", "c.py:2"]
    # A blob that is missing is to be fetched, as the repository says.
    blob = git(root, "rev-parse", "main:a.py").stdout.decode().strip()
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    assert "in a partial clone, fetch it first" in refused(root, "main")
    assert not (tmp_path / "ran").exists()
    # That the trap would have shown it.
    git(root, "diff")
    assert (tmp_path / "ran").exists()


def test_names_that_are_left_alone_keep_their_places(tmp_path: Path) -> None:
    names = "InterruptionTaskFrame,\n    StartInterruptionFrame"
    text = f"from pipecat.frames.frames import (\n    {names},\n)\n\nprint(InterruptionTaskFrame)\n"
    root = repository(tmp_path, {"a.py": text + "print(StartInterruptionFrame)\n"})
    changed = text.replace("StartInterruptionFrame,", "StartInterruptionFrame , ")
    (root / "a.py").write_text(changed + "print(StartInterruptionFrame, 1)\n", encoding="utf-8")
    done = apply(root, "--since", "main", "--target", "1.14", ".")
    assert (done.code, done.errors) == (1, [])
    kept = text.replace("    StartInterruptionFrame,", "    InterruptionFrame , ")
    assert (root / "a.py").read_text(encoding="utf-8") == kept + "print(InterruptionFrame, 1)\n"
