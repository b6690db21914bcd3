"""A speaker for the kitchen: local audio, a wake word, Groq, and a notifier for the oven."""

import asyncio
import os
from dataclasses import dataclass

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    DataFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMMessagesUpdateFrame,
    StartInterruptionFrame,
    SystemFrame,
    TextFrame,
)
from pipecat.pipeline.parallel_pipeline import ParallelPipeline
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_response import (
    LLMAssistantAggregatorParams,
    LLMUserAggregatorParams,
)
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext
from pipecat.processors.aggregators.sentence import SentenceAggregator
from pipecat.processors.filters.function_filter import FunctionFilter
from pipecat.processors.filters.wake_check_filter import WakeCheckFilter
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.logger import FrameLogger
from pipecat.services.groq.llm import GroqLLMService
from pipecat.services.groq.stt import GroqSTTService
from pipecat.services.groq.tts import GroqTTSService
from pipecat.sync.event_notifier import EventNotifier
from pipecat.transports.local.audio import LocalAudioTransport, LocalAudioTransportParams


@dataclass
class OvenFrame(DataFrame):
    """The oven has something to say."""

    degrees: int


@dataclass
class AlarmFrame(SystemFrame):
    """Something burns."""


class Oven(FrameProcessor):
    def __init__(self, hot: EventNotifier):
        super().__init__()
        self._hot = hot
        self._watch = None

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if self._watch is None:
            self._watch = self.create_task(self._wait())
        if isinstance(frame, StartInterruptionFrame):
            print("interrupted")
        await self.push_frame(frame, direction)

    async def _wait(self):
        while True:
            await self._hot.wait()
            await self.push_frame(OvenFrame(degrees=200))
            await self.push_frame(TextFrame("The oven is hot."))

    async def cleanup(self):
        await super().cleanup()
        if self._watch:
            await self.cancel_task(self._watch)


class Diary(FrameProcessor):
    """Writes down whole sentences."""

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, TextFrame):
            print("said", frame.text)
        elif isinstance(frame, LLMFullResponseEndFrame):
            print("---")
        await self.push_frame(frame, direction)


async def only_text(frame: Frame) -> bool:
    return isinstance(frame, TextFrame)


async def main():
    transport = LocalAudioTransport(
        LocalAudioTransportParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            vad_enabled=True,
            vad_audio_passthrough=True,
            vad_analyzer=SileroVADAnalyzer(),
        )
    )
    key = os.environ["GROQ_API_KEY"]
    stt = GroqSTTService(api_key=key, model="whisper-large-v3-turbo")
    llm = GroqLLMService(api_key=key, model="llama-3.3-70b-versatile")
    tts = GroqTTSService(api_key=key, voice_id="Celeste-PlayAI")
    context = OpenAILLMContext(messages=[{"role": "system", "content": "You help in the kitchen."}])
    pair = llm.create_context_aggregator(
        context,
        user_params=LLMUserAggregatorParams(aggregation_timeout=0.8),
        assistant_params=LLMAssistantAggregatorParams(expect_stripped_words=False),
    )
    hot = EventNotifier()
    pipeline = Pipeline(
        [
            transport.input(),
            stt,
            WakeCheckFilter(["hey kitchen", "ok kitchen"], keepalive_timeout=10),
            pair.user(),
            llm,
            ParallelPipeline(
                [tts, Oven(hot)],
                [FunctionFilter(only_text), SentenceAggregator(), Diary(), FrameLogger("diary")],
            ),
            transport.output(),
            pair.assistant(),
        ]
    )
    task = PipelineTask(pipeline, params=PipelineParams(allow_interruptions=False))

    async def preheat():
        await asyncio.sleep(600)
        await hot.notify()
        await task.queue_frame(
            LLMMessagesUpdateFrame(messages=[{"role": "system", "content": "Be brief now."}], run_llm=False)
        )

    watcher = asyncio.create_task(preheat())
    await PipelineRunner().run(task)
    watcher.cancel()


if __name__ == "__main__":
    asyncio.run(main())
