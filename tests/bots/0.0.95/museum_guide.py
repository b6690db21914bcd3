"""A guide that sees: Gemini Live with video over the runner's transports."""

import os

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import LLMRunFrame, UserImageRequestFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext
from pipecat.runner.types import RunnerArguments
from pipecat.runner.utils import create_transport, maybe_capture_participant_camera
from pipecat.services.gemini_multimodal_live.gemini import (
    GeminiMultimodalLiveLLMService,
    GeminiMultimodalModalities,
    InputParams,
)
from pipecat.services.llm_service import FunctionCallParams
from pipecat.transports.base_transport import BaseTransport, TransportParams
from pipecat.transports.daily.transport import DailyParams

transport_params = {
    "daily": lambda: DailyParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        video_in_enabled=True,
        vad_analyzer=SileroVADAnalyzer(),
    ),
    "webrtc": lambda: TransportParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        video_in_enabled=True,
        vad_analyzer=SileroVADAnalyzer(),
    ),
}


async def look(params: FunctionCallParams):
    question = params.arguments["question"]
    await params.llm.push_frame(UserImageRequestFrame(user_id="", context=question))
    await params.result_callback(f"Looking to answer: {question}")


async def run_bot(transport: BaseTransport, runner_args: RunnerArguments):
    llm = GeminiMultimodalLiveLLMService(
        api_key=os.environ["GOOGLE_API_KEY"],
        model="models/gemini-2.0-flash-live-001",
        voice_id="Aoede",
        system_instruction="You guide visitors through a museum.",
        params=InputParams(modalities=GeminiMultimodalModalities.AUDIO, temperature=0.4),
    )
    llm.register_function("look", look)
    context = OpenAILLMContext([{"role": "user", "content": "Welcome the visitor."}])
    context_aggregator = llm.create_context_aggregator(context)
    task = PipelineTask(
        Pipeline(
            [
                transport.input(),
                context_aggregator.user(),
                llm,
                transport.output(),
                context_aggregator.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        idle_timeout_secs=runner_args.pipeline_idle_timeout_secs,
    )

    @transport.event_handler("on_client_connected")
    async def on_client_connected(transport, client):
        await maybe_capture_participant_camera(transport, client, framerate=1)
        context.add_message({"role": "user", "content": "What do you see?"})
        await task.queue_frames([LLMRunFrame()])

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(transport, client):
        await task.cancel()

    runner = PipelineRunner(handle_sigint=runner_args.handle_sigint)
    await runner.run(task)


async def bot(runner_args: RunnerArguments):
    transport = await create_transport(runner_args, transport_params)
    await run_bot(transport, runner_args)
