"""What codemods write is indented as the file is: by tabs, by two blanks or by four."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from checks.session import Request
from codemods import apply
from codemods.journal import Journal
from tests.cases import FIXTURES, Case, cases, contents
from tests.sources import source_of

_INDENT = re.compile(rb"^(?: {4})+", re.MULTILINE)


def writes_blocks(case: Case) -> bool:
    """Tell whether a case's mends write lines that are indented."""
    before, after = (contents(case.folder / half) for half in ("before", "after"))
    return any(
        {line for line in data.splitlines() if line[:1] == b" "} - set(before.get(name, b"").splitlines())
        for name, data in after.items()
        if name.endswith(".py")
    )


CASES = [
    case
    for folder in sorted(FIXTURES.iterdir())
    for case in cases(folder.name)
    if case.changes and writes_blocks(case) and not case.folder.name.startswith("bytes-")
]


def indented_by(step: bytes, data: bytes) -> bytes:
    return _INDENT.sub(lambda match: step * (len(match[0]) // 4), data)


@pytest.mark.parametrize("step", [b"\t", b"  "], ids=["tabs", "two blanks"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}/{case}")
def test_what_opens_is_followed_by_one_step(case: Case, step: bytes, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(case.folder / "before", root)
    (root / "pyproject.toml").touch()
    for path in root.rglob("*.py"):
        path.write_bytes(indented_by(step, path.read_bytes()))
    before = contents(root)
    request = Request((str(root),), target=case.target, select=(case.rule, *case.beside))
    ledger = apply.write(apply.mended(request, unsafe=case.unsafe, jobs=1), Journal(tmp_path / "journal"))
    assert [entry.reason for entry in ledger.entries if entry.status in ("error", "refused")] == []
    for name, data in contents(root).items():
        old, lines = set(before[name].splitlines()), data.splitlines()
        is_indented = any(line.startswith(step) for line in old)
        for above, line in pairwise(lines if is_indented else []):
            if line not in old and above.endswith((b"(", b"[", b"{", b":")):
                assert line[: -len(line.lstrip())] == above[: -len(above.lstrip())] + step


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_one_step_without_a_block(newline: str) -> None:
    """It is what follows the first bracket to open on a line that is not indented."""
    lines = ["x = 1", "y = f(", "  g(", "        1,", "  ),", ")", "def f(): return g(", "        1,", ")", ""]
    assert source_of(newline.join(lines)).step(1) == "  "
