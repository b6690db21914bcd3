"""Runs on 1.3 by the names of before: tasks, the old runner, services by keyword."""

import asyncio
import os

import aiohttp

from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    CancelTaskFrame,
    InterruptionTaskFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    StopTaskFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.anthropic.llm import AnthropicLLMService
from pipecat.services.azure.stt import AzureSTTService
from pipecat.services.elevenlabs.tts import ElevenLabsHttpTTSService
from pipecat.services.hume.tts import HumeTTSService
from pipecat.services.tts_service import TextAggregationMode, TTSService
from pipecat.services.xai.llm import GrokLLMService
from pipecat.transcriptions.language import Language
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy, TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies


class Stopper(FrameProcessor):
    """Ends things from within."""

    async def stop(self, how: str):
        frames = {"stop": StopTaskFrame, "cancel": CancelTaskFrame, "cut": InterruptionTaskFrame}
        await self.push_frame(frames[how](), FrameDirection.UPSTREAM)
        if task := self.pipeline_task:
            await task.queue_frame(LLMRunFrame())


def voice(session: aiohttp.ClientSession, hume: bool) -> TTSService:
    if hume:
        return HumeTTSService(
            api_key=os.getenv("HUME_API_KEY"),
            voice_id="176a55b1",
            params=HumeTTSService.InputParams(description="warm", speed=1.2),
        )
    return ElevenLabsHttpTTSService(
        api_key=os.environ["ELEVENLABS_API_KEY"],
        voice_id="9BWtsMINqrJLrRacOk9x",
        aiohttp_session=session,
        model="eleven_flash_v2_5",
        params=ElevenLabsHttpTTSService.InputParams(
            language=Language.EN, optimize_streaming_latency=2, stability=0.4, similarity_boost=0.9
        ),
        text_aggregation_mode=TextAggregationMode.SENTENCE,
    )


async def main():
    async with aiohttp.ClientSession() as session:
        transport = LiveKitTransport(
            url=os.environ["LIVEKIT_URL"],
            token=os.environ["LIVEKIT_TOKEN"],
            room_name="old",
            params=LiveKitParams(audio_in_enabled=True, audio_out_enabled=True),
        )
        stt = AzureSTTService(
            api_key=os.environ["AZURE_KEY"], region="eastus", language=Language.EN_US, endpoint_id="mine"
        )
        if os.getenv("GROK"):
            llm = GrokLLMService(api_key=os.environ["XAI_API_KEY"], model="grok-4")
        else:
            llm = AnthropicLLMService(
                api_key=os.environ["ANTHROPIC_API_KEY"],
                model="claude-sonnet-4-5-20250929",
                params=AnthropicLLMService.InputParams(max_tokens=500, temperature=0.6, top_k=40),
            )
        tts = voice(session, hume=False)
        stopper = Stopper()
        context = LLMContext([{"role": "system", "content": "You are old."}])
        pair = LLMContextAggregatorPair(
            context,
            user_params=LLMUserAggregatorParams(
                vad_analyzer=SileroVADAnalyzer(),
                filter_incomplete_user_turns=True,
                user_turn_strategies=UserTurnStrategies(
                    stop=[
                        TurnAnalyzerUserTurnStopStrategy(turn_analyzer=LocalSmartTurnAnalyzerV3()),
                        SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=1.0),
                    ]
                ),
            ),
        )
        task = PipelineTask(
            Pipeline(
                [
                    transport.input(),
                    stt,
                    pair.user(),
                    llm,
                    tts,
                    stopper,
                    transport.output(),
                    pair.assistant(),
                ]
            ),
            params=PipelineParams(enable_metrics=True),
            tool_resources={"db": None},
        )

        @transport.event_handler("on_data_received")
        async def data(transport, data, participant_id):
            if data == b"stop":
                await stopper.stop("stop")
            await task.queue_frame(
                LLMMessagesAppendFrame([{"role": "user", "content": data.decode()}], run_llm=True)
            )

        @transport.event_handler("on_participant_disconnected")
        async def gone(transport, participant_id):
            await task.cancel()

        runner = PipelineRunner()
        await runner.run(task)


if __name__ == "__main__":
    asyncio.run(main())
