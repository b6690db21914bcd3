"""A use of everything in upstream's registry of deprecations, as people write it."""

from __future__ import annotations

from checks.pipecat import deprecations, tables, timeline
from checks.pipecat.deprecations import Deprecation
from checks.pipecat.releases import NEWEST
from checks.pipecat.timeline import place

# Values by what a field needs, of settings.tsv's column; everything else is given a text.
_VALUES = {"dict": "{}", "list": "[]", "bool": "True", "Language": "Language.EN"}
_PARAMS = ("params", "live_options", "connection_params")
_LANGUAGE = "from pipecat.transcriptions.language import Language\n"
_FROM_SCENARIO = "from pipecat.evals.{0} import {1}\n\n\ndef run(it):\n    return {1}.from_scenario(it, {2}=False)\n"
_REGISTERED = (
    "from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema\nfrom {0} import {1}\n\n\n"
    "async def search(params):\n    pass\n\n\ndef run(it: {1}):\n    it.register_direct_function(search)\n"
    "    return ToolsSchema(standard_tools=[search])\n"
)
_ON_PROGRESS = (
    "from pipecat.evals.{0} import {1}\n\n\ndef show(progress):\n    print(progress)\n\n\n"
    "async def run(scenario):\n    session = {1}{2}(scenario, 'ws://localhost', on_progress=show)\n"
    "    await session.run()\n"
)
_WORKER = (
    "from pipecat.services.llm_service import FunctionCallParams\n"
    "from pipecat.workers.llm.llm_worker import LLMWorker\n\n\nclass Worker(LLMWorker):\n"
    "    async def hand_over(self, params: FunctionCallParams):\n"
    "        await self.{0}result_callback=params.result_callback)\n"
)
_SET_UP = (
    "import asyncio\n\nfrom pipecat.utils.asyncio.task_manager import TaskManager, TaskManagerParams\n\n\n"
    "async def run():\n    manager = TaskManager()\n"
    "    manager.setup(TaskManagerParams(loop=asyncio.get_running_loop()))\n    return manager\n"
)
# One of those that have the settings for themselves.
_SERVICES = {
    "STTService": "pipecat.services.deepgram.stt.DeepgramSTTService",
    "TTSService": "pipecat.services.cartesia.tts.CartesiaTTSService",
}
_WRITTEN = {
    "pipecat.evals.scenario": 'name: greeting\nturns:\n  - user: "Hi"\n',
    "pipecat.evals.suite": "suite:\n  - bot: bot.py\n    runner_body: cat.yaml\n",
    "pipecat.evals.session.EvalSession.from_scenario.on_progress": _ON_PROGRESS.format(
        "session", "EvalSession", ".from_scenario"
    ),
    "pipecat.evals.script_session.EvalScriptSession.from_scenario.on_progress": _ON_PROGRESS.format(
        "script_session", "EvalScriptSession", ".from_scenario"
    ),
    "pipecat.evals.script_session.EvalScriptSession.on_progress": _ON_PROGRESS.format(
        "script_session", "EvalScriptSession", ""
    ),
    "pipecat.evals.suite.EvalSuite.run.on_update": (
        "from pipecat.evals.suite import EvalSuite\n\n\nasync def run(suite: EvalSuite, logs):\n"
        "    await suite.run(logs, on_update=lambda one: print(one))\n"
    ),
    "pipecat.extensions.voicemail.voicemail_detector.VoicemailDetector.custom_system_prompt": (
        "from pipecat.extensions.voicemail.voicemail_detector import VoicemailDetector\n\n\ndef run(llm):\n"
        '    return VoicemailDetector(llm=llm, custom_system_prompt="x")\n'
    ),
    "pipecat.workers.llm.llm_worker.LLMWorker.activate_worker.result_callback": _WORKER.format('activate_worker("x", '),
    "pipecat.workers.llm.llm_worker.LLMWorker.end.result_callback": _WORKER.format('end(reason="x", '),
    "pipecat.flows.types.FlowResult": (
        "from pipecat.flows import FlowResult\n\n\nasync def run() -> FlowResult:\n    return {}\n"
    ),
    "pipecat.flows.types.NodeConfig.role_messages": (
        "from pipecat.flows import NodeConfig\n\n\ndef first() -> NodeConfig:\n"
        '    return {"role_messages": [{"role": "system", "content": "x"}], "task_messages": []}\n'
    ),
    "pipecat.evals.judge.EvalJudge.service": (
        "from pipecat.evals.judge import EvalJudge\n\n\ndef run(llm):\n    return EvalJudge(service=llm)\n"
    ),
    "pipecat.utils.asyncio.task_manager.TaskManager.setup": _SET_UP,
    "pipecat.utils.asyncio.task_manager.TaskManagerParams": _SET_UP,
    **{
        f"{module}.{name}.register_direct_function": _REGISTERED.format(module, name)
        for module, name in (
            ("pipecat.services.llm_service", "LLMService"),
            ("pipecat.pipeline.llm_switcher", "LLMSwitcher"),
        )
    },
    **{
        f"pipecat.evals.{module}.{name}.from_scenario.{knob}": _FROM_SCENARIO.format(module, name, knob)
        for module, name in (("session", "EvalSession"), ("script_session", "EvalScriptSession"))
        for knob in ("stop_bot", "trigger_disconnect")
    },
    "pipecat.workers.runner.WorkerRunner.run.worker": (
        "from pipecat.workers.runner import WorkerRunner\n\n\nasync def main(worker):\n"
        "    runner = WorkerRunner()\n    await runner.run(worker)\n"
    ),
    "pipecat.frames.frames.ServiceUpdateSettingsFrame.settings": (
        "from pipecat.frames.frames import TTSUpdateSettingsFrame\n\n"
        'frame = TTSUpdateSettingsFrame(settings={"voice": "x"})\n'
    ),
    "pipecat.processors.aggregators.llm_response_universal.LLMAssistantAggregatorParams.context_summarization_config": (
        "from pipecat.processors.aggregators.llm_response_universal import LLMAssistantAggregatorParams\n"
        "from pipecat.utils.context.llm_context_summarization import LLMContextSummarizationConfig\n\n"
        "params = LLMAssistantAggregatorParams(\n"
        "    context_summarization_config=LLMContextSummarizationConfig(target_context_tokens=500)\n)\n"
    ),
    "pipecat.processors.aggregators.llm_response_universal.LLMUserAggregatorParams.user_turn_completion_config": (
        "from pipecat.processors.aggregators.llm_response_universal import LLMUserAggregatorParams\n\n\n"
        "def params(config):\n"
        "    return LLMUserAggregatorParams(\n"
        "        filter_incomplete_user_turns=True, user_turn_completion_config=config\n    )\n"
    ),
    "pipecat.services.tts_service.TTSService.text_filters": (
        "from pipecat.services.cartesia.tts import CartesiaTTSService\n"
        "from pipecat.utils.text.markdown_text_filter import MarkdownTextFilter\n\n"
        'tts = CartesiaTTSService(api_key="key", text_filters=[MarkdownTextFilter()])\n'
    ),
    "pipecat.utils.text.markdown_text_filter.MarkdownTextFilter": (
        "from pipecat.services.cartesia.tts import CartesiaTTSService\n"
        "from pipecat.utils.text.markdown_text_filter import MarkdownTextFilter\n\n"
        'tts = CartesiaTTSService(api_key="key", text_filters=[MarkdownTextFilter()])\n'
    ),
    "pipecat.services.azure.tts.AzureBaseTTSService.InputParams": (
        "from pipecat.services.azure.tts import AzureTTSService\n\n"
        'AzureTTSService(params=AzureTTSService.InputParams(style="calm"))\n'
    ),
}


def records() -> list[Deprecation]:
    """Return the records of what the newest release still has."""
    return [one for one in deprecations.records() if one.gone is None]


def suffix(record: Deprecation) -> str:
    """Return how the name of a file ends in which a record's use can stand."""
    return ".yaml" if record.kind == "file-key" else ".py"


def use(record: Deprecation) -> str:
    """Return a program, or another file, that uses what a record is about."""
    if record.name in _WRITTEN:
        return _WRITTEN[record.name]
    at = place(record.name)
    assert at is not None, record.name
    outer, _, rest = at.name.partition(".")
    if record.kind == "module":
        return f"from {record.name} import {(name := _first_name(record.name))}\n\nprint({name})\n"
    start = f"from {at.module} import {outer}\n"
    owner, _, member = at.name.rpartition(".")
    if record.kind == "parameter":
        return start + _call(f"{at.module}.{owner}", owner, member)
    called = next((row for row in tables.rows("calls.tsv") if row[0] == record.name), None)
    if record.kind == "method":
        service = _SERVICES.get(owner)
        start, owner = (_imported(service), service.rpartition(".")[2]) if service else (start, owner)
        said = "return await" if called is not None and called[2] else "await"
        return f"{start}\n\nasync def run(it: {owner}, x):\n    {said} it.{member}({_given(called)})\n"
    if record.kind == "event":
        return f"{start}\n\ndef run(it: {owner}, handle):\n    it.add_event_handler({member!r}, handle)\n"
    if record.kind == "property":
        return f"{start}\n\ndef run(it: {owner}):\n    return it.{member}\n"
    if called is not None:
        return f"{start}\n\ndef run(x):\n    return {at.name}({_given(called)})\n"
    service = _service_of(record)
    if service is not None:
        keyword = next((one for one in _PARAMS if timeline.keyword_history(service, one)), "params")
        return start + _imported(service) + _call(service, service.rpartition(".")[2], keyword, at.name)
    return f"{start}\nprint({at.name})\n" if not rest else f"{start}\n{outer}(params={at.name}())\n"


def _given(called: list[str] | None) -> str:
    """Return arguments that a row of calls.tsv speaks of."""
    parts = called[1].split(", ") if called is not None and called[1] else []
    written = (part.partition("=") for part in parts)
    return ", ".join(
        {"*all": "x", "**some": 'label="x"', "**given": "languages=[]"}.get(n, v or "x") for n, _, v in written
    )


def _call(dotted: str, owner: str, keyword: str, params: str | None = None) -> str:
    """Return a call that gives a keyword; one of params is given a field that has a place in the settings."""
    if keyword not in _PARAMS:
        return f"{_LANGUAGE}\n{owner}({keyword}={_value(dotted, keyword)})\n"
    service, fields = _fields(dotted, keyword)
    given = next((f"{name}={_VALUES.get(needs, repr('x'))}" for name, needs in fields), "")
    named = params or _params_of(service)
    top = place(named) if params is None else None
    imported = f"from {top.module} import {top.name.partition('.')[0]}\n" if top is not None else ""
    name = top.name if top is not None else named
    return f"{imported}{_LANGUAGE}\n{owner}({keyword}={name}({given}))\n"


def _value(dotted: str, keyword: str) -> str:
    lineage = timeline.lineage(dotted, NEWEST)
    for owner, name, value, *_ in tables.rows("keywords.tsv"):
        if name == keyword and owner in (dotted, *lineage) and value != "*":
            return value.replace("*", "")
    fields = [needs for _, needs in _fields(dotted, keyword)[1]]
    return _VALUES.get(fields[0] if fields else "", '"x"')


def _fields(service: str, keyword: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the class that settings.tsv speaks of, and the fields that become settings, those of any value first."""
    for owner in timeline.lineage(service, NEWEST):
        rows = [row for row in tables.rows("settings.tsv") if (row[0], row[1]) == (owner, keyword)]
        if rows:
            kept = [(row[2], row[7]) for row in rows if row[3].startswith("settings:") and not row[5]]
            return owner, sorted(kept, key=lambda row: (row[1] not in ("", *_VALUES), row[1] != ""))
    return service, []


def _params_of(service: str) -> str:
    """Return the class of a service's params."""
    module, _, name = service.rpartition(".")
    package = module.rpartition(".")[0]
    of_it = (one.name for one in records() if one.kind == "class" and (one.replacement or "") == f"{name}.Settings")
    return next((one for one in of_it if one.startswith(package)), f"{service}.InputParams")


def _service_of(record: Deprecation) -> str | None:
    """Return the service whose settings took the place of a class."""
    name, _, last = (record.replacement or "").rpartition(".")
    package = record.name.rpartition(".")[0].removesuffix(f".{name}")
    if last != "Settings":
        return None
    folder = package.rpartition(".")[0]
    homes = (package, f"{folder}.stt", f"{folder}.tts", f"{folder}.llm")
    return next((f"{home}.{name}" for home in homes if timeline.exists(f"{home}.{name}", NEWEST)), None)


def _imported(dotted: str) -> str:
    module, _, name = dotted.rpartition(".")
    return f"from {module} import {name}\n"


def _first_name(module: str) -> str:
    names = [name for name in timeline.names_of(module) if timeline.exists(f"{module}.{name}", NEWEST)]
    defined = [name for name in names if timeline.canonical(f"{module}.{name}", NEWEST) == f"{module}.{name}"]
    return (defined or names)[0]
