"""What the mending engine withholds: groups that are not whole, edits that fail, results that are not sound."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from checks.report import Ledger, Status
from checks.session import Request
from codemods import apply, fixes, mend
from codemods.journal import Journal
from tests.cases import FIXTURES, contents

TOGETHER = FIXTURES / "task-manager-argument" / "mended-across-files"
MANY = "def f(c, d):\n    return c.cr_code.co_name, d.cr_code.co_name\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "project"


def run(root: Path, *paths: str, **options: Any) -> Ledger:
    names = tuple(str(root / path) for path in paths or (".",))
    plan = apply.mended(Request(names, target="1.2.0", **options), unsafe=False, jobs=1)
    return apply.write(plan, Journal(root.parent / "journal"))


def reasons(ledger: Ledger) -> list[str]:
    return [entry.reason for entry in ledger.entries if entry.reason]


@pytest.mark.parametrize(
    ("paths", "options"),
    [
        (["watching"], {}),
        (["main.py"], {}),
        (["."], {"exclude": ("tests/",)}),
    ],
    ids=["definition only", "caller only", "caller excluded"],
)
def test_a_group_lands_whole_or_not_at_all(root: Path, paths: list[str], options: dict[str, Any]) -> None:
    shutil.copytree(TOGETHER / "before", root)
    (root / "pyproject.toml").touch()
    before = contents(root)
    ledger = run(root, *paths, **options)
    assert contents(root) == before
    assert ledger.exit_code() == 1
    assert {"must change together with places outside this run, or ones that it leaves alone"} == set(reasons(ledger))


def test_a_suppressed_member_holds_its_group_back(root: Path) -> None:
    shutil.copytree(TOGETHER / "before", root)
    (root / "pyproject.toml").touch()
    caller = root / "main.py"
    text = caller.read_text().replace(
        "task_manager=manager)", "task_manager=manager)  # codemods: ignore[task-manager-argument]"
    )
    caller.write_text(text)
    before = contents(root)
    assert run(root).exit_code() == 1
    assert contents(root) == before


def broken(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    """Have the mend of what stands in column 12 write a text, or fail."""
    right = fixes.fix_for("unguarded-cr-code")
    assert right is not None

    def fix(facts: Any, draft: Any) -> None:
        if facts.whole.column != 12:
            right(facts, draft)
        elif text is None:
            raise RuntimeError("no idea")
        else:
            draft.replace(facts.whole, text)

    monkeypatch.setattr(mend, "fix_for", lambda _: fix)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "the fix failed: RuntimeError: no idea"),
        ("c.(", "invalid syntax"),
        ("c.cr_code.co_name ", "does not settle"),
        ('__import__("importlib").import_module("pipecat.sync.event_notifier")', "event_notifier is gone since 1.0.0"),
    ],
    ids=["fails", "does not parse", "does not settle", "does not fit the release"],
)
def test_a_bad_fix_costs_its_own_finding(
    root: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, reason: str
) -> None:
    root.mkdir()
    (root / "pyproject.toml").touch()
    (root / "a.py").write_text(MANY)
    (root / "b.py").write_text(MANY.replace("return c", "return  c"))
    broken(monkeypatch, text)
    ledger = run(root)
    good = 'getattr(getattr({}, "cr_code", None), "co_name", "task")'
    assert (root / "a.py").read_text() == MANY.replace("d.cr_code.co_name", good.format("d"))
    assert "cr_code.co" not in (root / "b.py").read_text()
    entry = next(entry for entry in ledger.entries if entry.path.name == "a.py")
    assert entry.status is Status.CHANGED
    assert reason in entry.reason
    assert ledger.exit_code() == 2
    assert ledger.summary()["applied"] == 3


def test_what_is_left_is_told_of_where_it_stands_now(root: Path) -> None:
    root.mkdir()
    (root / "pyproject.toml").touch()
    given = "yield LLMUpdateSettingsFrame(settings={!r})\n"
    (root / "a.py").write_text(
        "from pipecat.frames.frames import LLMUpdateSettingsFrame\n\n\ndef f(more):\n"
        + "".join("    " + given.format(one) for one in ({"speed": 2}, {"top_p": 1.0}, {"speed": 3}))
    )
    request = Request((str(root),), target="1.14.0")
    shown = apply.ledger_of(apply.mended(request, unsafe=True, jobs=1), written=False)
    ledger = apply.write(apply.mended(request, unsafe=True, jobs=1), Journal(root.parent / "journal"))

    def lines(ledger: Ledger) -> list[tuple[int, bool]]:
        return [(finding.span.line, mended) for entry in ledger.entries for finding, mended in entry.findings]

    assert lines(shown) == [(5, False), (6, True), (7, False)]
    assert lines(ledger) == [(6, False), (6, True), (8, False)]


def test_what_a_mend_brings_does_not_take_the_place_of_what_was_there(root: Path) -> None:
    root.mkdir()
    (root / "requirements.txt").write_text("pipecat-ai>=0.0.90\n")
    names = ("BotInterruptionFrame", "EndTaskFrame")
    (root / "a.py").write_text("".join(f"from pipecat.frames.frames import {name}\n" for name in names))
    request = Request((str(root),), target="1.14.0")
    shown = apply.ledger_of(apply.mended(request, unsafe=False, jobs=1), written=False)
    found = [
        (finding.span.line, finding.message.partition(" ")[0], mended)
        for entry in shown.entries
        for finding, mended in entry.findings
    ]
    assert found == [
        (1, "pipecat.frames.frames.BotInterruptionFrame", True),
        (2, "EndTaskFrame", False),
        (1, "InterruptionTaskFrame", False),
    ]


def test_a_keyword_that_is_gone_with_its_class_does_not_hold_the_class_back(root: Path) -> None:
    root.mkdir()
    (root / "pyproject.toml").touch()
    old = "from pipecat.services.riva import FastPitchTTSService\n\n\nx = FastPitchTTSService(text_filter=None)\n"
    new = "from pipecat.services.nvidia.tts import NvidiaTTSService\n\n\nx = NvidiaTTSService(text_filter=None)\n"
    (root / "a.py").write_text(old)
    request = Request((str(root),), target="1.14.0")
    shown = apply.ledger_of(apply.mended(request, unsafe=False, jobs=1), written=False)
    ledger = apply.write(apply.mended(request, unsafe=False, jobs=1), Journal(root.parent / "journal"))

    assert (root / "a.py").read_text() == new
    assert ledger.exit_code() == 1
    for said, text in ((shown, old), (ledger, new)):
        assert [finding.rule for finding, mended in said.findings() if mended] == ["removed-name"]
        (left,) = (finding for finding, mended in said.findings() if not mended)
        assert left.rule == "swallowed-keyword"
        assert text.splitlines()[left.span.line - 1][left.span.column - 1 :].startswith("text_filter")


@pytest.mark.parametrize("options", [{"select": ("deprecated-name",)}, {"ignore": ("removed-keyword",)}])
def test_a_mend_that_needs_one_of_a_rule_left_out_waits(options: dict[str, Any], root: Path) -> None:
    """It is no failure to leave a name as it is that another rule's mend must go with."""
    root.mkdir()
    (root / "pyproject.toml").touch()
    old = "LLMContextSummarizationConfig"
    text = f"from pipecat.utils.context.llm_context_summarization import {old}\n\nx = {old}(target_context_tokens=5)\n"
    (root / "a.py").write_text(text)
    request = Request((str(root),), target="1.14.0", **options)
    ledger = apply.write(apply.mended(request, unsafe=False, jobs=1), Journal(root.parent / "journal"))

    assert (root / "a.py").read_text() == text
    assert ledger.exit_code() == 1
    (reason,) = reasons(ledger)
    assert reason.startswith("line 1: deprecated-name waits for removed-keyword, which is left out: ")


def test_a_bad_fix_is_known_again_when_others_have_moved_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()
    (root / "pyproject.toml").touch()
    (root / "a.py").write_text("def f(c):\n    return c.cr_code\n\n\ndef g(d):\n    x = 10, d.cr_code\n    return x\n")

    def fix(facts: Any, draft: Any) -> None:
        bad = '__import__("importlib").import_module("pipecat.sync.event_notifier")'
        draft.replace(facts.whole, bad if facts.whole.column == 13 else 'getattr(\n        c, "cr_code", None\n    )')

    monkeypatch.setattr(mend, "fix_for", lambda _: fix)
    monkeypatch.setattr("checks.rules.unguarded_cr_code.tolerates_none", lambda *_: True)
    ledger = run(root)
    assert (root / "a.py").read_text().startswith('def f(c):\n    return getattr(\n        c, "cr_code", None\n    )\n')
    assert ["event_notifier is gone" in reason for reason in reasons(ledger)] == [True]
    assert ledger.summary()["applied"] == 1


def test_of_mends_that_fail_only_together_one_is_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()
    (root / "pyproject.toml").touch()
    (root / "a.py").write_text(MANY)
    right = fixes.fix_for("unguarded-cr-code")
    assert right is not None

    def compiled(data: bytes, *arguments: Any, **named: Any) -> Any:
        if data.count(b"getattr(getattr(") > 1 and b"cr_code.co" not in data:
            raise SyntaxError("too many of them")
        return compile(data, *arguments, **named)

    monkeypatch.setattr(mend, "compile", compiled, raising=False)
    ledger = run(root)
    assert "too many of them" in reasons(ledger)[0]
    assert ledger.summary()["applied"] == MANY.count("cr_code") - 1
    assert ledger.exit_code() == 2


FORM_FEEDS = [
    # The only statement of its block, which gets a `pass` instead.
    "class Voice(OpenAIRealtimeLLMService):\n    async def _handle_evt_audio_done(self, \f evt):\n        pass\n",
    "class Voice(OpenAIRealtimeLLMService):\n    x = 1\n"
    "    async def _handle_evt_audio_done(self, evt):\n\f        pass\n",
]


@pytest.mark.parametrize("text", FORM_FEEDS, ids=["alone", "beside others"])
def test_a_form_feed_is_not_taken_out(root: Path, text: str) -> None:
    root.mkdir()
    (root / "pyproject.toml").touch()
    data = f"from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService\n\n\n{text}"
    (root / "a.py").write_text(data)
    ledger = run(root)
    assert (root / "a.py").read_text() == data
    assert ["would touch a form feed" in reason for reason in reasons(ledger)] == [True]
    assert ledger.exit_code() == 2


def test_cells_of_a_notebook_may_wait_outside_functions(root: Path) -> None:
    root.mkdir()
    (root / "cells.py").write_text(f"# %%\n{MANY}\n\n# %%\nawait f(1, 2)\n")
    assert reasons(run(root)) == []
    assert "c.cr_code" not in (root / "cells.py").read_text()


def test_a_coding_line_that_libcst_does_not_find(root: Path) -> None:
    """It looks for one in bytes with LF only."""
    root.mkdir()
    (root / "pyproject.toml").touch()
    (root / "a.py").write_bytes(
        f"#!/usr/bin/python\n# coding: koi8-r\n# ж\n{MANY}".encode("koi8-r").replace(b"\n", b"\r")
    )
    ledger = run(root)
    assert reasons(ledger) == []
    assert ledger.summary()["applied"] == 2


def test_what_another_mend_clears_the_way_for_is_done_in_the_same_run(root: Path) -> None:
    """The second import cannot be edited as it is written, but goes once the first one has the new name."""
    root.mkdir()
    (root / "pyproject.toml").touch()
    (root / "a.py").write_text(
        "from pipecat.pipeline.task_observer import TaskObserver\n"
        "from pipecat. pipeline.task_observer import TaskObserver as Proxied\n\n"
        "ours = (TaskObserver, Proxied)\n"
    )
    plan = apply.mended(Request((str(root),), target="1.3.0"), unsafe=False, jobs=1)
    first = apply.write(plan, Journal(root.parent / "journal"))
    again = apply.mended(Request((str(root),), target="1.3.0"), unsafe=False, jobs=1)
    assert reasons(first) == []
    assert [file.path for files in again.sets for file in files if file.changed] == []


def test_a_crash_while_mending_costs_its_own_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()
    for name in ("pyproject.toml", "a.py", "b.py", "c.py"):
        (root / name).write_text(MANY if name != "pyproject.toml" else "")
    real = apply.mend

    def crashing(paths: Any, *arguments: Any, **named: Any) -> Any:
        if paths[0].name == "b.py":
            raise RecursionError("too deep")
        return real(paths, *arguments, **named)

    monkeypatch.setattr(apply, "mend", crashing)
    ledger = run(root)
    assert reasons(ledger) == ["mending it failed: RecursionError: too deep"]
    assert [path.name for path in root.glob("*.py") if path.read_text() == MANY] == ["b.py"]
    assert ledger.exit_code() == 2
