"""Spreads work over processes, and survives the death of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
# Starting workers costs more than this many files take.
_FEW = 200


def default_jobs(count: int) -> int:
    """Return how many processes a number of files is worth."""
    return 1 if count < _FEW else os.cpu_count() or 1


def spread(
    work: Callable[[ItemT], ResultT],
    items: Sequence[ItemT],
    jobs: int,
    *,
    died: Callable[[ItemT], ResultT],
    setup: Callable[..., None],
    arguments: tuple[Any, ...],
) -> Iterator[ResultT]:
    """Yield ``work(item)`` for each item, in order, from ``jobs`` processes; from this one if it is a single job.

    ``setup(*arguments)`` runs first in each process. An item whose process dies yields ``died(item)``; the others of
    that process are done again, each by itself.
    """
    if jobs <= 1 or len(items) < 2:
        setup(*arguments)
        yield from map(work, items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_all_start_methods, get_context

    context = get_context("fork" if "fork" in get_all_start_methods() else "spawn")
    size = max(1, min(32, len(items) // (jobs * 4)))
    chunks = [items[at : at + size] for at in range(0, len(items), size)]

    def executor(count: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(setup, arguments))

    done = 0
    pool = executor(min(jobs, len(chunks)))
    try:
        futures = [pool.submit(_work_on, work, chunk) for chunk in chunks]
        for future in futures:
            yield from future.result()
            done += 1
    except BrokenProcessPool:
        pass
    finally:
        # A run that is broken off does not wait for what was still to be done. One that is through does: should Python
        # exit while the pool is being taken down, it may find its pipes closed and say so on stderr.
        pool.shutdown(wait=done == len(chunks), cancel_futures=True)
    for chunk in chunks[done:]:
        for item in chunk:
            with executor(1) as pool:
                try:
                    yield pool.submit(work, item).result()
                except BrokenProcessPool:
                    yield died(item)


def _begin(setup: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    import signal
    import threading

    # The parent alone answers Ctrl-C; it then takes its workers down.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    setup(*arguments)


def _end_with_parent() -> None:
    """End this process when the one that began it is gone: killed, it can take no worker down."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_on(work: Callable[[ItemT], ResultT], chunk: Sequence[ItemT]) -> list[ResultT]:
    return [work(item) for item in chunk]
