"""Realtime services of 1.1.0, mended, do on the real library what those of 1.2.0 do, and bracket each response once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checks.session import Request
from codemods import apply
from codemods.journal import Journal
from tests.trees import released

PROOF = Path(__file__).parent / "proofs" / "realtime.py"
SERVICES = {
    "openai.realtime": "OpenAIRealtimeLLMService",
    "xai.realtime": "GrokRealtimeLLMService",
    "inworld.realtime": "InworldRealtimeLLMService",
    "aws.nova_sonic": "AWSNovaSonicLLMService",
}
BRACKETING = [name for module, name in SERVICES.items() if module.endswith("realtime")]
STARTED, STOPPED, END = "TTSStartedFrame", "TTSStoppedFrame", "LLMFullResponseEndFrame"
TURN = [STARTED, STOPPED, END]


def run(modules: list[str], *path: Path) -> dict[str, Any]:
    """Return what the proof prints of these services."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROOF), *modules],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def third_party(folder: Path) -> list[str]:
    """Lay the four services of 1.1.0 out as modules of one's own and return their names."""
    names: list[str] = []
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    for module, name in SERVICES.items():
        file = released("1.1.0").joinpath("pipecat", "services", *module.split("."), "llm.py")
        text = file.read_text("utf-8").replace("from . import", f"from pipecat.services.{module} import")
        own = f"own_{module.replace('.', '_')}"
        (folder / f"{own}.py").write_text(text, encoding="utf-8")
        names.append(f"{own}:{name}")
    return names


def mend(root: Path, target: str, scratch: Path) -> int:
    """Mend a tree, unsafe fixes too, and return how many findings were mended."""
    plan = apply.mended(Request((str(root),), target=target), unsafe=True, jobs=1)
    ledger = apply.write(plan, Journal(scratch / "journal"))
    assert ledger.exit_code() < 2
    return ledger.summary()["applied"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what the proof prints of the services as they are, and mended."""
    scratch = tmp_path_factory.mktemp("realtime")
    names = third_party(scratch / "services")
    before = run(names, scratch / "services", released("1.2.0"))
    assert mend(scratch / "services", "1.2.0", scratch) == 7
    return {"before": before, "after": run(names, scratch / "services", released("1.2.0"))}


def sent(results: list[str], *, service: str, errors: int = 0, warnings: int = 0) -> dict[str, Any]:
    """Return the outcome of having sent these results; only Nova Sonic answers without being asked to."""
    answers = 1 if results and service != "AWSNovaSonicLLMService" else 0
    warnings = warnings if service == "InworldRealtimeLLMService" else 0
    return {"results": results, "answers": answers, "errors": errors, "warnings": warnings}


def assert_routes(found: dict[str, Any], service: str) -> None:
    """Hold what a service does with each kind of message against what it is to do."""
    nothing = sent([], service=service)
    whole = sent(['"whole"'], service=service)
    assert found["started"] == sent([], service=service, warnings=1)
    assert found["final"] == sent(['"whole"'], service=service, warnings=1)
    assert found["again"] == nothing
    assert found["history"] == sent([], service=service, warnings=1)
    assert found["after history"] == nothing
    assert found["intermediate"] == sent([], service=service, warnings=1, errors=1)
    assert found["after intermediate"] == {**whole, "errors": 1}
    assert found["specific"] == nothing
    assert found["regular"] == sent(["plain"], service=service)
    assert found["both"] == sent(["plain", '"whole"'], service=service, warnings=1)
    assert found["unknown"] == sent([], service=service, warnings=1)


@pytest.mark.parametrize("service", SERVICES.values())
def test_results_of_async_tools_are_routed(service: str, results: dict[str, dict[str, Any]]) -> None:
    assert_routes(results["after"][service]["routing"], service)


@pytest.mark.parametrize("service", SERVICES.values())
def test_unmended_the_envelope_is_sent_and_the_result_is_not(service: str, results: dict[str, dict[str, Any]]) -> None:
    found = results["before"][service]["routing"]
    (envelope,) = found["started"]["results"]
    assert json.loads(envelope)["type"] == "async_tool"
    assert found["final"]["results"] == [envelope]
    assert "raised" in found["specific"]


def assert_brackets(found: dict[str, Any]) -> None:
    """Hold the frames of each scenario against one Started and one Stopped a turn, Stopped before the end."""
    for scenario in ("single", "overlapping", "sequential", "played out"):
        assert found[scenario]["frames"] == TURN, scenario
    assert found["no audio"]["frames"] == [END]
    assert found["two responses"]["frames"] == [*TURN, *TURN]
    assert found["silent after speech"]["frames"] == [*TURN, END]
    # An interruption ends the response and the turn itself; what the API says of it later adds no frame but its own.
    assert found["interrupted"]["frames"] == [STARTED, END, STOPPED, END]


@pytest.mark.parametrize("service", BRACKETING)
def test_a_response_is_one_turn(service: str, results: dict[str, dict[str, Any]]) -> None:
    assert_brackets(results["after"][service]["bracketing"])


def test_truncation_names_the_last_item_and_its_own_length(results: dict[str, dict[str, Any]]) -> None:
    found = results["after"]["OpenAIRealtimeLLMService"]["bracketing"]
    # 0.2 s of the first item and 0.1 s of the second were received in 0.15 s.
    assert found["interrupted"]["truncated"] == [["b", 100]]


@pytest.mark.parametrize("service", BRACKETING)
def test_unmended_several_items_are_several_turns(service: str, results: dict[str, dict[str, Any]]) -> None:
    found = results["before"][service]["bracketing"]
    for scenario in ("overlapping", "sequential"):
        assert found[scenario]["frames"] != TURN, scenario
        assert found[scenario]["frames"].count(STOPPED) == 2
