"""A session with a task observer, as written for Pipecat 1.1: prints what a counting observer was given."""

import asyncio

from pipecat.frames.frames import TextFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.task_observer import TaskObserver
from pipecat.processors.frame_processor import FrameDirection
from pipecat.utils.asyncio.task_manager import TaskManager, TaskManagerParams


class Counter(BaseObserver):
    def __init__(self):
        super().__init__()
        self.seen = []

    async def on_push_frame(self, data: FramePushed):
        self.seen.append(data.frame.text)


class Session:
    def __init__(self, observers, task_manager):
        self._task_manager = task_manager
        self._observer = TaskObserver(observers=observers, task_manager=self._task_manager)

    async def open(self):
        self._task_manager.setup(TaskManagerParams(loop=asyncio.get_running_loop()))
        await self._observer.start()

    async def say(self, text):
        await self._observer.on_push_frame(
            FramePushed(
                source=None,
                destination=None,
                frame=TextFrame(text),
                direction=FrameDirection.DOWNSTREAM,
                timestamp=0,
            )
        )

    async def close(self):
        await self._observer.stop()
        await self._observer.cleanup()


async def main():
    manager, counter = TaskManager(), Counter()
    session = Session([counter], manager)
    await session.open()
    started = len(manager.current_tasks())
    for text in ("one", "two"):
        await session.say(text)
    await asyncio.sleep(0.05)
    await session.close()
    await asyncio.sleep(0.05)
    print("seen", counter.seen)
    print("started", started)
    print("left", manager.current_tasks())


asyncio.run(main())
