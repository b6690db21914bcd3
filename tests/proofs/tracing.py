"""Runs TTS services of many kinds in real pipelines with real tracing; prints the spans of each as JSON.

``traced_tts`` comes from a module ``tracer`` beside it. It says when it is ready and begins when it is given a line.
"""

import asyncio
import importlib.util
import json
import logging
import os
import sys

if os.environ.get("WITHOUT_OPENTELEMETRY"):
    find_spec = importlib.util.find_spec
    sys.modules["opentelemetry"] = None
    importlib.util.find_spec = lambda name, *rest: None if name == "opentelemetry" else find_spec(name, *rest)

from loguru import logger
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.tts_service import TextAggregationMode, TTSService
from tracer import traced_tts

logger.remove()
warnings = []


class Kept(logging.Handler):
    def emit(self, record):
        warnings.append(record.getMessage())


logging.getLogger().addHandler(Kept())
raising = False

if os.environ.get("WITHOUT_OPENTELEMETRY"):
    exporter = None
else:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    class Raising(SpanProcessor):
        def on_end(self, span):
            if raising:
                raise ConnectionError("no collector")

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(Raising())
    trace.set_tracer_provider(provider)


class Ear(FrameProcessor):
    """Counts the audio that comes out."""

    heard = 0

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        self.heard += isinstance(frame, TTSAudioRawFrame)
        await self.push_frame(frame, direction)


def audio(context_id):
    frame = TTSAudioRawFrame(audio=b"\0\0" * 160, sample_rate=16000, num_channels=1)
    frame.context_id = context_id
    return frame


class Service(TTSService):
    """Answers a request at once; its audio comes later, from a task of its own."""

    def __init__(self, delays=(0.1,), gap=0.05, stop="append", **kwargs):
        super().__init__(
            push_start_frame=True,
            push_stop_frames=stop == "auto",
            sample_rate=16000,
            stop_frame_timeout_s=0.4,
            **kwargs,
        )
        self.delays = list(delays)
        self.gap = gap
        self.stop_by = stop
        self.requests = []

    def can_generate_metrics(self):
        return True

    def ask(self, context_id):
        delay = self.delays.pop(0) if self.delays else 0.1
        self.requests.append(asyncio.create_task(self.receive(context_id, delay)))

    async def receive(self, context_id, delay):
        await asyncio.sleep(delay)
        for _ in range(3):
            await self.append_to_audio_context(context_id, audio(context_id))
            await asyncio.sleep(self.gap)
        if self.stop_by == "append":
            await self.append_to_audio_context(context_id, TTSStoppedFrame(context_id=context_id))
        if self.stop_by in ("append", "remove"):
            await self.remove_audio_context(context_id)


class Streaming(Service):
    @traced_tts
    async def run_tts(self, text, context_id):
        self.ask(context_id)
        yield None


class Http(Service):
    @traced_tts
    async def run_tts(self, text, context_id):
        await self.start_ttfb_metrics()
        await asyncio.sleep(0.15)
        await self.stop_ttfb_metrics()
        for _ in range(3):
            yield audio(context_id)
            await asyncio.sleep(0.05)


class Failing(Service):
    @traced_tts
    async def run_tts(self, text, context_id):
        raise RuntimeError("no voice")
        yield None


class Refusing(Service):
    @traced_tts
    async def run_tts(self, text, context_id):
        yield ErrorFrame(error="no voice")


class WithSetup(Streaming):
    async def setup(self, setup):
        await super().setup(setup)
        self.was_set_up = True


class Child(Streaming):
    @traced_tts
    async def run_tts(self, text, context_id):
        async for frame in super().run_tts(text, context_id):
            yield frame


async def play(service, *steps, tracing=True):
    """Run a service in a pipeline, do the steps (frames, or seconds to wait), and return its spans."""
    if exporter:
        exporter.clear()
    warnings.clear()
    ear = Ear()
    task = PipelineTask(
        Pipeline([service, ear]),
        params=PipelineParams(enable_metrics=True),
        enable_tracing=tracing,
        enable_rtvi=False,
        idle_timeout_secs=None,
    )
    runner = asyncio.create_task(PipelineRunner(handle_sigint=False).run(task))
    await asyncio.sleep(0.1)
    for step in steps:
        if isinstance(step, float):
            await asyncio.sleep(step)
        else:
            await task.queue_frame(step)
    if not any(isinstance(step, CancelFrame) for step in steps):
        await task.queue_frame(EndFrame())
    else:
        await task.cancel()
    await asyncio.wait_for(runner, timeout=10)
    for request in service.requests:
        request.cancel()
    spans = [
        {
            "attributes": dict(span.attributes),
            "seconds": (span.end_time - span.start_time) / 1e9,
            "status": span.status.status_code.name,
            "events": [event.name for event in span.events],
        }
        for span in (exporter.get_finished_spans() if exporter else ())
        if span.name == "tts"
    ]
    hooked = "create_audio_context" in vars(service)
    return {"spans": spans, "heard": ear.heard, "warnings": list(warnings), "hooked": hooked}


def say(text):
    return TTSSpeakFrame(text)


async def main():
    global raising
    spans = {}
    if exporter is None:
        print(json.dumps(await play(Streaming(), say("Hello."), 0.8, tracing=False)))
        return
    spans["streaming"] = await play(Streaming(delays=(0.3, 0.1)), say("Hello."), 0.8, say("And again."), 0.8)
    spans["removed"] = await play(Streaming(stop="remove"), say("Hello."), 0.8)
    spans["auto"] = await play(Streaming(stop="auto"), say("Hello."), 1.0)
    spans["http"] = await play(Http(stop="none"), say("Hello."), 1.0)
    spans["interrupted"] = await play(
        Streaming(gap=0.5), say("Hello."), 0.3, InterruptionFrame(), 0.3, say("Again."), 2.0
    )
    spans["failing"] = await play(Failing(), say("Hello."), 0.8)
    spans["refusing"] = await play(Refusing(), say("Hello."), 0.8)
    spans["cancelled"] = await play(Streaming(delays=(5.0,)), say("Hello."), 0.2, CancelFrame())
    spans["two at once"] = await play(Streaming(delays=(0.2, 0.25)), say("First."), say("Second."), 1.5)
    spans["at once"] = await play(Streaming(delays=(0.2,), gap=0.0), say("Hello."), 0.8)
    spans["tokens"] = await play(
        Streaming(delays=(0.2, 5.0, 5.0), text_aggregation_mode=TextAggregationMode.TOKEN),
        LLMFullResponseStartFrame(),
        LLMTextFrame("Hel"),
        LLMTextFrame("lo "),
        LLMTextFrame("you."),
        LLMFullResponseEndFrame(),
        1.0,
    )
    spans["own setup"] = await play(WithSetup(), say("Hello."), 0.8)
    spans["parent and child"] = await play(Child(), say("Hello."), 0.8)
    spans["tracing off"] = await play(Streaming(), say("Hello."), 0.8, tracing=False)
    raising = True
    spans["exporter raises"] = await play(Streaming(), say("Hello."), 0.8)
    print(json.dumps(spans))


# Importing keeps a processor busy; whoever runs several of these lets them begin together.
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
