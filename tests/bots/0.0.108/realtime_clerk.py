"""OpenAI's realtime service behind the development runner, RTVI left to the task."""

import os
from datetime import datetime

from loguru import logger

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import LLMRunFrame
from pipecat.observers.user_bot_latency_observer import UserBotLatencyObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frameworks.rtvi import RTVIObserverParams, RTVIServerMessageFrame
from pipecat.runner.types import RunnerArguments
from pipecat.runner.utils import create_transport
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime.events import (
    AudioConfiguration,
    AudioInput,
    InputAudioTranscription,
    SemanticTurnDetection,
    SessionProperties,
)
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.base_transport import BaseTransport, TransportParams
from pipecat.transports.daily.transport import DailyParams
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams

PARAMS = {
    "daily": lambda: DailyParams(audio_in_enabled=True, audio_out_enabled=True, vad_analyzer=SileroVADAnalyzer()),
    "twilio": lambda: FastAPIWebsocketParams(
        audio_in_enabled=True, audio_out_enabled=True, vad_analyzer=SileroVADAnalyzer()
    ),
    "webrtc": lambda: TransportParams(audio_in_enabled=True, audio_out_enabled=True, vad_analyzer=SileroVADAnalyzer()),
}

clock = FunctionSchema(name="time_now", description="What time it is", properties={}, required=[])


async def time_now(params: FunctionCallParams):
    await params.result_callback({"time": datetime.now().isoformat()})


async def run_bot(transport: BaseTransport, runner_args: RunnerArguments):
    llm = OpenAIRealtimeLLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        model="gpt-realtime",
        session_properties=SessionProperties(
            instructions="You are a clerk.",
            audio=AudioConfiguration(
                input=AudioInput(
                    transcription=InputAudioTranscription(), turn_detection=SemanticTurnDetection()
                )
            ),
        ),
    )
    llm.register_function("time_now", time_now)
    context = LLMContext([{"role": "user", "content": "Greet me."}], ToolsSchema(standard_tools=[clock]))
    pair = LLMContextAggregatorPair(context)
    latency = UserBotLatencyObserver()
    task = PipelineTask(
        Pipeline([transport.input(), pair.user(), llm, transport.output(), pair.assistant()]),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        observers=[latency],
        rtvi_observer_params=RTVIObserverParams(bot_llm_enabled=False, errors_enabled=True),
        idle_timeout_secs=runner_args.pipeline_idle_timeout_secs,
        enable_tracing=True,
        conversation_id="clerk",
    )

    @latency.event_handler("on_latency_measured")
    async def slow(observer, seconds: float):
        logger.info(f"{seconds:.2f}s")
        await task.queue_frame(RTVIServerMessageFrame(data={"latency": seconds}))

    @task.rtvi.event_handler("on_client_ready")
    async def ready(rtvi):
        await task.queue_frames([LLMRunFrame()])

    @transport.event_handler("on_client_disconnected")
    async def bye(transport, client):
        await task.cancel()

    await PipelineRunner(handle_sigint=runner_args.handle_sigint).run(task)


async def bot(runner_args: RunnerArguments):
    transport = await create_transport(runner_args, PARAMS)
    await run_bot(transport, runner_args)


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
