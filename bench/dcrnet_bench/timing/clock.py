"""Wall-clock time of small pieces of work, measured side by side once they are warm.

The median ignores the rare slow run that a scheduler causes, the 90th percentile shows how bad
it gets, the minimum is what the machine can do.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.timing import (
    NS_PER_MS,
    Clock,
    Task,
    collector_paused,
    interleaved_ns,
    round_ns,
)

_WINDOW_ROUNDS = 5
_STEADY_CHANGE = 0.05
_WARM_UP_MAX_ROUNDS = 100
_WARM_UP_MAX_NS = 10_000_000_000


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
        median, p90 = np.percentile(times_ns, (50, 90)) / NS_PER_MS
        return cls(float(median), float(p90), float(times_ns.min()) / NS_PER_MS)


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
    with collector_paused():
        warm_up_rounds, is_steady = _warm_up(tasks, clock)
        times = interleaved_ns(tasks, rounds, clock)
    return Rounds(np.array(times, np.int64), warm_up_rounds, is_steady)


def _warm_up(tasks: Sequence[Task], clock: Clock) -> tuple[int, bool]:
    """Run windows of rounds until the median round of two neighbours hardly differs.

    Returns:
        the rounds it took, and whether the times settled within the bounds.
    """
    started = clock()
    before: float | None = None
    done = 0
    while done < _WARM_UP_MAX_ROUNDS and clock() - started < _WARM_UP_MAX_NS:
        window = [sum(round_ns(tasks, clock)) for _ in range(_WINDOW_ROUNDS)]
        done += _WINDOW_ROUNDS
        now = float(np.median(window))
        if before is not None and abs(now - before) <= _STEADY_CHANGE * before:
            return done, True
        before = now
    return done, False
