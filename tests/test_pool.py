"""Work spread over processes."""

from __future__ import annotations

import multiprocessing

from checks.pool import spread


def test_no_worker_outlives_a_run_that_is_through() -> None:
    for _ in range(5):
        results = spread(abs, range(-8, 0), 2, died=abs, setup=print, arguments=())
        assert list(results) == [8, 7, 6, 5, 4, 3, 2, 1]
        assert multiprocessing.active_children() == []
