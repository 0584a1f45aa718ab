"""Turns, warm-up and statistics, on a clock that the tests move."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from dcrnet_bench.timing.clock import Latency, interleave
from dcrnet_runtime.timing import Task

MS = 1_000_000


class FakeClock:
    """Time that passes only where a task says so."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.order: list[str] = []

    def __call__(self) -> int:
        return self.now_ns

    def task(self, name: str, *durations_ns: int) -> Task:
        """Takes the durations one after the other, the last one for ever."""
        left = list(durations_ns)

        def run() -> None:
            self.order.append(name)
            self.now_ns += left.pop(0) if len(left) > 1 else left[0]

        return run


def test_statistics_of_known_samples() -> None:
    latency = Latency.of(np.arange(1, 12, dtype=np.int64) * MS)
    assert latency == Latency(median_ms=6.0, p90_ms=10.0, min_ms=1.0)


def test_one_sample_is_all_statistics() -> None:
    assert Latency.of(np.array([3 * MS], np.int64)) == Latency(3.0, 3.0, 3.0)


def test_tasks_take_turns() -> None:
    clock = FakeClock()
    rounds = interleave([clock.task("A", 2 * MS), clock.task("B", 5 * MS)], 4, clock)
    assert clock.order == ["A", "B"] * (rounds.warm_up_rounds + 4)
    assert rounds.times_ns.tolist() == [[2 * MS, 5 * MS]] * 4


def test_warm_up_lasts_until_times_settle_and_is_not_counted() -> None:
    clock = FakeClock()
    slow_start = [10 * MS] * 5 + [5 * MS] * 5 + [MS]
    rounds = interleave([clock.task("A", *slow_start)], 3, clock)
    assert rounds.is_steady
    assert rounds.warm_up_rounds == 20
    assert rounds.times_ns.max() == MS


@pytest.mark.parametrize(
    ("first_ns", "growth", "most_rounds"), [(1, 2, 100), (3_000_000_000, 2, 5)]
)
def test_warm_up_is_bounded(first_ns: int, growth: int, most_rounds: int) -> None:
    clock = FakeClock()
    restless = [first_ns * growth ** (i // 5 % 8) for i in range(200)]
    rounds = interleave([clock.task("A", *restless)], 1, clock)
    assert not rounds.is_steady
    assert rounds.warm_up_rounds == most_rounds


def test_collector_rests_during_the_rounds_only() -> None:
    clock = FakeClock()
    seen: list[bool] = []

    def run() -> None:
        seen.append(gc.isenabled())

    interleave([run], 2, clock)
    assert not any(seen)
    assert gc.isenabled()
