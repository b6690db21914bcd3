"""A TTS service as written for 0.0.101 that opens audio contexts of its own; prints what is heard, and whether soon."""

import asyncio
import time
import uuid

from loguru import logger
from pipecat.frames.frames import (
    AggregatedTextFrame,
    EndFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.tts_service import AudioContextTTSService

logger.remove()


class Voice(AudioContextTTSService):
    """Its vendor answers each word with audio of that length, and the end of a context with a word of it."""

    def __init__(self):
        super().__init__(sample_rate=16000)
        self._context_id = None
        self._answers = asyncio.Queue()
        self._receive_task = None

    async def start(self, frame):
        await super().start(frame)
        await self._connect()

    async def stop(self, frame):
        await super().stop(frame)
        await self._disconnect()

    async def _connect(self):
        self._receive_task = self.create_task(self._receive_messages())

    async def _disconnect(self):
        await self.cancel_task(self._receive_task)

    async def _connect_websocket(self):
        pass

    async def _disconnect_websocket(self):
        pass

    async def _receive_messages(self):
        while True:
            context_id, words = await self._answers.get()
            if not self.audio_context_available(context_id):
                continue
            if words is None:
                await self.append_to_audio_context(context_id, TTSStoppedFrame())
                await self.remove_audio_context(context_id)
            else:
                audio = TTSAudioRawFrame(audio=b"\0\0" * len(words), sample_rate=16000, num_channels=1)
                await self.append_to_audio_context(context_id, audio)

    async def flush_audio(self):
        if self._context_id:
            await self._answers.put((self._context_id, None))
            self._context_id = None

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, (LLMFullResponseEndFrame, EndFrame)):
            await self.flush_audio()

    async def run_tts(self, text: str):
        if not self._context_id:
            yield TTSStartedFrame()
            self._context_id = str(uuid.uuid4())
            await self.create_audio_context(self._context_id)
        await self._answers.put((self._context_id, text))
        yield None


class Ear(FrameProcessor):
    def __init__(self):
        super().__init__()
        self.heard = []

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.heard.append(len(frame.audio) // 2)
        elif isinstance(frame, (TTSStartedFrame, TTSStoppedFrame)):
            self.heard.append(type(frame).__name__)
        await self.push_frame(frame, direction)


def turn(*texts):
    return [
        LLMFullResponseStartFrame(),
        *(AggregatedTextFrame(text, "sentence") for text in texts),
        LLMFullResponseEndFrame(),
    ]


async def main():
    ear = Ear()
    task = PipelineTask(Pipeline([Voice(), ear]), idle_timeout_secs=None)
    await task.queue_frames(
        [*turn("Hello.", "Everybody."), TTSSpeakFrame("Yes."), *turn("So long."), EndFrame()],
    )
    begun = time.monotonic()
    await asyncio.wait_for(PipelineRunner(handle_sigint=False).run(task), timeout=30)
    print(*ear.heard, "soon" if time.monotonic() - begun < 3 else "late")


asyncio.run(main())
