"""A TTS service in a pipeline with tracing on; prints how much was heard and how many spans show it."""

import asyncio

from loguru import logger
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pipecat.frames.frames import EndFrame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.tts_service import TTSService
from pipecat.utils.tracing.service_decorators import traced_stt  # noqa: F401

logger.remove()
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)


class Voice(TTSService):
    async def run_tts(self, text: str, context_id: str):
        frame = TTSAudioRawFrame(audio=b"\0\0" * 160, sample_rate=16000, num_channels=1)
        frame.context_id = context_id
        yield frame


class Ear(FrameProcessor):
    heard = 0

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        self.heard += isinstance(frame, TTSAudioRawFrame)
        await self.push_frame(frame, direction)


async def main():
    ear = Ear()
    voice = Voice(push_start_frame=True, push_stop_frames=True, sample_rate=16000, stop_frame_timeout_s=0.2)
    task = PipelineTask(Pipeline([voice, ear]), enable_tracing=True, enable_rtvi=False, idle_timeout_secs=None)
    await task.queue_frames([TTSSpeakFrame("Hello."), EndFrame()])
    await asyncio.wait_for(PipelineRunner(handle_sigint=False).run(task), timeout=10)
    spans = [span for span in exporter.get_finished_spans() if span.name == "tts"]
    print("heard", ear.heard)
    print("spans", [span.attributes["text"] for span in spans])


asyncio.run(main())
