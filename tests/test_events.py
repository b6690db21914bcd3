"""What is known of events, held against itself and against the released wheels."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

import pytest

from checks.pipecat import tables, timeline
from checks.pipecat.event_calls import handed
from checks.pipecat.event_moves import Move, rows
from checks.pipecat.events import known_to, last_with, once_lost, registers
from checks.pipecat.releases import NEWEST, RELEASES, Release, parse
from tests.running import script
from tests.trees import released, wheel

TASK = "pipecat.pipeline.task.PipelineTask"
WORKER = "pipecat.pipeline.worker.PipelineWorker"
DEEPGRAM = "pipecat.services.deepgram.stt.DeepgramSTTService"
ROOM = "pipecat.transports.smallwebrtc.transport.SmallWebRTCTransport"


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """Return the script that makes the table, as a module."""
    return script("build_events")


@pytest.mark.parametrize(
    ("owner", "event", "first", "last"),
    [
        (TASK, "on_pipeline_ended", "0.0.68", "0.0.108"),
        (TASK, "on_pipeline_finished", "0.0.86", "1.14.0"),
        (WORKER, "on_pipeline_ended", "0.0.68", "0.0.108"),  # as the task that it was
        (WORKER, "on_bus_message", "1.3.0", "1.14.0"),  # its base's
        (DEEPGRAM, "on_utterance_end", "0.0.60", "0.0.108"),  # once in a module of another name
        (ROOM, "on_client_closed", "0.0.62", "0.0.67"),
        (ROOM, "on_client_disconnected", "0.0.62", "1.14.0"),
        (ROOM, "on_participant_left", "None", "None"),  # another transport's
    ],
)
def test_a_class_registers_an_event(owner: str, event: str, first: str, last: str) -> None:
    there = [release for release in RELEASES if registers(owner, event, release)]
    assert str(next(iter(there), None)) == first
    assert str(next(reversed(there), None)) == last


def test_what_takes_handlers_in_its_own_way_may_know_any_event() -> None:
    assert known_to("pipecat.extensions.ivr.ivr_navigator.IVRNavigator", NEWEST) is None
    assert known_to(TASK, parse("0.0.108")) is None
    assert known_to("pipecat.no_such.Thing", NEWEST) is None
    worker = known_to(WORKER, NEWEST)
    assert worker is not None
    assert {"on_pipeline_finished", "on_idle_timeout", "on_job_request"} <= worker


def test_no_event_that_a_release_has_is_missing_and_every_lost_one_is() -> None:
    """Of every class in every release: what it registers it knows, and what it lost it does not."""
    wrong: list[str] = []
    lost: set[tuple[str, str]] = set()
    order = [str(release) for release in RELEASES]
    for owner, event, since, until in tables.rows("events.tsv"):
        for release in RELEASES[order.index(since) : order.index(until) if until else None]:
            known = known_to(owner, release)
            if known is not None and event not in known:
                wrong.append(f"{owner} has no {event} in {release}")
        gone = parse(until) if until else None
        known = known_to(owner, gone) if gone is not None else None
        if gone is not None and known is not None and event not in known and event != "*":
            lost.add((owner, event))
            assert event in once_lost()
            assert last_with(owner, event, gone) == RELEASES[RELEASES.index(gone) - 1]
    assert wrong == []
    # All that classes have lost while they were there; a new release may add to it.
    assert sorted(lost) == [
        (TASK, "on_pipeline_cancelled"),
        (TASK, "on_pipeline_ended"),
        (TASK, "on_pipeline_stopped"),
        (DEEPGRAM, "on_speech_started"),
        (DEEPGRAM, "on_utterance_end"),
        ("pipecat.transports.network.small_webrtc.SmallWebRTCTransport", "on_client_closed"),
    ]


@pytest.mark.parametrize("release", ["0.0.67", "0.0.108", "1.14.0"])
def test_the_table_is_what_a_released_wheel_registers(release: str) -> None:
    """Read without the script: every call of a plain literal in the release's classes, and nothing else."""
    root, found = released(release), set[tuple[str, str]]()
    for path in (root / "pipecat").rglob("*.py"):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for owner in ast.parse(path.read_text("utf-8")).body:
            for part in ast.walk(owner) if isinstance(owner, ast.ClassDef) else ():
                match part:
                    case ast.Call(func=ast.Attribute(attr="_register_event_handler"), args=[ast.Constant(value), *_]):
                        found.add((f"{module}.{owner.name}", str(value)))  # type: ignore[attr-defined]
                    case _:
                        pass
    order, at = [str(one) for one in RELEASES], RELEASES.index(parse(release))
    said = {
        (owner, event)
        for owner, event, since, until in tables.rows("events.tsv")
        if order.index(since) <= at and (not until or at < order.index(until)) and event != "*"
    }
    assert said == found
    assert len(said) > 50


@pytest.mark.parametrize(("owner", "event"), rows())
def test_row(owner: str, event: str) -> None:
    """What comes now comes wherever the old event is gone, and is said to since a release that has it."""
    move = rows()[owner, event]
    gone = RELEASES[RELEASES.index(last_with(owner, event, NEWEST) or NEWEST) + 1]
    assert move.since <= gone
    home = timeline.last_meaning(owner, NEWEST) or owner
    assert all(registers(home, move.event, one) for one in RELEASES if one >= move.since)
    assert not move.frame or all(timeline.exists(move.frame, one) for one in RELEASES if one >= move.since)


@pytest.mark.parametrize("release", ["0.0.86", "0.0.95", "0.0.108"])
@pytest.mark.parametrize("event", ["on_pipeline_ended", "on_pipeline_stopped", "on_pipeline_cancelled"])
def test_the_new_event_came_beside_the_old_one(release: str, event: str) -> None:
    text = (released(release) / "pipecat" / "pipeline" / "task.py").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines()]
    at = lines.index(f'await self._call_event_handler("{event}", frame)')
    move = rows()[TASK, event]
    assert lines[at + 1] == f'await self._call_event_handler("{move.event}", frame)'
    above = next(line for line in reversed(lines[:at]) if line.startswith(("elif isinstance(", "finally:")))
    assert above in (f"elif isinstance(frame, {move.frame.rpartition('.')[2]}):", "finally:")


def test_the_client_is_disconnected_where_it_was_closed() -> None:
    called = {}
    for release, callback in (("0.0.67", "on_client_closed"), ("0.0.68", "on_client_disconnected")):
        path = released(release) / "pipecat" / "transports" / "network" / "small_webrtc.py"
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        at = [i for i, line in enumerate(lines) if line.startswith(f"await self._callbacks.{callback}(")]
        called[release] = [next(line for line in reversed(lines[:i]) if "def " in line) for i in at]
    assert called["0.0.67"] == called["0.0.68"] == ["async def _handle_client_closed(self):"]
    assert rows()["pipecat.transports.network.small_webrtc.SmallWebRTCTransport", "on_client_closed"] == Move(
        "on_client_disconnected", parse("0.0.68"), ""
    )


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ('self._register_event_handler("on_a")', ["A|on_a"]),
        ('super()._register_event_handler("on_a", sync=True)', ["A|on_a"]),
        ('if given:\n            self._register_event_handler(event_name="on_a")', ["A|on_a"]),
        ("for name in given:\n            self._register_event_handler(name)", ["A|*"]),
        ("list(map(self._register_event_handler, given))", ["A|*"]),
        ('self._event_handlers["on_a"] = given', ["A|*"]),
        ('given._register_event_handler("on_a")', ["*|on_a"]),
        ('getattr(given, "_register_event_handler")("on_a")', ["A|*"]),
        ('self.add_event_handler("on_a", given)', []),
    ],
)
def test_what_the_script_reads(builder: ModuleType, tmp_path: Path, body: str, events: list[str]) -> None:
    text = f"class A:\n    def __init__(self, given):\n        {body}\n"
    table = builder.build([wheel(tmp_path, "1.0.0", {"one.py": text}), wheel(tmp_path, "1.1.0", {"one.py": ""})])
    assert table.splitlines()[0] == builder.HEADINGS
    assert [row.replace("\t", "|").removeprefix("pipecat.one.") for row in table.splitlines()[1:]] == [
        f"{event}|1.0.0|1.1.0" for event in events
    ]


def test_a_class_with_a_way_of_its_own_may_know_any(builder: ModuleType, tmp_path: Path) -> None:
    text = "class A:\n    class B:\n        def add_event_handler(self, event_name, handler): ...\n"
    table = builder.build([wheel(tmp_path, "1.0.0", {"one.py": text, "utils/base_object.py": text})])
    assert table.splitlines()[1:] == ["pipecat.one.A.B\t*\t1.0.0\t"]


CALLERS = {
    (ROOM, "on_app_message"): [("0.0.85", {("message",)}), ("0.0.86", {("message", "sender")})],
    ("pipecat.transports.livekit.transport.LiveKitTransport", "on_call_state_updated"): [
        ("0.0.104", {("self", "state")}),
        ("0.0.105", {("state",)}),
    ],
    ("pipecat.turns.user_turn_controller.UserTurnController", "on_user_turn_inference_triggered"): [
        ("1.8.0", {("strategy",)}),
        ("1.9.0", {("strategy", "speculation")}),
    ],
    (WORKER, "on_job_request"): [("1.14.0", {("message",)})],  # its base does
    ("pipecat.transports.smallwebrtc.connection.SmallWebRTCConnection", "track-started"): [
        ("1.14.0", {(), ("track",)})
    ],
    ("pipecat.audio.vad.vad_controller.VADController", "on_broadcast_frame"): [("1.14.0", set[tuple[str, ...]]())],
    (DEEPGRAM, "on_connected"): [("1.14.0", set[tuple[str, ...]]())],  # which its base has, and it never calls
}


@pytest.mark.parametrize(("owner", "event"), CALLERS)
def test_handlers_are_called_with(owner: str, event: str) -> None:
    for release, arguments in CALLERS[owner, event]:
        assert handed(owner, event, parse(release), is_exact=True) == arguments


def test_what_a_class_below_calls_handlers_with_counts_where_it_may_be_one() -> None:
    llm = "pipecat.services.llm_service.LLMService"
    assert handed(llm, "on_idle_timeout", NEWEST, is_exact=False) == frozenset()
    strategy = "pipecat.turns.user_stop.base_user_turn_stop_strategy.BaseUserTurnStopStrategy"
    triggered = "on_user_turn_inference_triggered"
    assert handed(strategy, triggered, NEWEST, is_exact=False) == {("speculation",)}


@pytest.mark.parametrize("release", ["0.0.67", "0.0.108", "1.14.0"])
def test_handlers_are_called_as_the_table_says(release: str) -> None:
    """Read without the script: how many arguments each call of a plain literal in the release's classes has."""
    root, found = released(release), set[tuple[str, str, int]]()
    for path in (root / "pipecat").rglob("*.py"):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for owner in ast.parse(path.read_text("utf-8")).body:
            for part in ast.walk(owner) if isinstance(owner, ast.ClassDef) else ():
                match part:
                    case ast.Call(func=ast.Attribute(attr="_call_event_handler"), args=[ast.Constant(value), *rest]):
                        is_told = not part.keywords and not any(isinstance(one, ast.Starred) for one in rest)
                        found.add((f"{module}.{owner.name}", str(value), len(rest) if is_told else -1))  # type: ignore[attr-defined]
                    case _:
                        pass
    order, at = [str(one) for one in RELEASES], RELEASES.index(parse(release))
    said = {
        (owner, event, -1 if arguments == "(*)" else len([one for one in arguments[1:-1].split(",") if one]))
        for owner, event, arguments, since, until in tables.rows("event_calls.tsv")
        if order.index(since) <= at and (not until or at < order.index(until)) and event != "*"
    }
    assert said == found
    assert len(said) > 50


@pytest.mark.parametrize("release", RELEASES)
def test_handlers_get_the_object_and_what_is_handed_on(release: Release) -> None:
    """Every release calls a handler in one of two ways, both the same; an error goes to the log."""
    tree = ast.parse((released(str(release)) / "pipecat" / "utils" / "base_object.py").read_text("utf-8"))
    calls = [ast.unparse(one) for one in ast.walk(tree) if isinstance(one, ast.Call)]
    assert [one for one in calls if one.startswith("handler(")] == ["handler(self, *args, **kwargs)"] * 2
    caught = [ast.unparse(one) for one in ast.walk(tree) if isinstance(one, ast.ExceptHandler)]
    assert sum("logger." in one and "raise" not in one for one in caught) == 1


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        ('await self._call_event_handler("on_a")', ["A|on_a|()"]),
        ('await self._call_event_handler("on_a", given, given.text)', ["A|on_a|(given,_)"]),
        ('self.run(self._call_event_handler("on_a", self))', ["A|on_a|(self)"]),
        ('await self._call_event_handler("on_a", one)\n        self._call_event_handler("on_a", two)', ["A|on_a|(_)"]),
        ('self._call_event_handler("on_a", 1)\n        self._call_event_handler("on_a")', ["A|on_a|()", "A|on_a|(_)"]),
        ('await self._call_event_handler("on_a", *given)', ["A|on_a|(*)"]),
        ('await self._call_event_handler("on_a", given, key=1)', ["A|on_a|(*)"]),
        ("await self._call_event_handler(given, 1)", ["A|*|(_)"]),
        ('await given._call_event_handler("on_a")', ["*|on_a|()"]),
        ("self.run(self._call_event_handler, given)", ["A|*|(*)"]),
        ('getattr(self, "_call_event_handler")("on_a")', ["A|*|(*)"]),
        ("async def _run_handler(self): ...", ["A|*|(*)"]),
    ],
)
def test_what_the_script_reads_of_calls(builder: ModuleType, tmp_path: Path, body: str, calls: list[str]) -> None:
    text = f"class A:\n    async def run(self, given):\n        {body}\n"
    table = builder.build_calls([wheel(tmp_path, "1.0.0", {"one.py": text + "# event_handler\n"})])
    assert table.splitlines()[0] == builder.CALL_HEADINGS
    rows = [row.replace("\t", "|").removeprefix("pipecat.one.") for row in table.splitlines()[1:]]
    assert rows == [f"{call}|1.0.0|" for call in calls]
