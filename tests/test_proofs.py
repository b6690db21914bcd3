"""Behaviour proofs: mended code runs on the real library and does what it is to do; unmended code fails the same."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from checks.cli import inspect_all
from checks.rule import Finding, Fix
from checks.session import Request, begin
from codemods import apply
from codemods.journal import Journal
from tests.trees import released, run_on

PROOFS = Path(__file__).parent / "proofs"
OBSERVED = "seen ['one', 'two']\nstarted 1\nleft []\n"


def program(name: str, scratch: Path) -> Path:
    """Return a copy of a proof's program that may be mended."""
    folder = scratch / "program"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    return Path(shutil.copy(PROOFS / name, folder))


# The service, and by 1.14.0 two names that the program around it imports.
MENDED = {"1.2.0": 1, "1.14.0": 3}


def mend(root: Path, target: str, scratch: Path, *, unsafe: bool = False) -> int:
    """Mend a tree for a release and return how many findings were mended."""
    plan = apply.mended(Request((str(root),), target=target), unsafe=unsafe, jobs=1)
    ledger = apply.write(plan, Journal(scratch / "journal"))
    assert ledger.exit_code() < 2
    return ledger.summary()["applied"]


def findings(root: Path, target: str) -> list[Finding]:
    """Return what is found in a tree for a release."""
    session = begin(Request((str(root),), target=target))
    return [finding for _, inspection in inspect_all(session, 1) for finding in inspection.findings]


def test_observer_wired_by_its_constructor_works_on_1_1_only(tmp_path: Path) -> None:
    script = program("observed.py", tmp_path)
    assert run_on(released("1.1.0"), script).stdout == OBSERVED
    failed = run_on(released("1.2.0"), script)
    assert failed.returncode == 1
    assert "TaskManager is not initialized" in failed.stderr


GONE = "No module named 'pipecat.pipeline.task_observer'"


@pytest.mark.parametrize(
    ("release", "failure", "count"),
    [
        ("1.2.0", "TaskManager is not initialized", 1),
        ("1.3.0", GONE, 2),
        ("1.5.0", GONE, 1),
        ("1.8.0", GONE, 3),
        ("1.14.0", GONE, 3),
    ],
)
def test_observer_wired_by_setup_starts_delivers_and_stops(
    release: str, failure: str, count: int, tmp_path: Path
) -> None:
    script = program("observed.py", tmp_path)
    assert failure in run_on(released(release), script).stderr
    assert mend(script.parent, release, tmp_path) == count
    done = run_on(released(release), script)
    assert done.stdout == OBSERVED, done.stderr


# From 1.5.0 on the task manager that the program makes needs no setup() either.
@pytest.mark.parametrize(("release", "count"), [("1.2.0", 2), ("1.14.0", 4)])
def test_observer_class_of_ones_own_works_with_setup(release: str, count: int, tmp_path: Path) -> None:
    # Its constructor keeps the manager before it calls super().__init__(), which from 1.2.0 overwrites it with None.
    script = program("watching.py", tmp_path)
    assert run_on(released("1.1.0"), script).stdout == (
        "counted 3\ntasks ['Watcher::again', 'watcher::_count']\nleft []\n"
    )
    failed = run_on(released(release), script)
    assert "'NoneType' object has no attribute 'create_task'" in failed.stderr
    assert mend(script.parent, release, tmp_path) == count
    done = run_on(released(release), script)
    assert done.stdout == ("counted 3\ntasks ['watcher::_count', 'watcher::again']\nleft []\n"), done.stderr


@pytest.mark.parametrize("release", ["0.0.95", "1.1.0"])
def test_foreign_coroutine_gets_a_task_name_instead_of_a_crash(release: str, tmp_path: Path) -> None:
    script = program("foreign_coroutine.py", tmp_path)
    tree = tmp_path / "tree"
    shutil.copytree(released(release), tree)
    unmended = run_on(tree, script)
    assert unmended.stdout == "native p::work\n"
    assert "AttributeError: 'Foreign' object has no attribute 'cr_code'" in unmended.stderr
    assert mend(tree, "1.2.0", tmp_path) >= 1
    mended = run_on(tree, script)
    assert mended.stdout == ("native p::work\nforeign p::task\ndone ['native', 'foreign']\n"), mended.stderr


@pytest.mark.parametrize("release", ["1.2.0", "1.14.0"])
def test_untraced_service_gets_its_spans(release: str, tmp_path: Path) -> None:
    script = program("voice.py", tmp_path)
    assert run_on(released(release), script).stdout == "heard 1\nspans []\n"
    assert mend(script.parent, release, tmp_path) == MENDED[release]
    done = run_on(released(release), script)
    assert done.stdout == "heard 1\nspans ['Hello.']\n", done.stderr


@pytest.mark.parametrize("release", ["0.0.102", "1.0.0", "1.14.0"])
def test_service_of_an_older_release_speaks_again(release: str, tmp_path: Path) -> None:
    script = program("speaking.py", tmp_path)
    heard = "heard ['TTSStartedFrame', 'TTSAudioRawFrame', 'TTSStoppedFrame']\n"
    assert run_on(released("0.0.101"), script).stdout == heard
    assert run_on(released(release), script).stdout == "heard []\n"
    assert mend(script.parent, release, tmp_path) >= 1
    done = run_on(released(release), script)
    assert done.stdout == heard, done.stderr


@pytest.mark.parametrize("release", ["0.0.104", "1.0.0", "1.14.0"])
def test_service_with_a_dictionary_of_settings_starts_again(release: str, tmp_path: Path) -> None:
    script = program("keeping.py", tmp_path)
    assert run_on(released("0.0.103"), script).stdout == "said hello fr\n"
    assert "AttributeError" in run_on(released(release), script).stderr
    assert mend(script.parent, release, tmp_path, unsafe=True) == 1
    done = run_on(released(release), script)
    assert done.stdout == "said hello fr\n", done.stderr


@pytest.mark.parametrize("release", ["0.0.105", "1.1.0", "1.14.0"])
def test_service_with_audio_contexts_of_its_own_speaks_again(release: str, tmp_path: Path) -> None:
    """Once it opens those it is told of, each turn is heard at once, whole and in order."""
    script = program("own_contexts.py", tmp_path)
    assert "6 10 TTSStoppedFrame" in run_on(released("0.0.101"), script).stdout
    assert run_on(released(release), script).stdout == "soon\n"
    assert mend(script.parent, release, tmp_path, unsafe=True) >= 3
    done = run_on(released(release), script)
    heard = (f"TTSStartedFrame {audio} TTSStoppedFrame" for audio in ("6 10", "4", "8"))
    assert done.stdout == f"{' '.join(heard)} soon\n", done.stderr


@pytest.mark.parametrize("release", ["0.0.104", "1.0.0", "1.14.0"])
def test_service_that_set_its_voice_speaks_with_it_again(release: str, tmp_path: Path) -> None:
    """What its constructor said, and what a frame says later, reaches what it sends and the metrics as it did."""
    script = program("own_voice.py", tmp_path)
    spoken = run_on(released("0.0.103"), script).stdout
    assert {"said Hello. ann one 3", "said Bye. bob two 3", "told ['one']", "told ['two']"} == set(spoken.splitlines())
    assert "no attribute 'set_model_name'" in run_on(released(release), script).stderr
    assert mend(script.parent, release, tmp_path, unsafe=True) >= 6
    done = run_on(released(release), script)
    assert sorted(done.stdout.splitlines()) == sorted(spoken.splitlines()), done.stderr


KEPT = """
import functools


def kept(function):
    @functools.wraps(function)
    async def generate(*args, **kwargs):
        async for frame in function(*args, **kwargs):
            yield frame

    return generate
"""


@pytest.mark.parametrize("release", ["1.2.0", "1.14.0"])
@pytest.mark.parametrize(
    "decorators",
    ["    @traced_stt\n", "    @kept\n    @traced_tts\n"],
    ids=["wrong", "misplaced"],
)
def test_service_traced_wrongly_gets_its_spans(decorators: str, release: str, tmp_path: Path) -> None:
    script = program("voice.py", tmp_path)
    text = script.read_text().replace("    async def run_tts", f"{decorators}    async def run_tts")
    if "traced_tts" in decorators:
        text = text.replace("import traced_stt", "import traced_tts")
        text = text.replace("class Voice", f"{KEPT}\n\nclass Voice", 1)
    script.write_text(text)
    assert "spans ['Hello.']" not in run_on(released(release), script).stdout
    assert mend(script.parent, release, tmp_path) == MENDED[release]
    done = run_on(released(release), script)
    assert done.stdout == "heard 1\nspans ['Hello.']\n", done.stderr


def last_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what a program printed, less what Pipecat's own parts may print at the start."""
    lines = [line for line in done.stdout.splitlines() if line.startswith(("asked ", "holds ", "talk "))]
    assert lines, done.stderr
    return lines


STAND_IN = """
from unittest.mock import MagicMock


def __getattr__(name):
    return MagicMock()
"""


def stand_in(modules: Iterable[str], folder: Path) -> None:
    """Have something stand in for modules that are imported but not used in what runs here, where they are missing."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            (folder / f"{module}.py").write_text(STAND_IN)


GONE_WITH_CONTEXTS = {
    "context": {},
    "listed": {
        'ToolsSchema(standard_tools=[FunctionSchema("weather", "The weather", {}, [])])': (
            '[{"type": "function", "function": {"name": "weather", "description": "The weather"}}]'
        )
    },
    "messages": {
        "import EndFrame": "import EndFrame, LLMMessagesFrame",
        "context_aggregator.user().get_context_frame()": "LLMMessagesFrame([{'role': 'user', 'content': 'Alone?'}])",
    },
}


@pytest.mark.parametrize("release", ["1.0.0", "1.14.0"])
@pytest.mark.parametrize("kind", GONE_WITH_CONTEXTS)
def test_model_is_asked_the_same_with_the_one_context(kind: str, release: str, tmp_path: Path) -> None:
    script = program("conversation.py", tmp_path)
    stand_in(("httpx", "onnxruntime", "transformers"), script.parent)
    text = script.read_text()
    for old, new in GONE_WITH_CONTEXTS[kind].items():
        assert old in text
        text = text.replace(old, new)
    script.write_text(text)
    before = last_lines(run_on(released("0.0.108"), script))
    assert [line.partition(" ")[0] for line in before] == ["asked", *(["asked"] * (kind != "messages")), "holds"]
    gone = "'LLMMessagesFrame'" if kind == "messages" else "'pipecat.processors.aggregators.openai_llm_context'"
    assert gone in run_on(released(release), script).stderr
    assert mend(script.parent, release, tmp_path, unsafe=kind == "messages") >= 4
    assert last_lines(run_on(released(release), script)) == before


@pytest.mark.parametrize("release", ["1.0.0", "1.14.0"])
def test_aggregators_do_the_work_of_processors_that_are_gone(release: str, tmp_path: Path) -> None:
    script = program("turns.py", tmp_path)
    stand_in(("httpx", "onnxruntime", "transformers"), script.parent)
    before = last_lines(run_on(released("0.0.108"), script))
    assert {"talk idle 1", "talk user: Heard."} <= set(before)
    assert "talk user: Not heard." not in before
    assert "No module named 'pipecat.processors.filters.stt_mute_filter'" in run_on(released(release), script).stderr
    assert mend(script.parent, release, tmp_path, unsafe=True) >= 5
    # The aggregators tell of a turn when it is over, so later than the processor did.
    assert sorted(last_lines(run_on(released(release), script))) == sorted(before)


def test_a_handler_that_cannot_take_its_arguments_is_passed_over(tmp_path: Path) -> None:
    script = program("handlers.py", tmp_path)
    misspelt = "log strategy: event handler on_user_turn_stoped not registered"
    failed = "log strategy: uncaught exception in event handler '{}' ("
    before = run_on(released("1.8.0"), script).stdout.splitlines()
    assert before == [misspelt, failed.format("on_user_turn_stopped"), "heard ['triggered', 'stopped']"]
    after = run_on(released("1.14.0"), script).stdout.splitlines()
    assert after[1:] == [failed.format("on_user_turn_inference_triggered"), before[1], "heard ['stopped']"]
    found = [
        (one.rule, one.span.line, one.fix is Fix.SAFE)
        for one in findings(script.parent, "1.14.0")
        if one.rule in ("mismatched-event-handler", "unknown-event")
    ]
    assert found == [
        ("mismatched-event-handler", 15, True),
        ("mismatched-event-handler", 25, False),
        ("unknown-event", 30, False),
    ]
    assert mend(script.parent, "1.14.0", tmp_path) == 1
    assert run_on(released("1.14.0"), script).stdout.splitlines() == before


@pytest.mark.parametrize(("release", "before"), [("0.0.69", True), ("0.0.86", False), ("1.14.0", False)])
def test_transport_of_an_older_release_is_given_audio_again(release: str, before: bool, tmp_path: Path) -> None:
    script = program("sending.py", tmp_path)
    assert run_on(released("0.0.68"), script).stdout == "sent True\nheard True\n"
    assert run_on(released(release), script).stdout == f"sent False\nheard {before}\n"
    assert mend(script.parent, release, tmp_path, unsafe=True) >= 1
    done = run_on(released(release), script)
    assert done.stdout == "sent True\nheard True\n", done.stderr
