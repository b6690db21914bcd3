"""Runs a whole pipeline with an observer on Pipecat 1.1 or 1.2; prints what came through and what is left."""

import asyncio

from pipecat.frames.frames import EndFrame, TextFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.utils.asyncio.task_manager import TaskManager


class Seen(BaseObserver):
    def __init__(self):
        super().__init__()
        self.texts = set()

    async def on_push_frame(self, data: FramePushed):
        if isinstance(data.frame, TextFrame):
            self.texts.add(data.frame.text)


async def main():
    seen, manager = Seen(), TaskManager()
    task = PipelineTask(
        Pipeline([IdentityFilter()]),
        observers=[seen],
        task_manager=manager,
        enable_rtvi=False,
        idle_timeout_secs=None,
    )
    await task.queue_frames([TextFrame("hello"), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    print("seen", sorted(seen.texts))
    print("manager kept", task.task_manager is manager)
    print("left", manager.current_tasks())


asyncio.run(main())
