"""What is known of Pipecat's API, held against itself and against what the released wheels import and call."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from checks.cli import inspect_all
from checks.pipecat import timeline
from checks.pipecat.releases import NEWEST, RELEASES, parse
from checks.session import Request, begin
from tests.running import script
from tests.trees import released, wheel

LINKAGE = (
    *("removed-name", "removed-keyword", "swallowed-keyword", "removed-method", "removed-attribute"),
    *("removed-event", "became-async"),
)


def test_no_existing_name_is_missing_and_every_removed_one_is() -> None:
    wrong: list[str] = []
    for module in timeline.module_names():
        for name in (module, *(f"{module}.{name}" for name in timeline.names_of(module))):
            spans = timeline.history(name)
            for since, until in spans:
                last = NEWEST if until is None else RELEASES[RELEASES.index(until) - 1]
                wrong += [f"{name} is not in {one}" for one in (since, last) if timeline.exists(name, one) is False]
                # A package's submodule of the same name may have taken a name's place.
                if until is not None and timeline.exists(name, until) and not timeline.exists_module(name, until):
                    wrong.append(f"{name} is in {until}")
    assert wrong == []


# Mistakes of upstream's own, each checked by hand: imports, keywords and methods that its release does not have.
KNOWN = {
    "0.0.60": [],
    "0.0.95": ["rtvi.py:91"],
    "0.0.108": ["rnnoise_filter.py:76", "rnnoise_filter.py:77", "tts.py:19"],
    "1.1.0": ["rnnoise_filter.py:76", "rnnoise_filter.py:77"],
    "1.8.0": [],
    "1.14.0": [],
}


@pytest.mark.parametrize("release", KNOWN)
def test_a_release_has_what_its_own_code_uses(release: str, tmp_path: Path) -> None:
    """Under another name the library's own modules are a user's: all they import and call must be there."""
    shutil.copytree(released(release) / "pipecat", tmp_path / "acme")
    (tmp_path / "pyproject.toml").touch()
    session = begin(Request((str(tmp_path),), target=release, select=LINKAGE))
    findings = [finding for _, inspection in inspect_all(session, None) for finding in inspection.findings]
    assert sorted(f"{Path(f.path).name}:{f.span.line}" for f in findings) == KNOWN[release]


@pytest.mark.parametrize(
    ("name", "release", "others", "taken", "not_taken"),
    [
        ("transports.base_transport.TransportParams", "1.14.0", "swallowed", "audio_in_enabled", "vad_analyzer"),
        ("transports.base_transport.TransportParams", "0.0.95", "swallowed", "vad_analyzer", "vad"),
        ("transports.daily.transport.DailyParams", "1.14.0", "swallowed", "camera_out_enabled", "vad_enabled"),
        ("pipeline.task_observer.TaskObserver", "1.2.0", "swallowed", "observers", "task_manager"),
        ("pipeline.worker.PipelineWorker", "1.14.0", "refused", "params", "task_params"),
        ("frames.frames.TTSAudioRawFrame", "1.2.0", "refused", "context_id", "id"),
        ("services.cartesia.tts.CartesiaTTSService", "1.14.0", "swallowed", "push_stop_frames", "text_aggregator"),
    ],
)
def test_constructor(name: str, release: str, others: str, taken: str, not_taken: str) -> None:
    found = timeline.constructor(f"pipecat.{name}", parse(release))
    assert found is not None
    assert found.others == others
    assert taken in found.keywords
    assert not_taken not in found.keywords


def test_a_moved_name_is_known_by_what_it_was() -> None:
    old = "pipecat.transports.services.daily.DailyTransport"
    assert timeline.exists(old, parse("0.0.95"))
    assert timeline.exists(old, NEWEST) is False
    assert timeline.last_meaning(old, NEWEST) == "pipecat.transports.daily.transport.DailyTransport"
    assert str(timeline.gone_since(old, NEWEST)) == "1.0.0"


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """Return the script that makes the timeline, as a module."""
    return script("build_timeline")


def test_what_the_script_reads(builder: ModuleType, tmp_path: Path) -> None:
    first = wheel(
        tmp_path,
        "1.0.0",
        {
            "__init__.py": "",
            "old.py": "from pipecat.new import *\n",
            "new.py": (
                "from dataclasses import dataclass\n"
                "@dataclass\n"
                "class Frame:\n    size: int\n    text: str = ''\n    id: int = field(init=False)\n"
                "class Base:\n    def __init__(self, *, name=None, **kwargs):\n        self.name = name\n"
                "class Service(Base):\n"
                "    def __init__(self, key, *rest, voice='a', **kw):\n"
                "        kw.pop('speed', 1)\n        super().__init__(**kw)\n"
                "    async def run(self, text, /, *, id): ...\n"
                "    async def say(self):\n        yield self\n"
                "    def __getattr__(self, name): ...\n"
                "def __getattr__(name):\n    if name == 'Alias': return Frame\n"
            ),
        },
    )
    second = wheel(tmp_path, "1.1.0", {"__init__.py": "", "new.py": "class Base:\n    pass\n"})
    read = builder.read_wheels([first, second])
    text = builder.build(read)
    assert builder.build(read) == text
    lines = dict(line.split("\t") for line in text.splitlines())
    assert lines["pipecat.old"] == (
        '{"a":{"Alias":[[0,1,"pipecat.new.Alias"]],"Base":[[0,1,"pipecat.new.Base"]],'
        '"Frame":[[0,1,"pipecat.new.Frame"]],"Service":[[0,1,"pipecat.new.Service"]]},"r":[[0,1,""]]}'
    )
    assert lines["pipecat.new"] == (
        '{"c":{'
        '"Base":{"b":[[0,null,[]]],"i":[[0,1,"(*,name=,**kwargs)"]],"m":{"name":[[0,1,"self"]]}},'
        '"Frame":{"b":[[0,1,[]]],"k":[[0,1,["dataclasses.dataclass"]]],'
        '"m":{"id":[[0,1,""]],"size":[[0,1,""]],"text":[[0,1,""]]},"o":[[0,1,"size,text="]]},'
        '"Service":{"b":[[0,1,["pipecat.new.Base"]]],"i":[[0,1,"(key,*rest,voice=,speed=,**kw>)"]],'
        '"m":{"__getattr__":[[0,1,"(name)"]],"run":[[0,1,"async(text,/,*,id)"]],"say":[[0,1,"async*()"]]}}},'
        '"r":[[0,null,""]],"v":{"Alias":[[0,1,""]]}}'
    )


def test_what_objects_give_is_what_a_released_wheel_says() -> None:
    """Read without the script: an annotation, or what is built and kept under the name that is returned."""
    pair = "pipecat.processors.aggregators.llm_response_universal.LLMContextAggregatorPair"
    for release in ("0.0.95", "1.1.0", "1.14.0"):
        path = released(release).joinpath(*pair.split(".")[:-1]).with_suffix(".py")
        text = path.read_text("utf-8").partition("class LLMContextAggregatorPair:")[2]
        for name in ("user", "assistant"):
            given = timeline.given(pair, name, parse(release))
            assert given is not None
            kind = given.name.rpartition(".")[2]
            assert given.is_exact
            assert f"def {name}(self) -> {kind}:" in text
            assert text.count(f"self._{name} = ") == text.count(f"self._{name} = {kind}(") == 1
            unpacked = timeline.given(pair, "[0]" if name == "user" else "[1]", parse(release))
            assert (unpacked == given) is ("return iter((self._user, self._assistant))" in text)


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("def a(self):\n        return Made()", ["a Made"]),
        ("def a(self):\n        return self._x\n    def b(self):\n        self._x = Made()", ["a Made"]),
        ("def a(self):\n        self._x = self._x or Made()\n        return self._x", []),
        ("def a(self) -> Made:\n        return self._x\n    def b(self, x):\n        self._x = x", ["a Made+"]),
        ("def a(self) -> 'Made':\n        return self._x", ["a Made+"]),
        ("def a(self) -> Made | None:\n        return None", []),
        ("def a(self) -> list[Made]:\n        return []", []),
        ("def a(self, x):\n        return Made() if x else Made()", []),
        ("def a(self, x):\n        if x:\n            return Made()\n        return x", []),
        ("def a(self, x) -> Made:\n        if x:\n            return Made()\n        return x", ["a Made+"]),
        ("async def a(self) -> Made:\n        return Made()", []),
        ("@classmethod\n    def a(cls) -> Made:\n        return Made()", []),
        ("@property\n    def a(self):\n        return Made()", ["a Made"]),
        ("def a(self):\n        return dict()", []),
        (
            "def __iter__(self):\n        return iter((self._x, self._y))\n"
            "    def b(self):\n        self._x = Made()\n        self._y, self._z = Made(), 1",
            ["[0] Made"],
        ),
        (
            "def a(self):\n        if not self._x:\n            self._x = Made()\n        return self._x\n"
            "    def b(self):\n        self._x: Made | None = None",
            ["a Made"],
        ),
    ],
)
def test_what_the_script_reads_of_what_is_given(body: str, given: list[str], tmp_path: Path) -> None:
    builder = script("build_timeline")
    text = f"class A:\n    {body}\n\n\nclass Made:\n    pass\n"
    read = builder.read_wheels([wheel(tmp_path, "1.0.0", {"one.py": text})])
    (line,) = (line for line in builder.build(read).splitlines() if line.startswith("pipecat.one\t"))
    members = json.loads(line.partition("\t")[2])["c"]["A"].get("g", {})
    found = [f"{name} {runs[0][2]}" for name, runs in members.items()]
    assert found == [one.replace("Made", "pipecat.one.Made") for one in given]
