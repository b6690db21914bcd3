"""An observer that takes its manager by constructor, as written for Pipecat 1.1: prints its tasks' names."""

import asyncio

from pipecat.observers.base_observer import BaseObserver
from pipecat.utils.asyncio.task_manager import BaseTaskManager, TaskManager, TaskManagerParams


class Watcher(BaseObserver):
    def __init__(self, limit: int, task_manager: BaseTaskManager, **kwargs):
        """Initialize the watcher.

        Args:
            limit: Where to stop counting.
            task_manager: What runs the counting.
            **kwargs: For the base class.
        """
        self._limit = limit
        self.counted = 0
        self._task_manager = task_manager
        super().__init__(name="watcher", **kwargs)

    async def start(self):
        self._task = self._task_manager.create_task(self._count(), f"{self}::_count")
        self._other = self._task_manager.create_task(self._count(), "Watcher::again")

    async def stop(self):
        await self._task_manager.cancel_task(self._task)
        await self._task_manager.cancel_task(self._other)

    async def _count(self):
        while self.counted < self._limit:
            self.counted += 1
            await asyncio.sleep(0)
        await asyncio.sleep(3600)


async def main():
    manager = TaskManager()
    manager.setup(TaskManagerParams(loop=asyncio.get_running_loop()))
    watcher = Watcher(3, task_manager=manager)
    await watcher.start()
    names = sorted(task.get_name() for task in manager.current_tasks())
    await asyncio.sleep(0.05)
    await watcher.stop()
    await asyncio.sleep(0.05)
    print("counted", watcher.counted)
    print("tasks", names)
    print("left", manager.current_tasks())


asyncio.run(main())
