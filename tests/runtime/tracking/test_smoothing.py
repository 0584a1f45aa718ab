"""Probabilities over time: the same at any frame rate, and a label that does not flicker."""

from __future__ import annotations

import numpy as np
import pytest

from dcrnet_runtime.tracking.smoothing import Smoother

CALM = np.array([0.9, 0.1], np.float32)
GLAD = np.array([0.1, 0.9], np.float32)


def after_step(fps: float, seconds: float, time_constant_s: float = 0.5) -> float:
    smoother = Smoother(time_constant_s, 0.1)
    smoother.update(CALM, 0.0)
    for number in range(1, round(seconds * fps) + 1):
        _, mean = smoother.update(GLAD, number / fps)
    return float(mean[1])


@pytest.mark.parametrize("fps", [4.0, 10.0, 60.0])
def test_a_step_takes_the_same_seconds_at_any_frame_rate(fps: float) -> None:
    assert after_step(fps, 0.5) == pytest.approx(0.9 - 0.8 * np.exp(-1), abs=1e-5)


def test_smoothed_probabilities_sum_to_one() -> None:
    smoother = Smoother(0.3, 0.1)
    rng = np.random.default_rng(0)
    for number in range(500):
        _, mean = smoother.update(rng.dirichlet(np.ones(7)).astype(np.float32), number / 30)
    assert mean.dtype == np.float32
    assert mean.sum() == pytest.approx(1, abs=1e-6)


def test_no_time_constant_is_no_smoothing() -> None:
    smoother = Smoother(0.0, 0.0)
    smoother.update(CALM, 0.0)
    label, mean = smoother.update(GLAD, 0.01)
    assert label == 1
    assert mean == pytest.approx(GLAD)


def test_a_label_needs_a_lead_to_take_over() -> None:
    smoother = Smoother(0.0, 0.1)
    labels = [
        smoother.update(np.array([p, 1 - p], np.float32), float(number))[0]
        for number, p in enumerate([0.6, 0.48, 0.52, 0.46, 0.44, 0.52, 0.54, 0.56])
    ]
    assert labels == [0, 0, 0, 0, 1, 1, 1, 0]


def test_time_that_stands_still_changes_nothing() -> None:
    smoother = Smoother(0.3, 0.1)
    smoother.update(CALM, 1.0)
    assert smoother.update(GLAD, 1.0)[1] == pytest.approx(CALM)
    assert smoother.update(GLAD, 0.5)[1] == pytest.approx(CALM)
