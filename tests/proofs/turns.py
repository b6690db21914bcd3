"""A talk beside processors that are gone since 1.0.0: one that mutes, one that waits for the user, one that tells."""

import asyncio

from pipecat.frames.frames import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TranscriptionFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.filters.stt_mute_filter import STTMuteConfig, STTMuteFilter, STTMuteStrategy
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.transcript_processor import TranscriptProcessor
from pipecat.processors.user_idle_processor import UserIdleProcessor
from pipecat.turns.user_turn_strategies import ExternalUserTurnStrategies


class Voice(FrameProcessor):
    """Speaks: what goes down is said, and heard of upstream."""

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)

    async def say(self, text):
        await self.broadcast(BotStartedSpeakingFrame)
        await self.broadcast(BotSpeakingFrame)
        await self.push_frame(LLMFullResponseStartFrame())
        await self.push_frame(TTSTextFrame(text, aggregated_by="word"))
        await self.push_frame(LLMFullResponseEndFrame())

    async def stop(self):
        await self.broadcast(BotStoppedSpeakingFrame)

    async def broadcast(self, kind):
        await self.push_frame(kind())
        await self.push_frame(kind(), FrameDirection.UPSTREAM)


async def nudge(processor: UserIdleProcessor, retry_count: int) -> bool:
    print(f"talk idle {retry_count}")
    return False


async def main():
    transcript = TranscriptProcessor()
    mute = STTMuteFilter(config=STTMuteConfig(strategies={STTMuteStrategy.ALWAYS}))
    idle = UserIdleProcessor(callback=nudge, timeout=0.4)
    voice = Voice()
    pair = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(user_turn_strategies=ExternalUserTurnStrategies())
    )
    pipeline = Pipeline([mute, idle, transcript.user(), pair.user(), voice, transcript.assistant(), pair.assistant()])
    task = PipelineTask(pipeline, params=PipelineParams(), idle_timeout_secs=None)

    @transcript.event_handler("on_transcript_update")
    async def told(processor, frame):
        for message in frame.messages:
            print(f"talk {message.role}: {message.content}")

    async def ask(text):
        await task.queue_frames(
            [UserStartedSpeakingFrame(), TranscriptionFrame(text, "", "now"), UserStoppedSpeakingFrame()]
        )
        await asyncio.sleep(0.1)

    async def talk():
        await asyncio.sleep(0.3)
        await ask("Hello?")
        await voice.say("Good day.")
        await asyncio.sleep(0.1)
        await ask("Not heard.")
        await voice.stop()
        await asyncio.sleep(0.1)
        await ask("Heard.")
        await voice.say("Well.")
        await asyncio.sleep(0.1)
        await voice.stop()
        await asyncio.sleep(1.2)
        await task.queue_frame(EndFrame())

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), talk())


asyncio.run(main())
