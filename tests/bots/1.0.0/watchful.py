"""Processors, frames and observers of one's own on 1.0, and tasks that run beside the pipeline."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Awaitable, Callable

from loguru import logger

from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    CancelFrame,
    ControlFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    InterruptionTaskFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    MetricsFrame,
    OutputTransportMessageUrgentFrame,
    StartFrame,
    StopTaskFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import LLMUsageMetricsData, TTFBMetricsData
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.observers.loggers.metrics_log_observer import MetricsLogObserver
from pipecat.pipeline.base_task import PipelineTaskParams
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.pipeline.task_observer import TaskObserver
from pipecat.processors.frame_processor import (
    FrameDirection,
    FrameProcessor,
    FrameProcessorSetup,
)
from pipecat.utils.asyncio.task_manager import BaseTaskManager, TaskManager, TaskManagerParams
from pipecat.utils.base_object import BaseObject


@dataclass
class MoodFrame(ControlFrame):
    """How the talk goes."""

    mood: str = "neutral"


class Mood(FrameProcessor):
    """Tells how the talk goes, every few seconds."""

    def __init__(self, *, every: float = 5.0, **kwargs):
        super().__init__(**kwargs)
        self._every = every
        self._ticker: asyncio.Task | None = None
        self._lines: deque[str] = deque(maxlen=20)
        self._register_event_handler("on_mood")

    async def setup(self, setup: FrameProcessorSetup):
        await super().setup(setup)
        self._clock_started = setup.clock.get_time()

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)

        if isinstance(frame, StartFrame):
            await self.push_frame(frame, direction)
            self._ticker = self.create_task(self._tick(), "ticker")
            return
        if isinstance(frame, (EndFrame, CancelFrame)):
            if self._ticker:
                await self.cancel_task(self._ticker, timeout=1.0)
        elif isinstance(frame, LLMTextFrame):
            self._lines.append(frame.text)
        elif isinstance(frame, InterruptionFrame):
            self._lines.clear()
        await self.push_frame(frame, direction)

    async def _tick(self):
        while True:
            await asyncio.sleep(self._every)
            mood = MoodFrame("good" if len(self._lines) > 3 else "neutral")
            await self._call_event_handler("on_mood", mood)
            await self.broadcast_frame(MoodFrame, mood=mood.mood)
            await self.push_frame(OutputTransportMessageUrgentFrame(message={"mood": mood.mood}))


class Barge(FrameProcessor):
    """Cuts the bot off when told to."""

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, UserStartedSpeakingFrame):
            await self.push_interruption_task_frame_and_wait()
        elif isinstance(frame, UserStoppedSpeakingFrame):
            await self.push_frame(InterruptionTaskFrame(), FrameDirection.UPSTREAM)
        elif isinstance(frame, LLMFullResponseStartFrame):
            await self.broadcast_interruption()
        elif isinstance(frame, LLMFullResponseEndFrame):
            await self.push_error("too long", fatal=False)
            await self.push_frame(StopTaskFrame(), FrameDirection.UPSTREAM)
        await self.push_frame(frame, direction)


class Stopwatch(BaseObserver):
    """Times from the end of the user's words to the bot's."""

    def __init__(self, done: Callable[[float], Awaitable[None]]):
        super().__init__()
        self._done = done
        self._since = 0.0
        self._seen = set()

    async def on_push_frame(self, data: FramePushed):
        frame = data.frame
        if frame.id in self._seen or data.direction is not FrameDirection.DOWNSTREAM:
            return
        self._seen.add(frame.id)
        if isinstance(frame, UserStoppedSpeakingFrame):
            self._since = time.monotonic()
        elif isinstance(frame, BotStoppedSpeakingFrame):
            await self._done(time.monotonic() - self._since)
        elif isinstance(frame, MetricsFrame):
            for metric in frame.data:
                if isinstance(metric, TTFBMetricsData):
                    logger.debug(f"{metric.processor}: {metric.value}")
                elif isinstance(metric, LLMUsageMetricsData):
                    logger.debug(metric.value.total_tokens)


class Ledger(BaseObject):
    """Keeps what was said."""

    def __init__(self):
        super().__init__(name="ledger")
        self.rows: list[float] = []

    async def add(self, seconds: float):
        self.rows.append(seconds)


async def watched(processors: list[FrameProcessor]) -> Ledger:
    ledger = Ledger()
    manager: BaseTaskManager = TaskManager()
    manager.setup(TaskManagerParams(loop=asyncio.get_running_loop()))
    stopwatch = Stopwatch(ledger.add)
    several = TaskObserver(observers=[stopwatch, MetricsLogObserver()], task_manager=manager)
    mood = Mood(every=2.0, name="mood")
    task = PipelineTask(
        Pipeline([mood, *processors, Barge()]),
        params=PipelineParams(enable_heartbeats=True, heartbeats_period_secs=2.0),
        observers=[stopwatch],
        task_manager=manager,
        idle_timeout_frames=(BotStoppedSpeakingFrame, LLMFullResponseEndFrame),
    )
    task.set_reached_downstream_filter((MoodFrame, EndFrame))

    @task.event_handler("on_frame_reached_downstream")
    async def reached(task, frame):
        logger.info(frame)

    @mood.event_handler("on_mood")
    async def on_mood(processor, frame):
        logger.info(frame.mood)

    await several.start()
    await task.run(PipelineTaskParams(loop=asyncio.get_running_loop()))
    await several.stop()
    return ledger
