"""Wall-clock time of small pieces of work that take turns.

A processor's speed drifts while it is measured: clocks rise and fall with temperature, caches
fill, other programs come and go. So the pieces take turns (A B A B ...): drift then hits all of
them alike and their ratios stay true. The median ignores the rare slow run that a scheduler
causes.

Needs the standard library alone, so that it also runs where nothing else of this project does.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from statistics import median

Clock = Callable[[], int]
"""A monotonic clock in ns."""

Task = Callable[[], object]
"""A piece of work to be timed."""

NS_PER_MS = 1e6


def interleaved_ns(
    tasks: Sequence[Task],
    rounds: int,
    clock: Clock = time.perf_counter_ns,
) -> list[list[int]]:
    """Run every task once a round, in order, without Python's garbage collection.

    Returns:
        (rounds, tasks) durations in ns.
    """
    with collector_paused():
        return [round_ns(tasks, clock) for _ in range(rounds)]


def round_ns(tasks: Sequence[Task], clock: Clock) -> list[int]:
    """Run every task once, in order; their durations in ns."""
    times = []
    for run in tasks:
        started = clock()
        run()
        times.append(clock() - started)
    return times


def medians_ms(times_ns: Sequence[Sequence[int]]) -> list[float]:
    """The median of each task of (rounds, tasks) durations, at least one round, in ms."""
    return [median(column) / NS_PER_MS for column in zip(*times_ns, strict=True)]


@contextmanager
def collector_paused() -> Generator[None, None, None]:
    """Collect once, then not within the block."""
    was_collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()
