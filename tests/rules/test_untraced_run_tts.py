"""The cases of ``untraced-run-tts``: silent ones first, and what it says of released packages."""

from __future__ import annotations

import ast
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.pipecat.tracing import METHOD
from checks.rules.untraced_run_tts import reason_for_silence
from checks.session import Request, begin
from tests.cases import FIXTURES, Case, assert_case, cases
from tests.trees import released


@pytest.mark.parametrize("case", cases("untraced-run-tts"), ids=str)
def test_case(case: Case, tmp_path: Path) -> None:
    """What the fixture says is what check and apply do."""
    assert_case(case, tmp_path)


def reasons(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yield every class of a tree with a ``run_tts`` and why that is not to be traced, None if it is."""
    for workspace in begin(Request((str(root),), target="1.2.0")).workspaces:
        for source in workspace.project.mentioning(METHOD):
            for node in source.nodes(ast.AsyncFunctionDef):
                owner = source.parent(node)
                if node.name == METHOD and isinstance(owner, ast.ClassDef):
                    yield owner.name, reason_for_silence(node, owner, source)


def test_why_a_method_is_left_alone(tmp_path: Path) -> None:
    silent = FIXTURES / "untraced-run-tts" / "silent-no-service-to-trace" / "before"
    (tmp_path / "pyproject.toml").touch()
    shutil.copytree(silent, tmp_path, dirs_exist_ok=True)
    assert dict(reasons(tmp_path)) == {
        "Stub": "a stub",
        "Refusing": "a stub",
        "Abstract": "abstract",
        "Cached": "hands the work on",
        "Traced": "traced",
        "Otherwise": "traced",
        "ByHand": "traced",
        "Unrelated": "not a TTS service",
        "Fake": "a test's",
    }


# What each package's services are, None for those that are to be decorated.
PACKAGES: list[tuple[str, str, dict[str, str | None]]] = [
    ("nvidia_pipecat", "0.1.0", {"ElevenLabsTTSServiceWithEndOfSpeech": "traced", "RivaTTSService": "traced"}),
    ("nvidia_pipecat", "0.4.0", {"NemotronTTSService": "traced"}),
    ("pipecat_deepdub_tts", "0.1.1", {"DeepdubTTSService": "traced"}),
    ("pipecat_pyai", "0.1.3", {"PyAITTSService": None}),
    ("pipecat_respeecher", "1.0.2", {"RespeecherTTSService": "traced"}),
    # Its fallback, where Pipecat has no tracing, traces nothing; the decorator is there all the same.
    ("pipecat_sonex", "0.2.7", {"SonexTTSService": "traced"}),
    ("pipecat_tts_cache", "1.0.1", {"TTSCacheMixin": "not a TTS service"}),
    ("pipecat_xtts_vllm", "0.1.1", {"XTTSVLLMTTSService": None}),
]
PIPECAT: dict[str, dict[str | None, int]] = {
    "1.2.0": {"traced": 46, "abstract": 1},
    "1.14.0": {"traced": 52, "abstract": 1, "hands the work on": 1},
}


@pytest.mark.parametrize(
    ("package", "release", "found"), PACKAGES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_in_released_packages(package: str, release: str, found: dict[str, str | None]) -> None:
    assert dict(reasons(released(release, package))) == found


@pytest.mark.parametrize("release", ["1.2.0", "1.14.0"])
def test_in_pipecat_itself(release: str) -> None:
    counted = Counter(reason for _, reason in reasons(released(release)))
    assert counted == PIPECAT[release]
