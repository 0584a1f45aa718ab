"""Recall of rare labels, and what tests of few faces can show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_edge.studies.rare_labels.arms import Arm, effects, recall_of
from dcrnet_edge.studies.rare_labels.power import smallest_shown

LABELS = ("joy", "fear")


def answers(fear_right: int, of: int = 22, joy_right: int = 40, joys: int = 50) -> Predictions:
    """The first so many of each label are answered right."""
    truth = np.array([1] * of + [0] * joys)
    right = np.array(
        [i < fear_right for i in range(of)] + [i < joy_right for i in range(joys)], bool
    )
    predicted = np.where(right, truth, 1 - truth)
    count = len(truth)
    names = tuple(f"{i}.png" for i in range(count))
    empty = ("",) * count
    probabilities = np.eye(2, dtype=np.float32)[predicted]
    return Predictions(LABELS, names, empty, empty, np.ones(count, bool), truth, probabilities)


def test_recall_has_clopper_and_pearsons_interval() -> None:
    found = recall_of([answers(11)], "fear")
    assert found.mean == 0.5
    assert found.interval == pytest.approx((0.2822, 0.7178), abs=1e-4)  # of 11 in 22
    assert found.precision == pytest.approx(11 / 21)  # ten joys are called fear
    none = recall_of([answers(0, joy_right=50)], "fear")
    assert none.interval == pytest.approx((0.0, 1 - 0.025 ** (1 / 22)))
    assert math.isnan(none.precision)


def test_recall_is_the_mean_over_seeds() -> None:
    assert recall_of([answers(10), answers(12)], "fear").mean == 0.5


def test_effects_are_corrected_for_all_comparisons() -> None:
    found = effects(
        {
            Arm.NOTHING: [answers(2)],
            Arm.OVERSAMPLING: [answers(9)],
            Arm.WEIGHTS: [answers(12)],
            Arm.GENERATED: [answers(12)],
        },
        ["fear"],
    )
    by_arm = {each.against: each for each in found}
    nothing = by_arm[Arm.NOTHING]
    assert nothing.images == 22
    assert nothing.difference.difference == pytest.approx(10 / 22)
    assert nothing.difference.p_values == pytest.approx((2 * 0.5**10,))
    assert nothing.p_holm == pytest.approx((3 * 2 * 0.5**10,))
    assert nothing.is_shown
    assert not by_arm[Arm.OVERSAMPLING].is_shown  # three of three: p = 0.25
    assert by_arm[Arm.WEIGHTS].difference.difference == 0
    # 5 % over three tests need seven faces of seven: 2 * 0.5^7 < 0.0167 < 2 * 0.5^6.
    assert by_arm[Arm.WEIGHTS].smallest == pytest.approx(gain_for(22, 7), abs=1e-6)


def test_seeds_that_contradict_each_other_show_nothing() -> None:
    found = effects(
        {
            Arm.NOTHING: [answers(2), answers(14)],
            Arm.OVERSAMPLING: [answers(2), answers(2)],
            Arm.WEIGHTS: [answers(12), answers(12)],
            Arm.GENERATED: [answers(14), answers(2)],
        },
        ["fear"],
    )
    against_nothing = found[0]
    assert max(against_nothing.p_holm) < 0.05
    assert not against_nothing.is_shown


def test_all_seeds_are_to_find_a_gain_at_once() -> None:
    gain = smallest_shown(22, 0.0, 0.05, seeds=3)
    alone = binom.sf(6 - 1, 22, gain)
    assert alone**3 == pytest.approx(0.8)
    assert gain > smallest_shown(22, 0.0, 0.05)


def gain_for(images: int, needed: int) -> float:
    """The gain by which so many of the images are won with a chance of 0.8."""
    gains = np.linspace(0, 1, 1_000_001)
    return float(gains[np.searchsorted(binom.sf(needed - 1, images, gains), 0.8)])


def test_the_least_gain_of_22_faces() -> None:
    # McNemar's exact test needs six faces of six: 2 * 0.5^6 = 0.031, of five 0.0625.
    assert smallest_shown(22, 0.0, 0.05) == pytest.approx(gain_for(22, 6), abs=2e-6)
    assert 0.3 < smallest_shown(22, 0.0, 0.05) < 0.4
    assert smallest_shown(220, 0.0, 0.05) < smallest_shown(22, 0.0, 0.05) / 5


def test_five_faces_show_nothing() -> None:
    assert math.isnan(smallest_shown(5, 0.0, 0.05))
    assert not math.isnan(smallest_shown(6, 0.0, 0.05))


def test_faces_that_are_lost_make_it_harder_as_in_a_simulation() -> None:
    lost, images = 0.1, 100
    gain = smallest_shown(images, lost, 0.05)
    assert gain > smallest_shown(images, 0.0, 0.05)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(images, [lost + gain, lost, 1 - 2 * lost - gain], size=20_000)
    p_values = 2 * binom.sf(drawn[:, 0] - 1, drawn[:, 0] + drawn[:, 1], 0.5)
    assert (p_values < 0.05).mean() == pytest.approx(0.8, abs=0.01)
