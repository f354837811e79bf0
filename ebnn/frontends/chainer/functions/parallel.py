"""Several cores for the functions of this package.

BLAS spreads single matrix products over threads, which wait for each other by spinning: many small products, or
another busy process, make that several times slower than one thread. Inside :func:`parallel` a function cuts its whole
work into parts instead, one to a thread, and BLAS keeps to the thread that calls it. NumPy lets other threads run
meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_MOST_WORKERS = 8
"""Beyond this, parts of the layers that fit microcontrollers get too small."""

_pool: ThreadPoolExecutor | None = None
_workers = 1


def usable_cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def parallel(workers: int | None = None) -> Iterator[None]:
    """Lets :func:`in_parts` use ``workers`` threads, and BLAS one each, as long as the context lasts.

    Args:
        workers: None means one for each usable core, up to 8. Within an outer context the outer one's hold.
    """
    global _pool, _workers
    if _pool is not None:
        yield
        return
    _workers = min(usable_cores(), _MOST_WORKERS) if workers is None else workers
    try:
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(_workers) as _pool:
            yield
    finally:
        _pool, _workers = None, 1


def in_parts(work: Callable[[int, int], None], count: int) -> None:
    """Calls ``work(first, stop)`` for consecutive parts of ``range(count)``, one to a thread, and waits for all."""
    parts = min(_workers, count)
    if _pool is None or parts < 2:
        work(0, count)
        return
    bounds = [count * i // parts for i in range(parts + 1)]
    for done in [_pool.submit(work, first, stop) for first, stop in pairwise(bounds)]:
        done.result()
