"""Gemini Live that sees the screen; a direct function and a summary of the talk at its end."""

import asyncio
import os
import sys
from functools import partial

from loguru import logger

from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import CancelFrame, EndFrame, LLMMessagesAppendFrame, StartFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.observers.turn_tracking_observer import TurnTrackingObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext, NOT_GIVEN
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frameworks.rtvi import RTVIConfig, RTVIObserver, RTVIProcessor
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService, GeminiModalities, InputParams
from pipecat.services.llm_service import FunctionCallParams
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport


class Lifecycle(BaseObserver):
    async def on_push_frame(self, data: FramePushed):
        src, dst, frame = data.source, data.destination, data.frame
        if isinstance(frame, (StartFrame, EndFrame, CancelFrame)):
            logger.info(f"{src} -> {dst}: {frame}")


async def remember(params: FunctionCallParams, **kwargs):
    """Write a note.

    Args:
        note: The note.
    """
    await params.result_callback({"kept": kwargs.get("note")})


async def on_closed(task: PipelineTask, connection: SmallWebRTCConnection):
    logger.info(f"closed {connection.pc_id}")
    await task.cancel(reason="closed")


async def run(connection: SmallWebRTCConnection):
    transport = SmallWebRTCTransport(
        connection, TransportParams(audio_in_enabled=True, audio_out_enabled=True, video_in_enabled=True)
    )
    llm = GeminiLiveLLMService(
        api_key=os.environ["GOOGLE_API_KEY"],
        voice_id="Puck",
        system_instruction="You watch the screen.",
        params=InputParams(modalities=GeminiModalities.AUDIO, temperature=0.3, max_tokens=1000),
        inference_on_context_initialization=False,
    )
    llm.register_direct_function(remember)
    tools = ToolsSchema(standard_tools=[remember])
    context = LLMContext(messages=None, tools=tools if len(sys.argv) > 1 else NOT_GIVEN)
    pair = LLMContextAggregatorPair(context)
    rtvi = RTVIProcessor(config=RTVIConfig(config=[]), transport=transport)
    turns = TurnTrackingObserver()
    task = PipelineTask(
        Pipeline([transport.input(), rtvi, pair.user(), llm, transport.output(), pair.assistant()]),
        params=PipelineParams(enable_metrics=True, observers=[Lifecycle()]),
        observers=[RTVIObserver(rtvi), turns],
        cancel_on_idle_timeout=False,
        check_dangling_tasks=False,
    )
    connection.event_handler("closed")(partial(on_closed, task))

    @turns.event_handler("on_turn_ended")
    async def ended(observer, number, seconds, interrupted):
        logger.info(f"turn {number}: {seconds:.1f}s {interrupted}")

    @task.event_handler("on_idle_timeout")
    async def idle(task):
        await task.queue_frame(LLMMessagesAppendFrame(messages=[{"role": "user", "content": "?"}], run_llm=True))

    @task.event_handler("on_pipeline_finished")
    async def finished(task, frame):
        for message in context.get_messages_for_persistent_storage():
            logger.info(message)

    runner = PipelineRunner(handle_sigint=False, loop=asyncio.get_running_loop())
    await asyncio.gather(runner.run(task))
