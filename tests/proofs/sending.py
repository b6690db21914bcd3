"""An output transport of 0.0.68's in a pipeline; prints whether it is given audio, and whether that goes on from it."""

import asyncio

from loguru import logger
from pipecat.frames.frames import EndFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams

logger.remove()
SAID = b"\1\0" * 1280  # two chunks of 40 ms


class Output(BaseOutputTransport):
    sent = b""

    async def start(self, frame):
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_raw_audio_frames(self, frames: bytes, destination=None) -> None:
        self.sent += frames


class Ear(FrameProcessor):
    heard = b""

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        self.heard += frame.audio if isinstance(frame, OutputAudioRawFrame) else b""
        await self.push_frame(frame, direction)


async def main():
    ear, output = Ear(), Output(TransportParams(audio_out_enabled=True, audio_out_sample_rate=16000))
    task = PipelineTask(Pipeline([output, ear]))
    audio = OutputAudioRawFrame(audio=SAID, sample_rate=16000, num_channels=1)
    await task.queue_frames([audio, EndFrame()])
    await asyncio.wait_for(PipelineRunner(handle_sigint=False).run(task), timeout=20)
    print("sent", SAID in output.sent)
    print("heard", SAID in ear.heard)


asyncio.run(main())
