"""What is known of the object an expression stands for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from checks.pipecat.objects import classes_of, object_of
from checks.pipecat.releases import NEWEST, Release, parse
from checks.project import Project
from checks.source import Source
from tests.sources import source_of

SERVICE = "pipecat.services.openai.llm.OpenAILLMService"
HEAD = """\
from __future__ import annotations
import typing
from typing import Optional, Union
from pipecat.services.llm_service import LLMService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.mcp_service import MCPClient

class Own(OpenAILLMService):
    pass

class Entered(MCPClient):
    async def __aenter__(self):
        return 1

"""

KNOWN = [
    "OpenAILLMService(api_key=key).mark",
    "llm = OpenAILLMService()\nllm.mark",
    "llm: LLMService = OpenAILLMService()\nllm.mark",
    "llm = None\nllm = OpenAILLMService()\nllm.mark",
    "llm = OpenAILLMService()\nother = llm\nother.mark",
    "llm = Own()\nllm.mark",
    "def f(llm: OpenAILLMService):\n    llm.mark",
    "def f(llm: 'OpenAILLMService'):\n    llm.mark",
    "def f(llm: OpenAILLMService | None):\n    llm.mark",
    "def f(llm: 'OpenAILLMService | None'):\n    llm.mark",
    "def f(llm: Optional[OpenAILLMService]):\n    llm.mark",
    "def f(llm: typing.Optional['OpenAILLMService'] = None):\n    llm.mark",
    "def f(llm: Union[None, Own]):\n    llm.mark",
    "def f(llm: Own):\n    def g():\n        llm.mark",
    "def f(llm: LLMService):\n    if isinstance(llm, OpenAILLMService):\n        llm.mark",
    "def f(llm):\n    if not isinstance(llm, Own):\n        return\n    llm.mark",
    "class A(Own):\n    def f(self):\n        self.mark",
    "class A(Own):\n    def f(self):\n        super().mark",
    "class A(Own):\n    def f(this):\n        def g():\n            this.mark",
    "class A:\n    def __init__(self):\n        self.llm = None\n        self.llm = Own()"
    "\n    def f(self):\n        self.llm.mark",
    "class A:\n    def __init__(self, llm: Own):\n        self.llm = llm\n    def f(self):\n        self.llm.mark",
]

UNKNOWN = [
    "llm = OpenAILLMService()\nllm = other()\nllm.mark",
    "for llm in [OpenAILLMService()]:\n    llm.mark",
    "llm, x = OpenAILLMService(), 1\nllm.mark",
    "def f(llm: list[OpenAILLMService]):\n    llm.mark",
    "def f(llm: OpenAILLMService | str):\n    llm.mark",
    "def f(llm: type[OpenAILLMService]):\n    llm.mark",
    "def f(*llm: OpenAILLMService):\n    llm.mark",
    "def f(llm: 'not a class'):\n    llm.mark",
    "def f(llm: OpenAILLMService):\n    llm = wrap(llm)\n    llm.mark",
    "def f(llm):\n    if isinstance(llm, (Own, str)):\n        llm.mark",
    "def f(llm):\n    if not isinstance(llm, Own):\n        llm.mark",
    "def f(llm):\n    if isinstance(llm, Own):\n        llm = next(llm)\n        llm.mark",
    "class A(Own):\n    @staticmethod\n    def f(self):\n        self.mark",
    "class A(Own):\n    @classmethod\n    def f(cls):\n        cls.mark",
    "class A:\n    def __init__(self):\n        self.llm = Own()\n        self.llm = other()"
    "\n    def f(self):\n        self.llm.mark",
    "x = y\ny = x\nx.mark",
]


def subjects(text: str) -> tuple[list[ast.expr], Source]:
    """Return what ``.mark`` is read of, and the source it stands in."""
    source = source_of(f"{HEAD}{text}\n")
    return [node.value for node in source.nodes(ast.Attribute) if node.attr == "mark"], source


@pytest.mark.parametrize("text", KNOWN)
def test_known(text: str) -> None:
    (subject,), source = subjects(text)
    assert {SERVICE, "pipecat.services.llm_service.LLMService"} <= classes_of(subject, source)


@pytest.mark.parametrize("text", UNKNOWN)
def test_unknown(text: str) -> None:
    (subject,), source = subjects(text)
    assert classes_of(subject, source) == frozenset()


@pytest.mark.parametrize(("made", "is_known"), [("MCPClient()", True), ("Entered()", False)])
def test_with(made: str, is_known: bool) -> None:
    (subject,), source = subjects(f"async def f():\n    async with {made} as it:\n        it.mark")
    assert bool(classes_of(subject, source)) is is_known


GIVEN = """\
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.daily.transport import DailyTransport

class Own(LLMContextAggregatorPair):
    pass

"""


@pytest.mark.parametrize(
    ("text", "release", "name"),
    [
        ("user, other = LLMContextAggregatorPair(c)\nuser.mark", NEWEST, "LLMUserAggregator exactly"),
        ("pair = LLMContextAggregatorPair(c)\nother, one = pair\none.mark", NEWEST, "LLMAssistantAggregator exactly"),
        ("user, other = LLMContextAggregatorPair(c)\nuser.mark", parse("0.0.98"), None),  # has no __iter__ yet
        ("LLMContextAggregatorPair(c, user_params=p).user().mark", parse("0.0.82"), "LLMUserAggregator exactly"),
        (
            "pair = LLMContextAggregatorPair(c)\none = pair.assistant()\none.mark",
            NEWEST,
            "LLMAssistantAggregator exactly",
        ),
        ("LLMContextAggregatorPair(c).user.mark", NEWEST, None),
        ("LLMContextAggregatorPair(c).no_such().mark", NEWEST, None),
        ("Own(c).user().mark", NEWEST, None),
        ("def f(pair: LLMContextAggregatorPair):\n    pair.user().mark", NEWEST, None),
        ("one = two.user()\ntwo = one\none.mark", NEWEST, None),
        (
            "class A:\n    def __init__(self):\n        self.a, self.b = LLMContextAggregatorPair(c)"
            "\n    def f(self):\n        self.b.mark",
            NEWEST,
            "LLMAssistantAggregator exactly",
        ),
        (
            "class A:\n    def __init__(self):\n        self.a, self.b = LLMContextAggregatorPair(c)"
            "\n    def f(self):\n        self.b = other\n        self.b.mark",
            NEWEST,
            None,
        ),
        ("transport = DailyTransport(r, t, n)\ntransport.output().mark", NEWEST, "DailyOutputTransport exactly"),
        ("PipelineTask(p).rtvi.mark", NEWEST, "RTVIProcessor or below"),
        ("PipelineTask(p).rtvi().mark", NEWEST, None),
        (
            "llm = OpenAILLMService()\npair = llm.create_context_aggregator(c)\nuser = pair.user()\nuser.mark",
            parse("0.0.108"),
            "OpenAIUserContextAggregator or below",
        ),
        ("OpenAILLMService().create_context_aggregator(c).user().mark", parse("1.0.0"), None),
    ],
)
def test_what_an_object_gives(text: str, release: Release, name: str | None) -> None:
    place = Path("/nowhere/module.py")
    source = Project(Path("/nowhere"), release, overlay={place: f"{GIVEN}{text}\n".encode()}).source(place)
    (subject,) = (node.value for node in source.nodes(ast.Attribute) if node.attr == "mark")
    found = object_of(subject, source)
    said = found and f"{found.lineage.outside[0].rpartition('.')[2]} {'exactly' if found.is_exact else 'or below'}"
    assert said == name


def test_what_is_built_is_of_just_its_class() -> None:
    read, source = subjects("llm = Own()\nllm.mark\ndef f(other: Own):\n    other.mark")
    found = [object_of(one, source) for one in read]
    assert [one and one.is_exact for one in found] == [True, False]
