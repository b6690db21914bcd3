"""A helpdesk on 1.0: the transports of the runner, services by keyword, tools that take their time."""

import asyncio
import os

from loguru import logger

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    EndTaskFrame,
    FunctionCallResultProperties,
    LLMRunFrame,
    LLMUpdateSettingsFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.runner.types import DailyRunnerArguments, RunnerArguments, SmallWebRTCRunnerArguments
from pipecat.services.deepgram.stt import DeepgramSTTService, LiveOptions
from pipecat.services.deepgram.tts import DeepgramTTSService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.base_llm import BaseOpenAILLMService, OpenAILLMSettings
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.base_transport import BaseTransport, TransportParams

LOOKUP = FunctionSchema(
    name="lookup",
    description="Looks a ticket up",
    properties={"ticket": {"type": "integer"}},
    required=["ticket"],
)
CLOSE = FunctionSchema(name="close", description="Ends the talk", properties={}, required=[])


async def lookup(params: FunctionCallParams):
    await params.result_callback(
        {"ticket": params.arguments["ticket"], "state": "searching"},
        properties=FunctionCallResultProperties(is_final=False),
    )
    await asyncio.sleep(5)
    await params.result_callback({"state": "open"}, properties=FunctionCallResultProperties(run_llm=True))


async def close(params: FunctionCallParams):
    logger.info(f"{params.tool_call_id} closes")
    await params.result_callback({}, properties=FunctionCallResultProperties(run_llm=False))
    await params.llm.queue_frame(TTSSpeakFrame("Bye."))
    await params.llm.push_frame(EndTaskFrame(), FrameDirection.UPSTREAM)


async def transport_for(runner_args: RunnerArguments) -> BaseTransport | None:
    match runner_args:
        case DailyRunnerArguments():
            from pipecat.transports.daily.transport import DailyParams, DailyTransport

            params = DailyParams(audio_in_enabled=True, audio_out_enabled=True)
            return DailyTransport(runner_args.room_url, runner_args.token, "Help", params=params)
        case SmallWebRTCRunnerArguments():
            from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

            params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
            return SmallWebRTCTransport(params=params, webrtc_connection=runner_args.webrtc_connection)
    logger.error(f"no transport for {type(runner_args)}")
    return None


async def run_bot(transport: BaseTransport, handle_sigint: bool = True) -> None:
    stt = DeepgramSTTService(
        api_key=os.environ["DEEPGRAM_API_KEY"],
        live_options=LiveOptions(model="nova-3-general", language="multi", punctuate=True, endpointing=300),
        addons={"numerals": True},
    )
    tts = DeepgramTTSService(api_key=os.environ["DEEPGRAM_API_KEY"], voice="aura-2-thalia-en")
    llm = OpenAILLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        model="gpt-4.1",
        params=BaseOpenAILLMService.InputParams(temperature=0.4, extra={"user": "helpdesk"}),
    )
    llm.register_function("lookup", lookup, cancel_on_interruption=False, timeout_secs=30)
    llm.register_function("close", close)

    context = LLMContext(
        [{"role": "system", "content": "You are the helpdesk."}],
        ToolsSchema(standard_tools=[LOOKUP, CLOSE]),
    )
    user_aggregator, assistant_aggregator = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer(), user_idle_timeout=20)
    )
    task = PipelineTask(
        Pipeline(
            [transport.input(), stt, user_aggregator, llm, tts, transport.output(), assistant_aggregator]
        ),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
    )

    @user_aggregator.event_handler("on_user_turn_idle")
    async def on_user_turn_idle(aggregator):
        await task.queue_frame(LLMUpdateSettingsFrame(delta=OpenAILLMSettings(temperature=0.9)))
        await task.queue_frame(LLMRunFrame())

    @transport.event_handler("on_client_connected")
    async def on_client_connected(transport, client):
        await task.queue_frames([LLMRunFrame()])

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(transport, client):
        await task.cancel()

    runner = PipelineRunner(handle_sigint=handle_sigint)

    await runner.run(task)


async def bot(runner_args: RunnerArguments):
    transport = await transport_for(runner_args)
    if transport is not None:
        await run_bot(transport, runner_args.handle_sigint)
