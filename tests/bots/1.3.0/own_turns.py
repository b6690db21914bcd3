"""Turn strategies, mute strategies, serializers and observers of one's own on 1.3."""

import asyncio
import json
from typing import Any

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
    StartFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FrameProcessed, FramePushed
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameProcessor, FrameProcessorSetup
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_mute import BaseUserMuteStrategy
from pipecat.turns.user_start import BaseUserTurnStartStrategy
from pipecat.turns.user_stop import BaseUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.asyncio.task_manager import BaseTaskManager


class Knock(BaseUserTurnStartStrategy):
    """A turn starts with the word."""

    def __init__(self, word: str, **kwargs):
        super().__init__(**kwargs)
        self._word = word

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        await super().process_frame(frame)
        if isinstance(frame, TranscriptionFrame) and self._word in frame.text:
            await self.trigger_user_turn_started()
            return ProcessFrameResult.STOP
        return ProcessFrameResult.CONTINUE


class Patience(BaseUserTurnStopStrategy):
    """A turn ends after so many seconds without a word."""

    def __init__(self, seconds: float = 1.5, **kwargs):
        super().__init__(**kwargs)
        self._seconds = seconds
        self._manager: BaseTaskManager | None = None
        self._waiting: asyncio.Task | None = None

    async def setup(self, task_manager: BaseTaskManager):
        await super().setup(task_manager)
        self._manager = task_manager

    async def cleanup(self):
        await super().cleanup()
        await self._calm()

    async def reset(self):
        await super().reset()
        await self._calm()

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        if isinstance(frame, VADUserStartedSpeakingFrame):
            await self._calm()
        elif isinstance(frame, VADUserStoppedSpeakingFrame) and self._manager:
            self._waiting = self._manager.create_task(self._wait(), "Patience::wait")
        return ProcessFrameResult.CONTINUE

    async def _wait(self):
        await asyncio.sleep(self._seconds)
        await self.trigger_user_turn_stopped()

    async def _calm(self):
        if self._waiting and self._manager:
            await self._manager.cancel_task(self._waiting)
            self._waiting = None


class WhileBotSpeaks(BaseUserMuteStrategy):
    def __init__(self):
        super().__init__()
        self._speaking = False

    async def setup(self, task_manager: BaseTaskManager):
        await super().setup(task_manager)

    async def process_frame(self, frame: Frame) -> bool:
        await super().process_frame(frame)
        if isinstance(frame, BotStartedSpeakingFrame):
            self._speaking = True
        elif isinstance(frame, BotStoppedSpeakingFrame):
            self._speaking = False
        return self._speaking


class LineSerializer(FrameSerializer):
    """One JSON document a line."""

    def __init__(self, stream: str, params: FrameSerializer.InputParams | None = None):
        super().__init__(params=params)
        self._stream = stream
        self._rate = 8000

    async def setup(self, frame: StartFrame):
        self._rate = frame.audio_in_sample_rate

    async def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, InterruptionFrame):
            return json.dumps({"clear": self._stream})
        if isinstance(frame, OutputAudioRawFrame):
            return json.dumps({"audio": frame.audio.hex()})
        if isinstance(frame, (OutputTransportMessageFrame, OutputTransportMessageUrgentFrame)):
            return None if self.should_ignore_frame(frame) else json.dumps(frame.message)
        return None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        message: dict[str, Any] = json.loads(data)
        if "audio" in message:
            return InputAudioRawFrame(audio=bytes.fromhex(message["audio"]), num_channels=1, sample_rate=self._rate)
        return None


class Slowest(BaseObserver):
    """Who takes longest."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._entered: dict[int, int] = {}
        self.slowest: tuple[int, str] = (0, "")

    async def on_process_frame(self, data: FrameProcessed):
        self._entered[data.frame.id] = data.timestamp

    async def on_push_frame(self, data: FramePushed):
        since = self._entered.pop(data.frame.id, None)
        if since is not None:
            self.slowest = max(self.slowest, (data.timestamp - since, str(data.source)))


class Doorman(FrameProcessor):
    async def setup(self, setup: FrameProcessorSetup):
        await super().setup(setup)
        if setup.observer:
            print("watched")
        print(setup.task_manager.get_event_loop())


def aggregators(context: LLMContext) -> LLMContextAggregatorPair:
    return LLMContextAggregatorPair(
        context,
        user_params=LLMUserAggregatorParams(
            user_turn_strategies=UserTurnStrategies(start=[Knock("knock")], stop=[Patience(2.0)]),
            user_mute_strategies=[WhileBotSpeaks()],
        ),
    )


def realtime(google: bool, key: str) -> OpenAIRealtimeLLMService | GeminiLiveLLMService:
    if google:
        return GeminiLiveLLMService(
            api_key=key,
            settings=GeminiLiveLLMService.Settings(model="models/gemini-2.5-flash-native-audio-preview-12-2025", voice="Puck"),
        )
    return OpenAIRealtimeLLMService(
        api_key=key,
        settings=OpenAIRealtimeLLMService.Settings(model="gpt-realtime", system_instruction="Short."),
    )
