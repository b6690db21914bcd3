"""Hands a processor a native coroutine and a Coroutine subclass; prints the names of the tasks it makes."""

import asyncio
from collections.abc import Coroutine

from pipecat.processors.frame_processor import FrameProcessor
from pipecat.utils.asyncio.task_manager import TaskManager, TaskManagerParams


class Foreign(Coroutine):
    """What a wrapper or a compiled extension hands out: it can be awaited, and has no code object."""

    def __init__(self, inner):
        self._inner = inner

    def send(self, value):
        return self._inner.send(value)

    def throw(self, *error):
        return self._inner.throw(*error)

    def close(self):
        return self._inner.close()

    def __await__(self):
        return self._inner.__await__()


async def work(done, mark):
    done.append(mark)


async def main():
    processor = FrameProcessor(name="p")
    manager = TaskManager()
    manager.setup(TaskManagerParams(loop=asyncio.get_running_loop()))
    processor._task_manager = manager
    done = []
    native = processor.create_task(work(done, "native"))
    print("native", native.get_name())
    foreign = processor.create_task(Foreign(work(done, "foreign")))
    print("foreign", foreign.get_name())
    await asyncio.gather(native, foreign)
    print("done", done)


asyncio.run(main())
