"""A TTS service as written for 0.0.101 in a pipeline; prints the kinds of frames that were heard."""

import asyncio

from loguru import logger
from pipecat.frames.frames import EndFrame, TTSAudioRawFrame, TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.tts_service import TTSService

logger.remove()
SPOKEN = (TTSStartedFrame, TTSAudioRawFrame, TTSStoppedFrame)


class Voice(TTSService):
    async def run_tts(self, text: str):
        yield TTSStartedFrame()
        yield TTSAudioRawFrame(audio=b"\0\0" * 160, sample_rate=16000, num_channels=1)
        yield TTSStoppedFrame()


class Ear(FrameProcessor):
    def __init__(self):
        super().__init__()
        self.heard = []

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, SPOKEN):
            self.heard.append(type(frame).__name__)
        await self.push_frame(frame, direction)


async def main():
    ear = Ear()
    task = PipelineTask(Pipeline([Voice(sample_rate=16000), ear]), idle_timeout_secs=None)
    await task.queue_frames([TTSSpeakFrame("Hello."), EndFrame()])
    await asyncio.wait_for(PipelineRunner(handle_sigint=False).run(task), timeout=20)
    print("heard", ear.heard)


asyncio.run(main())
