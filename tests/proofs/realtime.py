"""Puts realtime services through what their APIs would make them do; prints what each sent and pushed, as JSON.

    python realtime.py MODULE:CLASS…

The service's websocket is replaced at its own send method, and frames are noted where it pushes them; all else is the
real service.
"""

import asyncio
import importlib.util
import json
import sys
import types
from unittest.mock import MagicMock

from loguru import logger

if importlib.util.find_spec("aws_sdk_bedrock_runtime") is None:
    # Only the names are needed to import Nova Sonic; nothing of the SDK is called.
    for name in (
        "aws_sdk_bedrock_runtime.client",
        "aws_sdk_bedrock_runtime.config",
        "aws_sdk_bedrock_runtime.models",
        "smithy_aws_core.auth.sigv4",
        "smithy_aws_core.identity.static",
        "smithy_core.aio.eventstream",
    ):
        for end in range(1, name.count(".") + 2):
            sys.modules.setdefault(".".join(name.split(".")[:end]), MagicMock())

from pipecat.processors.aggregators import async_tool_messages
from pipecat.processors.aggregators.llm_context import LLMContext, LLMSpecificMessage

logger.remove()
logged = []
logger.add(lambda message: logged.append(message.record["level"].name), level="WARNING")


def quiet(kind):
    """Return a service's class that talks to this program."""

    class Quiet(kind):
        def listen(self):
            self.sent = []
            self.pushed = []
            return self

        async def send_client_event(self, event):
            self.sent.append(event.model_dump(exclude_none=True))

        async def _send_client_event(self, text):
            self.sent.append(json.loads(text))

        async def push_frame(self, frame, *rest):
            self.pushed.append(type(frame).__name__)

        def _get_output_sample_rate(self):
            return 24000  # a StartFrame would tell

    if kind.__name__ == "AWSNovaSonicLLMService":
        service = Quiet(secret_access_key="secret", access_key_id="key", region="here").listen()
        service._stream = service._prompt_name = "somewhere"
    else:
        service = Quiet(api_key="key").listen()
        service._api_session_ready = True
        service._llm_needs_conversation_setup = False
    return service


def outcome(service):
    """Return the results sent, how many answers were asked for, and the errors pushed; then forget them."""
    results, answers = [], 0
    for event in service.sent:
        if event.get("type") == "response.create":
            answers += 1
        elif event.get("item", {}).get("type") == "function_call_output":
            results.append(json.loads(event["item"]["output"]))
        elif "toolResult" in event.get("event", {}):
            results.append(event["event"]["toolResult"]["content"])
    errors = service.pushed.count("ErrorFrame")
    found = {"results": results, "answers": answers, "errors": errors, "warnings": logged.count("WARNING")}
    service.listen()
    logged.clear()
    return found


class Unknown:
    """What a later release might report."""

    kind = "paused"
    tool_call_id = "t"
    result = None


async def routing(kind):
    """Return what a service does with each kind of message."""

    async def given(service, *messages, send=True):
        service._context = LLMContext(list(messages))
        try:
            await service._process_completed_function_calls(send_new_results=send)
        except AttributeError as error:
            return {"raised": str(error)}
        return outcome(service)

    started = async_tool_messages.build_started_message("t")
    partly = async_tool_messages.build_intermediate_result_message("t", '"half"')
    final = async_tool_messages.build_final_result_message("t", '"whole"')
    regular = {"role": "tool", "tool_call_id": "r", "content": "plain"}
    found = {}
    found["started"] = await given(quiet(kind), started)
    service = quiet(kind)
    found["final"] = await given(service, started, final)
    found["again"] = await given(service, started, final)
    service = quiet(kind)
    found["history"] = await given(service, started, final, send=False)
    found["after history"] = await given(service, started, final)
    service = quiet(kind)
    found["intermediate"] = await given(service, started, partly)
    found["after intermediate"] = await given(service, started, partly, final)
    found["specific"] = await given(quiet(kind), LLMSpecificMessage(llm="acme", message={"tool_call_id": "s"}))
    found["regular"] = await given(
        quiet(kind), regular, {"role": "tool", "tool_call_id": "p", "content": "IN_PROGRESS"}
    )
    found["both"] = await given(quiet(kind), regular, started, final)
    real = async_tool_messages.parse_message
    async_tool_messages.parse_message = lambda message: Unknown() if message is started else real(message)
    found["unknown"] = await given(quiet(kind), started)
    async_tool_messages.parse_message = real
    return found


def event(**fields):
    return types.SimpleNamespace(**fields)


def delta(item):
    # 0.1 s of audio at 24 kHz
    return event(item_id=item, content_index=0, output_index=0, response_id="r", delta="A" * 6400)


# Steps of a scenario that are no event of the API's.
BOT_STOPPED, INTERRUPTED = object(), object()


async def bracketing(kind):
    """Return the audio frames a service pushes in each scenario, and the truncations it asks for."""

    def response(*items):
        usage = event(input_tokens=1, output_tokens=1, total_tokens=2, input_token_details=None)
        output = [event(id=item, type="message") for item in items]
        answer = event(usage=usage, status="completed", output=output, status_details=None)
        return event(response=answer, usage=usage)

    async def played(*steps):
        service = quiet(kind)
        service._current_assistant_response = "answer"
        for step in steps:
            if isinstance(step, str):
                await service._handle_evt_audio_done(event(item_id=step))
            elif step is BOT_STOPPED:
                await service._handle_bot_stopped_speaking()
            elif step is INTERRUPTED:
                await asyncio.sleep(0.15)
                await service._handle_interruption()
            elif hasattr(step, "response"):
                await service._handle_evt_response_done(step)
            else:
                await service._handle_evt_audio_delta(step)
        frames = [one for one in service.pushed if one.startswith("TTS") or one == "LLMFullResponseEndFrame"]
        truncated = [(one["item_id"], one["audio_end_ms"]) for one in service.sent if "audio_end_ms" in one]
        return {"frames": [one for one in frames if one != "TTSAudioRawFrame"], "truncated": truncated}

    a, b = delta("a"), delta("b")
    return {
        "single": await played(a, a, "a", response("a")),
        "overlapping": await played(a, b, "a", b, "b", response("a", "b")),
        "sequential": await played(a, "a", b, "b", response("a", "b")),
        "interrupted": await played(a, a, b, INTERRUPTED, response("a", "b")),
        "no audio": await played(response()),
        "two responses": await played(a, "a", response("a"), b, "b", response("b")),
        "played out": await played(a, "a", BOT_STOPPED, response("a")),
        "silent after speech": await played(a, "a", response("a"), response()),
    }


async def main():
    found = {}
    for named in sys.argv[1:]:
        module, _, name = named.partition(":")
        kind = getattr(importlib.import_module(module), name)
        found[name] = {"routing": await routing(kind)}
        if hasattr(kind, "_handle_evt_audio_delta"):
            found[name]["bracketing"] = await bracketing(kind)
    print(json.dumps(found))


asyncio.run(main())
