"""A bar on a terminal for a run that takes longer than a second; nothing anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

ItemT = TypeVar("ItemT")


def progress(items: Iterable[ItemT], total: int, label: str) -> Iterator[ItemT]:
    """Yield the items, and show on a terminal's stderr how many of ``total`` have come."""
    if not sys.stderr.isatty():
        yield from items
        return
    begun = time.monotonic()
    done = 0
    source = iter(items)
    for item in source:
        yield item
        done += 1
        if time.monotonic() - begun > 1:
            break
    else:
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, completed=done)
        for item in source:
            yield item
            bar.advance(task)
