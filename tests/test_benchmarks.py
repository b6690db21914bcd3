"""The parts of ``benchmarks/run.py`` that need no peers; how fast anything is, no test says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import corpora  # noqa: E402
import measure  # noqa: E402
import run  # noqa: E402


def command(name: str, program: str, **more: object) -> measure.Command:
    return measure.Command(name, (sys.executable, "-c", program), **more)  # type: ignore[arg-type]


def test_commands_take_turns_and_those_that_fail_do_not_count(tmp_path: Path):
    order: list[str] = []
    commands = [
        command("a", "pass", before=lambda: order.append("a")),
        command("b", "raise SystemExit(1)", expected=(1,), before=lambda: order.append("b")),
        command("fails", "raise ValueError('why')"),
        command("slow", "pass", slow=True, before=lambda: order.append("slow")),
    ]
    timed = measure.alternate(commands, 2, tmp_path, {})
    assert order == ["a", "b", "a", "b", "slow", "a", "b"]
    assert [len(timed[name].samples) for name in ("a", "b", "fails", "slow")] == [2, 2, 0, 1]
    assert timed["fails"].failure == "exit code 1: ValueError: why"


@pytest.mark.parametrize(
    ("goal", "share"),
    [
        (run.Goal("at most twice", "ours", "theirs", 2), 1.5),
        (run.Goal("ten times faster", "theirs", "ours", 10, faster=True), 10 / 3),
        (run.Goal("memory", "ours", None, 40, "peak"), 0.5),
    ],
)
def test_a_goal_says_by_how_much_it_is_missed(goal: run.Goal, share: float):
    timed = {
        "ours": measure.Timed("ours", [measure.Sample(3, 3, 20), measure.Sample(6, 6, 20)]),
        "theirs": measure.Timed("theirs", [measure.Sample(1, 1, 10), measure.Sample(2, 2, 10)]),
    }
    told = run.judged(goal, timed)
    assert told["share"] == pytest.approx(share)
    assert told["reached"] == (share <= 1)


def test_a_goal_against_a_peer_that_failed_is_not_measured():
    timed = {"ours": measure.Timed("ours", [measure.Sample(1, 1, 1)]), "theirs": measure.Timed("theirs", [], "failed")}
    told = run.judged(run.Goal("at most twice", "ours", "theirs", 2), timed)
    assert told["measured"] is None
    assert not told["reached"]


def test_the_rules_and_files_it_makes_are_what_they_are_said_to_be(tmp_path: Path):
    found = corpora.with_findings(tmp_path / "found" / "found.py", 3)
    renamed = corpora.written(
        tmp_path / "frame" / "frame.py", "from pipecat.frames.frames import Frame\n\nkind = Frame\n"
    )
    entries = {
        "pipecat_codemods.rules": ["r = renamed_frame"],
        "pipecat_codemods.fixes": ["renamed-frame = renamed_frame_fix"],
    }
    plugins = [ROOT / "benchmarks" / "plugin", corpora.plugin(tmp_path / "plugin", entries)]
    bench = run.Bench(corpora.Place(tmp_path))
    here = {"PATH": "", "HOME": str(tmp_path)}
    for made, expected in (
        (bench.checks("found", found), 1),
        (bench.checks("clean", corpora.written(tmp_path / "clean" / "clean.py", corpora.CLEAN)), 0),
        (bench.checks("global", corpora.reassigned(tmp_path / "global" / "global.py", 20)), 0),
        (bench.checks("lines", corpora.long_file(tmp_path / "lines" / "lines.py", 50)), 0),
        (bench.checks("rows", "--select", "benchmark-rows", found, plugins=[corpora.rule_rows(tmp_path / "r", 3)]), 0),
        (
            bench.checks(
                "modules", "--select", corpora.rule_names(3), found, plugins=[corpora.rule_modules(tmp_path / "m", 3)]
            ),
            0,
        ),
        (bench.apply("rename", "--diff", "--select", "renamed-frame", renamed, plugins=plugins), 1),
    ):
        here_too = measure.Command(
            made.name, (sys.executable, *made.argv[1:]), expected=(expected,), environment=made.environment
        )
        measure.run(here_too, tmp_path, here)
