"""A TTS service as written for 0.0.103 that asks itself for its voice and model; prints what it spoke with."""

import asyncio

from loguru import logger
from pipecat.frames.frames import EndFrame, MetricsFrame, TTSSpeakFrame, TTSUpdateSettingsFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.tts_service import TTSService

logger.remove()


class Voice(TTSService):
    def __init__(self, voice: str, model: str, rate: int):
        super().__init__(sample_rate=16000)
        self.set_voice(voice)
        self.set_model_name(model)
        self._settings = {"rate": rate}

    def can_generate_metrics(self):
        return True

    async def run_tts(self, text: str, context_id: str):
        print("said", text, self._voice_id, self._model_name, self._settings["rate"])
        await self.start_tts_usage_metrics(text)
        yield None


class Ear(FrameProcessor):
    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, MetricsFrame):
            print("told", [data.model for data in frame.data if data.model])
        await self.push_frame(frame, direction)


async def main():
    params = PipelineParams(enable_metrics=True, enable_usage_metrics=True, send_initial_empty_metrics=False)
    task = PipelineTask(Pipeline([Voice("ann", "one", 3), Ear()]), params=params, idle_timeout_secs=None)
    changed = TTSUpdateSettingsFrame(settings={"voice": "bob", "model": "two"})
    await task.queue_frames([TTSSpeakFrame("Hello."), changed, TTSSpeakFrame("Bye."), EndFrame()])
    await asyncio.wait_for(PipelineRunner(handle_sigint=False).run(task), timeout=20)


asyncio.run(main())
