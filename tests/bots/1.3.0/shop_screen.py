"""A shop's screen: RTVI in both directions, an avatar, vision, and a summary when the talk is long."""

import asyncio
import os

import aiohttp
from loguru import logger

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    AggregatedTextFrame,
    Frame,
    InputTextRawFrame,
    LLMContextFrame,
    LLMMessagesTransformFrame,
    LLMRunFrame,
    OutputTransportMessageUrgentFrame,
    UserImageRawFrame,
    UserImageRequestFrame,
)
from pipecat.observers.startup_timing_observer import StartupTimingObserver
from pipecat.observers.user_bot_latency_observer import UserBotLatencyObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.pipeline.worker import PipelineTask as Task
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMAssistantAggregatorParams,
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIFunctionCallReportLevel, RTVIObserverParams
from pipecat.services.assemblyai.models import AssemblyAIConnectionParams
from pipecat.services.assemblyai.stt import AssemblyAISTTService
from pipecat.services.google.llm import GoogleLLMService
from pipecat.services.heygen.video import HeyGenVideoService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.rime.tts import RimeTTSService
from pipecat.transports.daily.transport import DailyParams, DailyTransport
from pipecat.utils.context.llm_context_summarization import (
    LLMAutoContextSummarizationConfig,
    LLMContextSummaryConfig,
)
from pipecat.pipeline.runner import PipelineRunner

Runner = PipelineRunner


class Shelf(FrameProcessor):
    """Shows what is talked of."""

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, AggregatedTextFrame):
            await self.push_frame(
                OutputTransportMessageUrgentFrame({"text": frame.text, "by": str(frame.aggregated_by)})
            )
        elif isinstance(frame, UserImageRawFrame) and frame.append_to_context:
            logger.info(f"picture of {frame.user_id}: {frame.size}")
        elif isinstance(frame, LLMContextFrame):
            logger.info(len(frame.context.get_messages()))
        await self.push_frame(frame, direction)


async def see(params: FunctionCallParams):
    await params.llm.push_frame(
        UserImageRequestFrame(
            user_id=params.arguments["user"],
            text="What does the customer hold?",
            append_to_context=True,
            function_name=params.function_name,
            tool_call_id=params.tool_call_id,
            result_callback=params.result_callback,
        ),
        FrameDirection.UPSTREAM,
    )


async def main(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        transport = DailyTransport(
            url,
            None,
            "Shop",
            DailyParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                video_in_enabled=True,
                video_out_enabled=True,
                video_out_is_live=True,
                video_out_width=1280,
                video_out_height=720,
                video_out_bitrate=2_000_000,
            ),
        )
        stt = AssemblyAISTTService(
            api_key=os.environ["ASSEMBLYAI_API_KEY"],
            vad_force_turn_endpoint=False,
            connection_params=AssemblyAIConnectionParams(
                speech_model="u3-rt-pro", min_turn_silence=100, keyterms_prompt=["shelf"]
            ),
        )
        llm = GoogleLLMService(
            api_key=os.environ["GOOGLE_API_KEY"],
            settings=GoogleLLMService.Settings(model="gemini-2.5-flash", temperature=0.3),
            system_instruction="You sell shelves.",
        )
        llm.register_function("see", see)
        tts = RimeTTSService(
            api_key=os.environ["RIME_API_KEY"],
            voice_id="astra",
            model="arcana",
            params=RimeTTSService.InputParams(temperature=0.5, repetition_penalty=1.2),
            aggregate_sentences=True,
        )
        avatar = HeyGenVideoService(api_key=os.environ["HEYGEN_API_KEY"], session=session)
        context = LLMContext()
        user, assistant = LLMContextAggregatorPair(
            context,
            user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer(), user_idle_timeout=30),
            assistant_params=LLMAssistantAggregatorParams(
                enable_auto_context_summarization=True,
                auto_context_summarization_config=LLMAutoContextSummarizationConfig(
                    max_context_tokens=10_000,
                    summary_config=LLMContextSummaryConfig(min_messages_after_summary=2, llm=llm),
                ),
            ),
        )
        latency, startup = UserBotLatencyObserver(), StartupTimingObserver()
        task: PipelineTask = Task(
            Pipeline(
                [transport.input(), stt, user, llm, tts, Shelf(), avatar, transport.output(), assistant]
            ),
            params=PipelineParams(enable_metrics=True),
            observers=[latency, startup],
            rtvi_observer_params=RTVIObserverParams(
                bot_audio_level_enabled=True,
                function_call_report_level={"*": RTVIFunctionCallReportLevel.NAME},
            ),
        )

        @task.rtvi.event_handler("on_client_message")
        async def on_client_message(rtvi, message):
            await task.queue_frame(InputTextRawFrame(text=str(message.data)))

        @assistant.event_handler("on_summary_applied")
        async def on_summary_applied(aggregator, summarizer, event):
            logger.info(event.preserved_message_count)

        @startup.event_handler("on_startup_timing_report")
        async def report(observer, report):
            logger.info(report.total_duration_secs)

        @transport.event_handler("on_first_participant_joined")
        async def on_first_participant_joined(transport, participant):
            await transport.capture_participant_video(participant["id"])
            await task.queue_frames(
                [LLMMessagesTransformFrame(transform=lambda messages: messages[-10:]), LLMRunFrame()]
            )

        await Runner(handle_sigint=False).run(task)


if __name__ == "__main__":
    asyncio.run(main(os.environ["DAILY_ROOM"]))
