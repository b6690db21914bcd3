"""What codemods write into other modules, by itself: on the real library and the real OpenTelemetry SDK."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.test_proofs import mend
from tests.trees import fork, released

REPOSITORY = Path(__file__).parent.parent
TEMPLATE = REPOSITORY / "codemods" / "templates" / "traced_tts.py"
TTFB = "metrics.ttfb"


TRACERS = {
    "template": TEMPLATE.read_text("utf-8"),
    "release": "from pipecat.utils.tracing.service_decorators import traced_tts\n",
    "own": (REPOSITORY / "tests" / "proofs" / "own_tracer.py").read_text("utf-8"),
}


@dataclass(frozen=True)
class Run:
    """One run of the proof: on which release, with which ``traced_tts``: one of TRACERS, or that of an older release.

    ``mended``: what a run of ``apply`` gets before it: the release's own tree, a fork, or the program and its tracer.
    ``by_hand``: the services open their spans themselves.
    """

    release: str
    tracer: str
    mended: Literal["", "tree", "fork", "program"] = ""
    by_hand: bool = False
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def prepare(self, scratch: Path) -> Path:
        """Lay program and tracer out in a folder and return the tree to run them on."""
        program = (REPOSITORY / "tests" / "proofs" / "tracing.py").read_text("utf-8")
        (scratch / "tracing.py").write_text(by_hand(program) if self.by_hand else program, encoding="utf-8")
        tracer = TRACERS.get(self.tracer) or decorators_of(self.tracer)
        (scratch / "tracer.py").write_text(tracer, encoding="utf-8")
        (scratch / "pyproject.toml").touch()
        tree = released(self.release)
        if self.mended == "tree":
            tree = Path(shutil.copytree(tree, scratch / "tree"))
            assert mend(tree, "1.2.0", scratch) == 2
        elif self.mended == "fork":
            tree = fork(scratch / "fork")
            assert mend(tree, "1.2.0", scratch) == 5
        elif self.mended:
            assert mend(scratch, "1.2.0", scratch) == (5 if self.by_hand else 1)
        return tree


def decorators_of(release: str) -> str:
    """Return the text of the module a release's ``traced_tts`` is in, as somebody had to adapt it later.

    The two names that later releases no longer have play no part for speech.
    """
    text = (released(release) / "pipecat" / "utils" / "tracing" / "service_decorators.py").read_text("utf-8")
    text = re.sub(r"from pipecat\.\S+ import (get_current_turn_context)\n", r"def \1():\n    return None\n\n\n", text)
    return re.sub(r"from pipecat\.\S+ import (OpenAILLMContext)\n", r"\1 = None\n", text)


def by_hand(program: str) -> str:
    """Return the proof with spans opened in ``run_tts`` in the place of each decorator."""
    opened = (
        'with trace.get_tracer("bot").start_as_current_span("tts") as span:',
        '    span.set_attribute("text", text)',
        '    span.set_attribute("metrics.character_count", len(text))',
    )

    def rewritten(match: re.Match[str]) -> str:
        head, *body = match[1].splitlines()
        return "\n".join([head, *(f"        {line}" for line in opened), *(f"    {line}" for line in body), ""])

    return re.sub(r"    @traced_tts\n(    async def run_tts.*\n(?:        .*\n)+)", rewritten, program)


RUNS = {
    "1.1.0": Run("1.1.0", "template"),
    "1.2.0": Run("1.2.0", "template"),
    "1.14.0": Run("1.14.0", "template"),
    "mended 1.0.0": Run("1.0.0", "release", "tree"),
    "mended 1.1.0": Run("1.1.0", "release", "tree"),
    "mended fork": Run("1.1.0", "release", "fork"),
    "vendored 0.0.68": Run("1.1.0", "0.0.68", "program"),
    "vendored 0.0.95": Run("1.1.0", "0.0.95", "program"),
    "own on 1.1.0": Run("1.1.0", "own", "program"),
    "own on 1.14.0": Run("1.14.0", "own", "program"),
    "by hand": Run("1.1.0", "release", "program", by_hand=True),
    "unmended": Run("1.1.0", "release"),
    "unmended vendored": Run("1.1.0", "0.0.95"),
    "unmended own": Run("1.1.0", "own"),
    "unmended by hand": Run("1.1.0", "release", by_hand=True),
    "bare": Run("1.1.0", "template", environment={"WITHOUT_OPENTELEMETRY": "1"}),
}
UNMENDED = [name for name in RUNS if name.startswith("unmended")]
TRUE = [name for name in RUNS if name not in (*UNMENDED, "bare")]
# Runs at once: most of their time is waiting, but what they wait for is measured.
AT_ONCE = 5


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what the tracing proof prints in each run."""
    names = list(RUNS)
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(names), AT_ONCE):
        found |= run_at_once(names[start : start + AT_ONCE], tmp_path_factory)
    return found


def run_at_once(names: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Start some runs, let them begin together, and return what each prints."""
    started: dict[str, subprocess.Popen[str]] = {}
    for name in names:
        scratch = tmp_path_factory.mktemp(name.replace(" ", "-"))
        path = os.pathsep.join([str(scratch), str(RUNS[name].prepare(scratch))])
        started[name] = subprocess.Popen(
            [sys.executable, "-W", "ignore", "tracing.py"],
            cwd=scratch,
            env={**os.environ, "PYTHONPATH": path, **RUNS[name].environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    for process in started.values():
        assert process.stdout is not None
        process.stdout.readline()
    for process in started.values():
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found: dict[str, dict[str, Any]] = {}
    for name, process in started.items():
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, err
        found[name] = json.loads(out)
    return found


def spans(result: dict[str, Any], scenario: str, count: int) -> list[dict[str, Any]]:
    """Return the spans of a scenario, of which there must be this many."""
    found = result[scenario]["spans"]
    for span in found:  # 0.0.68 gave milliseconds
        if f"{TTFB}_ms" in span["attributes"]:
            span["attributes"][TTFB] = span["attributes"].pop(f"{TTFB}_ms") / 1000
    assert len(found) == count, (scenario, found)
    # The SDK says so when a span is ended twice.
    assert [w for w in result[scenario]["warnings"] if "ended span" in w] == []
    return found


def one(result: dict[str, Any], scenario: str) -> dict[str, Any]:
    """Return the one span of a scenario."""
    return spans(result, scenario, 1)[0]


@pytest.mark.parametrize("name", TRUE)
def test_a_span_is_one_synthesis(name: str, runs: dict[str, dict[str, Any]]) -> None:
    result = runs[name]

    first, second = spans(result, "streaming", 2)
    assert first["attributes"][TTFB] == pytest.approx(0.3, abs=0.05)
    assert second["attributes"][TTFB] == pytest.approx(0.1, abs=0.05)
    assert first["seconds"] == pytest.approx(0.45, abs=0.1)
    assert second["seconds"] == pytest.approx(0.25, abs=0.1)
    assert first["attributes"]["text"] == "Hello."
    assert second["attributes"]["metrics.character_count"] == 10

    for scenario, ttfb in {"removed": 0.1, "auto": 0.1, "http": 0.15, "at once": 0.2, "own setup": 0.1}.items():
        assert one(result, scenario)["attributes"][TTFB] == pytest.approx(ttfb, abs=0.05), scenario
    assert one(result, "parent and child")["attributes"]["metrics.character_count"] == 6
    assert one(result, "tokens")["attributes"]["text"] == "Hello you."

    cut, after = spans(result, "interrupted", 2)
    assert cut["attributes"]["tts.interrupted"] is True
    everyone = [span for scenario in result.values() for span in scenario["spans"]]
    assert [span for span in everyone if "tts.interrupted" in span["attributes"]] == [cut]
    assert after["attributes"][TTFB] == pytest.approx(0.1, abs=0.05)

    failed = one(result, "failing")
    assert (failed["status"], failed["events"]) == ("ERROR", ["exception"])
    assert one(result, "refusing")["status"] == "ERROR"
    for span in (failed, one(result, "refusing"), one(result, "cancelled")):
        assert TTFB not in span["attributes"]  # nothing was heard, so nothing was measured

    # Two at once share one stopwatch, which the second start sets back: no figure is better than a wrong one.
    for span in spans(result, "two at once", 2):
        assert TTFB not in span["attributes"]
        assert span["seconds"] > 0.3


def test_tracing_never_gets_in_the_way(runs: dict[str, dict[str, Any]]) -> None:
    result = runs["1.1.0"]
    assert result["tracing off"]["spans"] == []
    for scenario in ("tracing off", "exporter raises", "streaming"):
        assert result[scenario]["heard"] == (6 if scenario == "streaming" else 3), scenario
    assert any("no collector" in warning for warning in result["exporter raises"]["warnings"])

    bare = runs["bare"]
    assert (bare["heard"], bare["hooked"]) == (3, False)


@pytest.mark.parametrize("name", UNMENDED)
def test_what_is_not_mended_measures_the_call(name: str, runs: dict[str, dict[str, Any]]) -> None:
    for span in spans(runs[name], "streaming", 2):
        assert span["seconds"] < 0.05
        assert span["attributes"].get(TTFB, 0) < 0.05


@pytest.mark.parametrize("width", [88, 100, 120])
def test_ruff_format_leaves_it_alone(width: int) -> None:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", f"--line-length={width}", str(TEMPLATE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_ruff_format_leaves_a_mended_module_alone(tmp_path: Path) -> None:
    """Pipecat's own settings: lines of 100, sorted imports."""
    tree = Path(shutil.copytree(released("1.1.0"), tmp_path / "tree"))
    module = tree / "pipecat" / "utils" / "tracing" / "service_decorators.py"
    options = ["--isolated", "--line-length=100", str(module)]
    imports = ["check", "--select=I", *options]
    before = [
        subprocess.run([sys.executable, "-m", "ruff", *words], capture_output=True).returncode
        for words in (["format", "--check", *options], imports)
    ]
    assert mend(tree, "1.2.0", tmp_path) >= 1
    after = [
        subprocess.run([sys.executable, "-m", "ruff", *words], capture_output=True, text=True)
        for words in (["format", "--check", "--diff", *options], imports)
    ]
    assert [done.returncode for done in after] == before, "".join(done.stdout for done in after)


def test_pyright_is_content(tmp_path: Path) -> None:
    shutil.copy(TEMPLATE, tmp_path)
    config = {"extraPaths": [str(released("1.1.0"))], "typeCheckingMode": "strict", "include": [TEMPLATE.name]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
