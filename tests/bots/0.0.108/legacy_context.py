"""Still on the context of old at the last release that has it, with Anthropic's and Google's own."""

import os
from typing import cast

from pipecat.frames.frames import (
    EmulateUserStartedSpeakingFrame,
    Frame,
    LLMMessagesFrame,
    LLMTextFrame,
    TransportMessageFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.gated_open_ai_llm_context import GatedOpenAILLMContextAggregator
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext, OpenAILLMContextFrame
from pipecat.processors.filters.stt_mute_filter import STTMuteConfig, STTMuteFilter, STTMuteStrategy
from pipecat.processors.filters.wake_check_filter import WakeCheckFilter
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.transcript_processor import TranscriptProcessor
from pipecat.processors.user_idle_processor import UserIdleProcessor
from pipecat.services.anthropic.llm import AnthropicLLMContext, AnthropicLLMService
from pipecat.services.google.llm import GoogleLLMContext, GoogleLLMService
from pipecat.services.openai.llm import OpenAIContextAggregatorPair, OpenAILLMService
from pipecat.utils.sync.event_notifier import EventNotifier
from pipecat.transports.base_transport import BaseTransport


class Watch(FrameProcessor):
    def __init__(self, notifier: EventNotifier):
        super().__init__()
        self._notifier = notifier

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, OpenAILLMContextFrame):
            print(frame.context.get_messages_for_logging())
        elif isinstance(frame, (EmulateUserStartedSpeakingFrame, UserStoppedSpeakingFrame)):
            await self._notifier.notify()
        elif isinstance(frame, LLMTextFrame):
            await self.push_frame(TransportMessageFrame(message={"text": frame.text}))
        await self.push_frame(frame, direction)


async def quiet(processor: UserIdleProcessor):
    await processor.push_frame(LLMMessagesFrame([{"role": "system", "content": "Say something."}]))


def aggregators(vendor: str) -> tuple[object, OpenAIContextAggregatorPair]:
    if vendor == "anthropic":
        llm = AnthropicLLMService(api_key=os.environ["ANTHROPIC_API_KEY"])
        context = AnthropicLLMContext(messages=[{"role": "user", "content": "Hi"}], system="Be kind.")
        return llm, cast(OpenAIContextAggregatorPair, llm.create_context_aggregator(context))
    if vendor == "google":
        llm = GoogleLLMService(api_key=os.environ["GOOGLE_API_KEY"])
        context = GoogleLLMContext()
        context.add_message({"role": "user", "content": "Hi"})
        return llm, cast(OpenAIContextAggregatorPair, llm.create_context_aggregator(context))
    llm = OpenAILLMService(api_key=os.environ["OPENAI_API_KEY"])
    return llm, llm.create_context_aggregator(OpenAILLMContext())


def task_for(transport: BaseTransport, vendor: str, stt, tts) -> PipelineTask:
    llm, pair = aggregators(vendor)
    assert isinstance(llm, FrameProcessor)
    notifier = EventNotifier()
    transcript = TranscriptProcessor()
    pipeline = Pipeline(
        [
            transport.input(),
            STTMuteFilter(config=STTMuteConfig(strategies={STTMuteStrategy.ALWAYS})),
            stt,
            WakeCheckFilter(["computer"]),
            UserIdleProcessor(callback=quiet, timeout=7),
            transcript.user(),
            pair.user(),
            GatedOpenAILLMContextAggregator(notifier=notifier, start_open=True),
            llm,
            tts,
            Watch(notifier),
            transport.output(),
            transcript.assistant(),
            pair.assistant(),
        ]
    )
    return PipelineTask(pipeline, params=PipelineParams(allow_interruptions=False))
