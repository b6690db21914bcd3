"""``plan``: what an upgrade will hit, release by release, before anything is changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from checks.pipecat import deprecations
from checks.pipecat.releases import NEWEST, Release, parse
from checks.plan import Held, begins
from checks.plan import plan as look_ahead
from checks.registry import all_rules
from checks.rule import Fix, Impact
from checks.session import Request
from checks.source import Span
from codemods import apply
from tests.cases import contents
from tests.running import BAD, CODEMODS, GOOD, HUMAN, UNSAFE, Done, check, project, python

NEW_HOME = "pipecat.audio.vad.aic_quail_vad.AICQuailVADAnalyzer"
CHANGELOG = "https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md"
# Hits, on the way from 0.0.108 to 1.8.0, something of each kind; each line begins to be found where its comment says.
BOT = b"""\
from pipecat.frames.frames import FatalErrorFrame  # 1.8.0, deprecated
import pipecat.pipeline.task  # 1.3.0, deprecated
from pipecat.pipeline.task_observer import TaskObserver  # 1.3.0
from pipecat.audio.vad.aic_vad import AICVADAnalyzer  # 1.8.0, removed
from pipecat.transports.daily.transport import DailyParams, DailyTransport


async def main(url, token, analyzer, coroutine):
    print(coroutine.cr_code.co_name)  # a defect whatever the release
    return DailyTransport(url, token, "bot", DailyParams(vad_enabled=analyzer))  # 1.0.0, silently
"""
TEXT = f"""\
Already at 0.0.108: 1 finding (1 safe)
  defect: wrong by itself
    1 × unguarded-cr-code (safe)

From 1.0.0 on: 1 finding (1 human)
  silent: runs, and does not do what it says
    1 × swallowed-keyword (human)
      bot.py:10:58: DailyParams takes no vad_enabled since 1.0.0, and ignores it without a word
      see {CHANGELOG}

From 1.3.0 on: 2 findings (1 safe, 1 human)
  breaks: fails when the line runs
    1 × task-manager-argument (safe)
  deprecated: works until it is removed
    1 × deprecated-name (human)
      bot.py:2:8: pipecat.pipeline.task is deprecated since 1.3.0; upstream names pipecat.pipeline.worker instead
      see {CHANGELOG}

From 1.8.0 on: 2 findings (2 human)
  breaks: fails when the line runs
    1 × removed-name (human)
      bot.py:4:39: pipecat.audio.vad.aic_vad.AICVADAnalyzer is gone since 1.8.0; {NEW_HOME} does this work
      see {CHANGELOG}
  deprecated: works until it is removed
    1 × deprecated-name (human)
      bot.py:1:35: FatalErrorFrame is deprecated since 1.8.0; upstream names ErrorFrame instead
      see {CHANGELOG}

6 findings from pipecat-ai 0.0.108 to 1.8.0 in 1 file: 2 breaking, 1 silent, 2 deprecated, 1 defect.
2 can be mended by `apply --target 1.8.0`, 4 need a human.
"""  # noqa: RUF001
WAY = ("--from", "0.0.108", "--to", "1.8")


def plan(cwd: Path, *arguments: str, stdin: bytes = b"") -> Done:
    return python(cwd, *CODEMODS, "plan", *arguments, stdin=stdin)


def report(done: Done) -> dict[str, list[tuple[str, int]]]:
    """Return rule and line of each finding in a JSON report, by release."""
    document = done.report
    groups = {"already": document["already"]} if document["already"] else {}
    groups |= {group["release"]: group["findings"] for group in document["releases"]}
    return {release: [(one["rule"], one["line"]) for one in found] for release, found in groups.items()}


# -- what is said


def test_text(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT})
    before = contents(root)

    done = plan(root, *WAY, ".")

    assert done.out.decode() == TEXT
    assert (done.code, done.err) == (1, b"")
    assert contents(root) == before


def test_verbose_lists_also_what_can_be_mended(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, "watcher.py": UNSAFE})

    short, full = (plan(root, *WAY, *more).out.decode().splitlines() for more in ((), ("-v",)))

    assert [line for line in short if line not in full] == []
    added = sorted(line.strip().partition(": ")[0] for line in full if line not in short)
    assert added == ["bot.py:3:1", "bot.py:9:11", "watcher.py:5:27"]
    assert "    1 × task-manager-argument (unsafe)" in short  # noqa: RUF001
    assert short[-1] == "2 can be mended by `apply --target 1.8.0`, 1 more with --unsafe, 4 need a human."


def test_json(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, "watcher.py": UNSAFE})

    done = plan(root, *WAY, "--output-format", "json", ".")

    assert (done.code, done.err) == (1, b"")
    document = done.report
    assert {key: document[key] for key in ("version", "from", "to")} == {"version": 1, "from": "0.0.108", "to": "1.8.0"}
    assert report(done) == {
        "already": [("unguarded-cr-code", 9)],
        "1.0.0": [("swallowed-keyword", 10)],
        "1.2.0": [("task-manager-argument", 5)],
        "1.3.0": [("deprecated-name", 2), ("task-manager-argument", 3)],
        "1.8.0": [("deprecated-name", 1), ("removed-name", 4)],
    }
    assert document["summary"] == {
        "safe": 2,
        "unsafe": 1,
        "human": 4,
        "breaking": 3,
        "silent": 1,
        "deprecated": 2,
        "defect": 1,
        "baselined": 0,
    }
    silent = document["releases"][0]["findings"][0]
    assert silent.pop("impact") == "silent"
    plain = check(root, "--target", "1.8", "--output-format", "json", ".").report["findings"]
    assert silent in plain
    assert len(plain) == 7


def test_the_example_in_the_readme(tmp_path: Path) -> None:
    lines = [
        "from pipecat.pipeline.task import PipelineTask",
        "from pipecat.pipeline.task_observer import TaskObserver",
        "from pipecat.transports.daily.transport import DailyParams, DailyTransport",
        "",
        "",
        "async def main(url, token, analyzer):",
        '    transport = DailyTransport(url, token, "bot", DailyParams(vad_analyzer=analyzer))',
    ]
    root = project(tmp_path, {"bot.py": "\n".join(lines) + "\n"})
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    command, _, shown = readme.partition("$ python -m codemods plan ")[2].partition("```")[0].partition("\n")

    assert plan(root, *command.split()).out.decode() == shown


def test_output_file(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT})

    assert plan(root, *WAY, "--output-file", "plan.txt").out == b""
    assert (root / "plan.txt").read_text(encoding="utf-8") == TEXT

    done = plan(root, *WAY, "--output-file", "no/plan.txt")
    assert (done.code, done.out) == (2, b"")
    assert done.errors == ["error: no/plan.txt cannot be written: No such file or directory"]


def test_terminal_escapes_do_not_reach_the_terminal(tmp_path: Path) -> None:
    root = project(tmp_path, {"a\x1bb.py": HUMAN})

    done = plan(root, "--from", "1.0", ".")

    assert b"\x1b" not in done.out
    assert rb"a\x1bb.py:2:12: " in done.out


def test_nothing_to_do(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": GOOD, "b.py": GOOD})

    done = plan(root, "--from", "1.0", ".")

    assert (done.code, done.err) == (0, b"")
    assert done.out.decode() == f"Nothing to do from pipecat-ai 1.0.0 to {NEWEST}: 2 files looked at.\n"
    empty = plan(root, "--from", "1.0", "--output-format", "json").report
    assert (empty["already"], empty["releases"], set(empty["summary"].values())) == ([], [], {0})


def test_standard_input(tmp_path: Path) -> None:
    root = project(tmp_path, {})

    done = plan(root, *WAY, "--stdin-filename", "bot.py", "-", stdin=BOT)

    assert (done.code, done.out.decode()) == (1, TEXT)


# -- where a finding belongs


def begun(root: Path, start: str, end: str) -> dict[str, list[tuple[str, int]]]:
    found = look_ahead(Request((str(root),), target=end), start, jobs=1).begun
    return {str(release): [(one.rule, one.span.line) for one in findings] for release, findings in found.items()}


def test_the_release_begun_at_is_not_part_of_the_way(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT})

    assert begun(root, "1.3.0", "1.7.0") == {
        "1.3.0": [
            ("deprecated-name", 2),
            ("task-manager-argument", 3),
            ("unguarded-cr-code", 9),
            ("swallowed-keyword", 10),
        ],
        "1.4.0": [("deprecated-name", 4)],
    }
    assert list(begun(root, "1.2.1", "1.3.0")) == ["1.2.1", "1.3.0"]
    # assert_given is not there yet at 0.0.100 and gone at 1.8.0: two things for one name.
    assert ("removed-name", 4) in begun(root, "0.0.100", "1.8.0")["1.8.0"]
    assert list(begun(root, "1.8.0", "1.8.0")) == ["1.8.0"]


def test_what_is_deprecated_and_then_removed_is_said_of_the_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "pipecat.services.settings.assert_given"
    record = deprecations.Deprecation(name, "function", parse("1.4.0"), "1.8.0", None)
    monkeypatch.setattr(deprecations, "_records", lambda: {(name, "function"): record})
    root = project(tmp_path, {"a.py": "from pipecat.services.settings import assert_given\n"})

    assert begun(root, "1.2.0", "1.7.0") == {"1.4.0": [("deprecated-name", 1)]}
    assert begun(root, "1.2.0", "1.14.0") == {"1.8.0": [("removed-name", 1)]}
    assert begun(root, "1.4.0", "1.7.0") == {"1.4.0": [("deprecated-name", 1)]}


def test_every_release_is_the_only_one_the_code_must_work_with(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            "pyproject.toml": '[project]\ndependencies = ["pipecat-ai>=1.2"]\n',
            "a.py": "from pipecat.adapters.schemas.tools_schema import ToolsSchema\n",
        },
    )

    # While 1.2.0 is still admitted the new home cannot be named; once the requirement has moved it can.
    kept = check(root, "--target", "1.14", "--output-format", "json").report["findings"]
    assert [(one["rule"], one["fix"]) for one in kept] == [("deprecated-name", "none")]
    done = plan(root, "--from", "1.2", "--to", "1.14", "--output-format", "json")
    assert report(done) == {"1.14.0": [("deprecated-name", 1)]}
    assert done.report["summary"]["safe"] == 1


RELEASES = [Release(1, minor, 0) for minor in range(16)]
ONE, TWO, THREE = (("rule", Span(line, 1, line, 2)) for line in (1, 2, 3))


def test_releases_are_halved() -> None:
    since = {ONE: 0, TWO: 5, THREE: 11}
    asked: list[int] = []

    def held_at(release: Release) -> Held:
        asked.append(release.minor)
        return {key: "found" for key, minor in since.items() if release.minor >= minor}

    assert {key: release.minor for key, release in begins(RELEASES, held_at).items()} == since
    assert len(asked) == len(set(asked)) < 10

    asked.clear()
    since = {ONE: 0}
    assert begins(RELEASES, held_at) == {ONE: RELEASES[0]}
    assert asked == [15, 0]

    asked.clear()
    since = {}
    assert begins(RELEASES, held_at) == {}
    assert asked == [15]


def test_what_ends_and_begins_again_is_said_of_its_last_begin() -> None:
    held: dict[int, Held] = {
        **{minor: {ONE: "is not there yet"} for minor in range(4)},
        **{minor: {TWO: "is found on the way only"} for minor in range(4, 9)},
        **{minor: {ONE: "is gone"} for minor in range(9, 16)},
    }

    assert begins(RELEASES, lambda release: held[release.minor]) == {ONE: RELEASES[9]}


def test_jobs_do_not_matter(tmp_path: Path) -> None:
    root = project(tmp_path, {f"{number}/bot.py": BOT for number in range(6)})

    one, two = (plan(root, *WAY, "--output-format", "json", "--jobs", jobs) for jobs in ("1", "2"))

    assert one == two
    assert one.report["summary"]["human"] == 24


# -- what is looked at, and from where


@pytest.mark.parametrize(
    ("files", "start"),
    [
        ({"requirements.txt": "pipecat-ai==0.0.108\n"}, "0.0.108"),
        ({"pyproject.toml": '[project]\ndependencies = ["pipecat-ai[daily]>=1.2,<1.5"]\n'}, "1.4.0"),
        (
            {"uv.lock": '[[package]]\nname = "pipecat-ai"\nversion = "1.3.0"\n', "requirements.txt": "pipecat-ai>1\n"},
            "1.3.0",
        ),
    ],
)
def test_the_pin_is_where_it_begins(files: dict[str, str], start: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, **files})

    document = plan(root, "--output-format", "json").report

    assert (document["from"], document["to"]) == (start, str(NEWEST))


def test_nothing_pinned(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT})

    done = plan(root, ".")

    assert (done.code, done.out) == (2, b"")
    assert done.errors == ["error: no release to begin at: nothing pins pipecat-ai here; give it with --from"]


def test_projects_with_pins_of_their_own(tmp_path: Path) -> None:
    project(tmp_path, {"bot.py": BOT, "requirements.txt": "pipecat-ai==1.2.0\n"}, "old")
    project(tmp_path, {"bot.py": BOT, "requirements.txt": "pipecat-ai==1.3.0\n"}, "new")
    project(tmp_path, {"bot.py": BOT}, "loose")

    done = plan(tmp_path, "old", "new", "loose")

    assert done.code == 2
    assert done.errors == [
        "error: the projects are pinned to 1.2.0 and 1.3.0; give the release to begin at with --from"
    ]
    assert plan(tmp_path, "new", "loose", "--output-format", "json").report["from"] == "1.3.0"
    assert plan(tmp_path, "--from", "1.2", "old", "new", "--output-format", "json").report["from"] == "1.2.0"


def test_settings_are_respected(tmp_path: Path) -> None:
    table = """\
[tool.pipecat-codemods]
target = "1.0.0"
ignore = ["swallowed-keyword"]
exclude = ["vendor/"]
per-file-ignores = { "tests/" = ["deprecated-name"] }
"""
    quiet = BOT.replace(b"  # a defect", b"  # codemods: ignore[unguarded-cr-code]")
    root = project(
        tmp_path, {"pyproject.toml": table, "vendor/bot.py": BOT, "tests/bot.py": BOT, "bot.py": quiet, "more.py": BOT}
    )

    done = plan(root, *WAY, "--output-format", "json", "--ignore", "task-manager-argument", "--exclude", "more.py")
    assert done.report["to"] == "1.8.0"
    assert report(done) == {
        "already": [("unguarded-cr-code", 9)],
        "1.3.0": [("deprecated-name", 2)],
        "1.8.0": [("deprecated-name", 1), ("removed-name", 4), ("removed-name", 4)],
    }

    done = plan(root, *WAY, "--output-format", "json", "--select", "removed-name", "bot.py")
    assert report(done) == {"1.8.0": [("removed-name", 4)]}


# -- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "1.8", "--to", "1.2"), "--from 1.8.0 is later than --to 1.2.0"),
        (("--to", "1.2"), "the release the project is pinned to, 1.3.0, is later than --to 1.2.0"),
        (("--from", "1.22"), "unknown pipecat-ai release '1.22'; the nearest is 1.14.0"),
        (("--to", "1.2.9"), "unknown pipecat-ai release '1.2.9'; the nearest is 1.2.1"),
        (("--select", "removed-names"), "unknown rule 'removed-names'; did you mean 'removed-name'?"),
        (("--output-format", "jsn"), "unknown output format 'jsn'; did you mean 'json'?"),
    ],
)
def test_unusable_arguments(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, "requirements.txt": "pipecat-ai==1.3.0\n"})

    done = plan(root, *arguments)

    assert (done.code, done.out) == (2, b"")
    assert done.errors == [f"error: {told}"]


def test_one_bad_file_costs_one_file(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, "broken.py": b"import pipecat\ndef f(:\n"})

    done = plan(root, *WAY, "bot.py", "broken.py", "missing.py")

    assert done.code == 2
    assert done.out.decode() == TEXT.replace("in 1 file:", "in 2 files:")
    assert [line.partition(": ")[2].partition(":")[0] for line in done.errors] == ["missing.py", "broken.py"]


def test_missing_path_without_a_pin(tmp_path: Path) -> None:
    done = plan(tmp_path, "missing.py")

    assert done.code == 2
    assert done.errors == ["error: missing.py: no such file or folder"]
    assert b"could not be read" in done.out


def test_a_rule_that_fails_at_a_release_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, {"a.py": BAD, "bot.py": BOT})
    rule = all_rules()["deprecated-name"].load()

    def fail(node: Any, source: Any) -> list[Any]:
        if parse("1.0.0") < source.project.target < parse("1.8.0"):
            raise ValueError("no more")
        return []

    kind, *_ = rule.visitors[0]
    monkeypatch.setattr(rule, "visitors", [*rule.visitors, (kind, fail, None)])
    upgrade = look_ahead(Request((str(root),), target="1.8"), "1.0", jobs=1)

    assert upgrade.exit_code() == 2
    assert [(entry.path.name, entry.reason) for entry in upgrade.failed] == [
        ("bot.py", "rule deprecated-name failed: ValueError: no more")
    ]
    assert [finding.rule for finding in upgrade.findings] == ["unguarded-cr-code"]


# -- the rules


def test_impacts() -> None:
    impacts = {name: rule.impact for name, rule in all_rules().items()}
    by_prefix = {"removed": Impact.BREAKS, "swallowed": Impact.SILENT, "deprecated": Impact.DEPRECATED}
    for name, impact in impacts.items():
        if name not in ("removed-event", "removed-extra"):  # Pipecat, or the installer, passes over these
            assert impact == by_prefix.get(name.partition("-")[0], impact), name
    assert impacts["dead-audio-done-override"] is Impact.SILENT
    assert impacts["unused-suppression"] is Impact.DEFECT


def test_counts_agree(tmp_path: Path) -> None:
    root = project(tmp_path, {"bot.py": BOT, "watcher.py": UNSAFE})

    done = plan(root, *WAY, "--output-format", "json")

    found = [one for group in done.report["releases"] for one in group["findings"]] + done.report["already"]
    counts = done.report["summary"]
    assert counts["safe"] + counts["unsafe"] + counts["human"] == len(found)
    assert counts["breaking"] + counts["silent"] + counts["deprecated"] + counts["defect"] == len(found)
    assert counts["human"] == sum(one["fix"] == Fix.NONE.value for one in found)


@pytest.mark.parametrize(("release", "unsafe"), [("1.0.0", False), ("1.3.0", True)])
def test_what_is_announced_as_automatic_is_mended(release: str, unsafe: bool, tmp_path: Path) -> None:
    """Finding by finding, over bots. More may be mended: what goes with a mend, or comes up behind one."""
    root = tmp_path / "bots"
    shutil.copytree(Path(__file__).parent / "bots" / release, root)
    request = Request((str(root),), target=str(NEWEST))
    automatic = {Fix.SAFE, Fix.UNSAFE} if unsafe else {Fix.SAFE}

    upgrade = look_ahead(request, str(NEWEST), jobs=2)
    ledger = apply.ledger_of(apply.mended(request, unsafe=unsafe, jobs=2), written=False)

    announced = {(finding.place, finding.message) for finding in upgrade.findings if finding.fix in automatic}
    mended = {(finding.place, finding.message) for finding, is_mended in ledger.findings() if is_mended}
    assert len(announced) >= 20
    assert announced - mended == set()
    assert [entry.reason for entry in ledger.entries if entry.status in ("error", "refused")] == []
