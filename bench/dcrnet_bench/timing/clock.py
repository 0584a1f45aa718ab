"""Wall-clock time of small pieces of work, measured side by side once they are warm."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.sampling import Protocol, SampleRule
from dcrnet_runtime.timing import Clock, Task, collector_paused, round_ns

_WINDOW_ROUNDS = 5
_STEADY_CHANGE = 0.05
_WARM_UP_MAX_ROUNDS = 100
_WARM_UP_MAX_NS = 10_000_000_000
_NS_PER_S = 1e9


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


def interleave(
    inputs: Sequence[Sequence[Task]], rule: SampleRule, clock: Clock = time.perf_counter_ns
) -> Rounds:
    """Warm up until steady, then time rounds of all tasks in turn; none is dropped.

    Args:
        inputs: the tasks of each input, as many for each; a round is of one input, the next round
            of the next.
        rule: one repeat of it is done.
        clock: in ns.
    """
    rounds = _Rotation(inputs, clock)
    with collector_paused():
        warm_up_rounds, is_steady = 0, True
        if rule.protocol is not Protocol.EMULATED:
            warm_up_rounds, is_steady = _warm_up(rounds, rule)
        started = clock()
        times: list[list[int]] = []
        while len(times) < rule.samples or clock() - started < rule.seconds * _NS_PER_S:
            times.append(rounds.run())
    return Rounds(np.array(times, np.int64), warm_up_rounds, is_steady)


class _Rotation:
    """Rounds, each of the next input."""

    def __init__(self, inputs: Sequence[Sequence[Task]], clock: Clock) -> None:
        self.clock, self.count = clock, len(inputs)
        self._inputs = cycle(inputs)

    def run(self) -> list[int]:
        return round_ns(next(self._inputs), self.clock)


def _warm_up(rounds: _Rotation, rule: SampleRule) -> tuple[int, bool]:
    """Run windows of rounds until the median round of two neighbours hardly differs.

    A window holds every input equally often, so that windows differ in time alone.

    Returns:
        the rounds it took, and whether the times settled within the bounds.
    """
    started = rounds.clock()
    window_rounds = -(-_WINDOW_ROUNDS // rounds.count) * rounds.count
    before: float | None = None
    done, is_steady = 0, False

    def is_short() -> bool:
        since_ns = rounds.clock() - started
        return done < rule.warm_up_rounds or since_ns < rule.warm_up_s * _NS_PER_S

    def is_bounded() -> bool:
        return done >= _WARM_UP_MAX_ROUNDS or rounds.clock() - started >= _WARM_UP_MAX_NS

    while is_short() or not (is_steady or is_bounded()):
        now = float(np.median([sum(rounds.run()) for _ in range(window_rounds)]))
        done += window_rounds
        is_steady = before is not None and abs(now - before) <= _STEADY_CHANGE * before
        before = now
    return done, is_steady
