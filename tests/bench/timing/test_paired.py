"""Ratios of rounds in which both took a turn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_bench.timing.paired import paired_ratio

MS = 1_000_000


def drifting(rounds: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Twice as long, on a machine whose clock halves half-way, with 5 % of noise of their own."""
    random = np.random.default_rng(seed)
    speed = np.repeat([1.0, 2.0], rounds // 2)
    slow, fast = (
        each * MS * speed * random.normal(1, 0.05, rounds).clip(0.5) for each in (8.0, 4.0)
    )
    return slow.astype(np.int64), fast.astype(np.int64)


def test_drift_cancels() -> None:
    ratio, (low, high) = paired_ratio(*drifting(1000, 0))
    assert ratio == pytest.approx(2.0, abs=0.02)
    assert 1.97 < low < ratio < high < 2.03


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    intervals = [paired_ratio(*drifting(200, seed))[1] for seed in range(60)]
    assert sum(low <= 2.0 <= high for low, high in intervals) >= 50


def test_neighbours_that_are_alike_widen_the_interval() -> None:
    random = np.random.default_rng(1)
    steps = np.repeat(random.normal(1, 0.05, 40).clip(0.5), 25)  # 1,000 rounds in 40 moods
    shuffled = random.permutation(steps)
    base = np.full(1000, 4 * MS, np.int64)
    widths = []
    for each in (steps, shuffled):
        low, high = paired_ratio((each * 4 * MS).astype(np.int64), base)[1]
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


def test_one_round_is_its_own_interval() -> None:
    one, two = np.array([2 * MS], np.int64), np.array([MS], np.int64)
    assert paired_ratio(one, two) == (2.0, (2.0, 2.0))
