"""A hotel's concierge in a Daily room, from before the transports moved."""

import argparse
import asyncio
import os
import sys

import aiohttp
from loguru import logger

from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import Frame, LLMRunFrame, TranscriptionFrame, UserStartedSpeakingFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext
from pipecat.processors.filters.stt_mute_filter import STTMuteConfig, STTMuteFilter, STTMuteStrategy
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.anthropic.llm import AnthropicLLMService
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.transports.services.daily import DailyParams, DailyTransport
from pipecat.transports.services.helpers.daily_rest import DailyRESTHelper, DailyRoomParams

logger.remove()
logger.add(sys.stderr, level="DEBUG")


class Counter(FrameProcessor):
    """Counts what the guest says."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.turns = 0
        self.words = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, UserStartedSpeakingFrame):
            self.turns += 1
        elif isinstance(frame, TranscriptionFrame):
            self.words += len(frame.text.split())
        await self.push_frame(frame, direction)


async def order_towels(params: FunctionCallParams):
    amount = params.arguments.get("amount", 2)
    await params.result_callback({"status": "on the way", "amount": amount})


async def room_of(session: aiohttp.ClientSession) -> tuple[str, str]:
    helper = DailyRESTHelper(daily_api_key=os.environ["DAILY_API_KEY"], aiohttp_session=session)
    room = await helper.create_room(DailyRoomParams())
    return room.url, await helper.get_token(room.url, 60 * 60)


async def main(name: str):
    async with aiohttp.ClientSession() as session:
        url, token = await room_of(session)
        transport = DailyTransport(
            url,
            token,
            name,
            DailyParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                transcription_enabled=False,
                vad_enabled=True,
                vad_analyzer=SileroVADAnalyzer(),
                turn_analyzer=LocalSmartTurnAnalyzerV3(),
            ),
        )
        stt = DeepgramSTTService(api_key=os.environ["DEEPGRAM_API_KEY"])
        mute = STTMuteFilter(
            config=STTMuteConfig(
                strategies={STTMuteStrategy.MUTE_UNTIL_FIRST_BOT_COMPLETE, STTMuteStrategy.FUNCTION_CALL}
            )
        )
        llm = AnthropicLLMService(
            api_key=os.environ["ANTHROPIC_API_KEY"],
            model="claude-3-7-sonnet-latest",
            params=AnthropicLLMService.InputParams(max_tokens=1024, enable_prompt_caching_beta=True),
        )
        llm.register_function("order_towels", order_towels, cancel_on_interruption=False)
        tts = CartesiaTTSService(
            api_key=os.environ["CARTESIA_API_KEY"],
            voice_id="71a7ad14-091c-4e8e-a314-022ece01c121",
            model="sonic-2",
        )
        towels = FunctionSchema(
            name="order_towels",
            description="Have towels brought to the room",
            properties={"amount": {"type": "integer"}},
            required=[],
        )
        context = OpenAILLMContext(
            messages=[{"role": "system", "content": "You are the concierge of a small hotel."}],
            tools=ToolsSchema(standard_tools=[towels]),
        )
        pair = llm.create_context_aggregator(context)
        counter = Counter()
        task = PipelineTask(
            Pipeline(
                [
                    transport.input(),
                    stt,
                    mute,
                    counter,
                    pair.user(),
                    llm,
                    tts,
                    transport.output(),
                    pair.assistant(),
                ]
            ),
            params=PipelineParams(allow_interruptions=True, enable_metrics=True),
            idle_timeout_secs=180,
        )

        @transport.event_handler("on_first_participant_joined")
        async def joined(transport, participant):
            await transport.capture_participant_transcription(participant["id"])
            await task.queue_frame(LLMRunFrame())

        @transport.event_handler("on_participant_left")
        async def left(transport, participant, reason):
            logger.info(f"{counter.words} words in {counter.turns} turns")
            await task.cancel()

        await PipelineRunner().run(task)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="Concierge")
    asyncio.run(main(parser.parse_args().name))
