"""Turns, warm-up and statistics, on a clock that the tests move."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest

from dcrnet_bench.timing.clock import interleave
from dcrnet_bench.timing.latency import Latency, RepeatLatency
from dcrnet_bench.timing.sampling import EMULATED, FULL, QUICK, SampleRule, fixed_runs
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
    times_ms = np.arange(1, 1002)
    latency = Latency.of(times_ms.astype(np.int64) * MS)
    assert (latency.median, latency.p90, latency.p99) == (501.0, 901.0, 991.0)
    assert (latency.min, latency.max, latency.n) == (1.0, 1001.0, 1001)
    assert latency.mean == 501.0
    assert latency.sd == pytest.approx(times_ms.std(), abs=1e-4)
    assert latency.spread is None
    assert len(latency.quantiles) == 41
    assert (latency.quantiles[0], latency.quantiles[36]) == (latency.min, latency.p90)


@pytest.mark.parametrize(("samples", "is_told"), [(661, False), (662, True)])
def test_the_99th_percentile_is_told_from_662_samples_on(samples: int, is_told: bool) -> None:
    latency = Latency.of(np.full(samples, MS, np.int64))
    assert latency.p99 == (1.0 if is_told else None)


def test_repeats_are_pooled_and_their_spread_is_told() -> None:
    slow, fast = np.full(3, 4 * MS, np.int64), np.full(1, 2 * MS, np.int64)
    latency = Latency.of(slow, fast)
    assert (latency.n, latency.median, latency.mean) == (4, 4.0, 3.5)
    assert latency.repeats == (RepeatLatency(4.0, 4.0, 3), RepeatLatency(2.0, 2.0, 1))
    assert latency.spread == pytest.approx(2 / 3, abs=1e-4)


def test_tasks_take_turns_and_inputs_do() -> None:
    clock = FakeClock()
    inputs = [
        [clock.task("A1", 2 * MS), clock.task("B1", 5 * MS)],
        [clock.task("A2", 3 * MS), clock.task("B2", 5 * MS)],
    ]
    rounds = interleave(inputs, fixed_runs(4), clock)
    pairs = (rounds.warm_up_rounds + 4) // 2
    assert rounds.warm_up_rounds % 2 == 0
    assert clock.order == ["A1", "B1", "A2", "B2"] * pairs
    assert rounds.times_ns.tolist() == [[2 * MS, 5 * MS], [3 * MS, 5 * MS]] * 2


@pytest.mark.parametrize(
    ("rule", "task_ms", "rounds"),
    [
        (FULL, 1, 60_000),  # 60 s are longer
        (FULL, 100, 1024),  # 1,024 samples take longer
        (QUICK, 10, 500),
        (QUICK, 100, 64),
        (EMULATED, 5000, 1),
    ],
)
def test_samples_and_seconds_are_both_reached(rule: SampleRule, task_ms: int, rounds: int) -> None:
    clock = FakeClock()
    measured = interleave([[clock.task("A", task_ms * MS)]], rule, clock)
    assert len(measured.times_ns) == rounds


def test_nothing_is_dropped() -> None:
    clock = FakeClock()
    slowest = 5000 * MS
    times = [MS] * 10 + [slowest] + [MS]
    measured = interleave([[clock.task("A", *times)]], fixed_runs(20), clock)
    assert measured.warm_up_rounds == 10
    assert Latency.of(measured.times_ns[:, 0]).max == slowest / MS


def test_warm_up_lasts_until_times_settle_and_is_not_counted() -> None:
    clock = FakeClock()
    slow_start = [10 * MS] * 5 + [5 * MS] * 5 + [MS]
    rounds = interleave([[clock.task("A", *slow_start)]], fixed_runs(3), clock)
    assert rounds.is_steady
    assert rounds.warm_up_rounds == 20
    assert rounds.times_ns.max() == MS


@pytest.mark.parametrize(("task_ms", "rounds"), [(1, 2000), (100, 20), (1000, 10)])
def test_warm_up_takes_ten_rounds_and_two_seconds(task_ms: int, rounds: int) -> None:
    clock = FakeClock()
    measured = interleave([[clock.task("A", task_ms * MS)]], replace(QUICK, seconds=0.0), clock)
    assert measured.is_steady
    assert measured.warm_up_rounds == rounds


@pytest.mark.parametrize(
    ("first_ns", "growth", "most_rounds"), [(1, 2, 100), (3_000_000_000, 2, 5)]
)
def test_warm_up_is_bounded(first_ns: int, growth: int, most_rounds: int) -> None:
    clock = FakeClock()
    restless = [first_ns * growth ** (i // 5 % 8) for i in range(200)]
    rounds = interleave([[clock.task("A", *restless)]], fixed_runs(1), clock)
    assert not rounds.is_steady
    assert rounds.warm_up_rounds == most_rounds


def test_collector_rests_during_the_rounds_only() -> None:
    clock = FakeClock()
    seen: list[bool] = []

    def run() -> None:
        seen.append(gc.isenabled())

    interleave([[run]], fixed_runs(2), clock)
    assert not any(seen)
    assert gc.isenabled()
