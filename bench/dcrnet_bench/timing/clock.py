"""Wall-clock time of small pieces of work, measured side by side.

A processor's speed drifts while it is measured: clocks rise and fall with temperature, caches
fill, other programs come and go. So the pieces take turns (A B A B ...): drift then hits all of
them alike and their ratios stay true. The median ignores the rare slow run that a scheduler
causes, the 90th percentile shows how bad it gets, the minimum is what the machine can do.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Clock = Callable[[], int]
"""A monotonic clock in ns."""

_NS_PER_MS = 1e6
_WINDOW_ROUNDS = 5
_STEADY_CHANGE = 0.05
_WARM_UP_MAX_ROUNDS = 100
_WARM_UP_MAX_NS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work to be timed."""

    name: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Latency:
    """What a row of runs took.

    Attributes:
        median_ms: of all runs.
        p90_ms: nine of ten runs were at most so long (linear between neighbours).
        min_ms: of the fastest run.
    """

    median_ms: float
    p90_ms: float
    min_ms: float

    @classmethod
    def of(cls, times_ns: NDArray[np.int64]) -> Latency:
        """Of (runs,) durations in ns, at least one."""
        median, p90 = np.percentile(times_ns, (50, 90)) / _NS_PER_MS
        return cls(float(median), float(p90), float(times_ns.min()) / _NS_PER_MS)


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """Timed rounds; in each one every task ran once, in order.

    Attributes:
        times_ns: (rounds, tasks) int64 durations.
        warm_up_rounds: untimed rounds before them.
        is_steady: whether the warm-up ended because the times had settled, not at its bound.
    """

    times_ns: NDArray[np.int64]
    warm_up_rounds: int
    is_steady: bool


def interleave(tasks: Sequence[Task], rounds: int, clock: Clock = time.perf_counter_ns) -> Rounds:
    """Warm up until steady, then time ``rounds`` rounds of all tasks in turn."""
    was_collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        warm_up_rounds, is_steady = _warm_up(tasks, clock)
        times = [_round(tasks, clock) for _ in range(rounds)]
    finally:
        if was_collecting:
            gc.enable()
    return Rounds(np.array(times, np.int64), warm_up_rounds, is_steady)


def _round(tasks: Sequence[Task], clock: Clock) -> list[int]:
    times = []
    for task in tasks:
        started = clock()
        task.run()
        times.append(clock() - started)
    return times


def _warm_up(tasks: Sequence[Task], clock: Clock) -> tuple[int, bool]:
    """Run windows of rounds until the median round of two neighbours hardly differs.

    Returns:
        the rounds it took, and whether the times settled within the bounds.
    """
    started = clock()
    before: float | None = None
    done = 0
    while done < _WARM_UP_MAX_ROUNDS and clock() - started < _WARM_UP_MAX_NS:
        window = [sum(_round(tasks, clock)) for _ in range(_WINDOW_ROUNDS)]
        done += _WINDOW_ROUNDS
        now = float(np.median(window))
        if before is not None and abs(now - before) <= _STEADY_CHANGE * before:
            return done, True
        before = now
    return done, False
