"""Speech to speech by OpenAI's realtime beta over Daily, with a tool."""

import asyncio
import os

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext
from pipecat.processors.transcript_processor import TranscriptProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai_realtime_beta import (
    InputAudioNoiseReduction,
    InputAudioTranscription,
    OpenAIRealtimeBetaLLMService,
    SemanticTurnDetection,
    SessionProperties,
)
from pipecat.transports.services.daily import DailyParams, DailyTransport

INSTRUCTIONS = "You host a radio show about birds. Keep it short."


async def sightings(params: FunctionCallParams):
    place = params.arguments["place"]
    await asyncio.sleep(0)
    await params.result_callback({"place": place, "birds": ["wren", "robin"]})


tools = ToolsSchema(
    standard_tools=[
        FunctionSchema(
            name="sightings",
            description="Which birds were seen at a place",
            properties={"place": {"type": "string", "description": "A town"}},
            required=["place"],
        )
    ]
)


async def main():
    transport = DailyTransport(
        os.environ["DAILY_ROOM"],
        None,
        "Radio",
        params=DailyParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            camera_out_enabled=False,
            vad_analyzer=SileroVADAnalyzer(),
        ),
    )
    llm = OpenAIRealtimeBetaLLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        session_properties=SessionProperties(
            input_audio_transcription=InputAudioTranscription(),
            turn_detection=SemanticTurnDetection(),
            input_audio_noise_reduction=InputAudioNoiseReduction(type="near_field"),
            instructions=INSTRUCTIONS,
        ),
        start_audio_paused=False,
    )
    llm.register_function("sightings", sightings)
    transcript = TranscriptProcessor()
    context = OpenAILLMContext([{"role": "user", "content": "Say hello!"}], tools)
    aggregator = llm.create_context_aggregator(context)
    pipeline = Pipeline(
        [
            transport.input(),
            aggregator.user(),
            llm,
            transcript.user(),
            transport.output(),
            transcript.assistant(),
            aggregator.assistant(),
        ]
    )
    task = PipelineTask(pipeline, params=PipelineParams(enable_metrics=True, report_only_initial_ttfb=True))

    @transport.event_handler("on_client_connected")
    async def on_connected(transport, client):
        await task.queue_frames([aggregator.user().get_context_frame()])

    @transport.event_handler("on_client_disconnected")
    async def on_disconnected(transport, client):
        await task.cancel()

    runner = PipelineRunner(handle_sigint=False)
    await runner.run(task)


asyncio.run(main())
