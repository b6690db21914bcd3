"""What codemods write into other modules, by itself: on the real library and the real OpenTelemetry SDK."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.test_proofs import mend
from tests.trees import released

REPOSITORY = Path(__file__).parent.parent
TEMPLATE = REPOSITORY / "codemods" / "templates" / "traced_tts.py"
TTFB = "metrics.ttfb"


RUNS = {
    "1.1.0": ("1.1.0", "template", {}),
    "1.2.0": ("1.2.0", "template", {}),
    "1.14.0": ("1.14.0", "template", {}),
    "mended 1.1.0": ("1.1.0", "pipecat.utils.tracing.service_decorators", {"MENDED": "1"}),
    "mended 1.0.0": ("1.0.0", "pipecat.utils.tracing.service_decorators", {"MENDED": "1"}),
    "unmended": ("1.1.0", "pipecat.utils.tracing.service_decorators", {}),
    "bare": ("1.1.0", "template", {"WITHOUT_OPENTELEMETRY": "1"}),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what the tracing proof prints in each run; all run at once, since most of their time is waiting."""
    started: dict[str, subprocess.Popen[str]] = {}
    for name, (release, module, environment) in RUNS.items():
        scratch = tmp_path_factory.mktemp(name)
        shutil.copy(REPOSITORY / "tests" / "proofs" / "tracing.py", scratch)
        shutil.copy(TEMPLATE, scratch / "template.py")
        tree = released(release)
        if environment.get("MENDED"):
            tree = Path(shutil.copytree(tree, scratch / "tree"))
            mend(tree, "1.2.0", scratch)
        path = os.pathsep.join([str(scratch), str(tree)])
        started[name] = subprocess.Popen(
            [sys.executable, "-W", "ignore", "tracing.py", module],
            cwd=scratch,
            env={**os.environ, "PYTHONPATH": path, **environment},
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
    assert len(found) == count, (scenario, found)
    # The SDK says so when a span is ended twice.
    assert [w for w in result[scenario]["warnings"] if "ended span" in w] == []
    return found


def one(result: dict[str, Any], scenario: str) -> dict[str, Any]:
    """Return the one span of a scenario."""
    return spans(result, scenario, 1)[0]


@pytest.mark.parametrize("release", ["1.1.0", "1.2.0", "1.14.0", "mended 1.1.0", "mended 1.0.0"])
def test_a_span_is_one_synthesis(release: str, runs: dict[str, dict[str, Any]]) -> None:
    result = runs[release]

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


def test_the_decorator_of_1_1_0_measures_the_call(runs: dict[str, dict[str, Any]]) -> None:
    for span in spans(runs["unmended"], "streaming", 2):
        assert span["seconds"] < 0.05
        assert span["attributes"][TTFB] < 0.05


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
