"""What makes up for rare labels, and what each way does to the recall of one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from dcrnet_edge.evaluation.bootstrap import CONFIDENCE, Interval
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_edge.studies.ablating.over_seeds import SeededDifference, seeded_difference
from dcrnet_edge.studies.rare_labels.power import smallest_shown

LEVEL = 0.05
"""Of all tests of one seed together, after Holm's correction."""


class Arm(StrEnum):
    """One way; the students differ in nothing else."""

    NOTHING = "nothing"
    OVERSAMPLING = "oversampling"
    WEIGHTS = "class-weights"
    GENERATED = "generated"


COMPARED = (Arm.NOTHING, Arm.OVERSAMPLING, Arm.WEIGHTS)
"""What generated faces are compared with."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Of one label by one arm.

    Attributes:
        mean: over seeds, a fraction.
        interval: 95 % by Clopper and Pearson over the label's images.
        precision: mean over seeds; NaN where nothing is given this label.
    """

    mean: float
    interval: Interval
    precision: float


@dataclass(frozen=True, slots=True)
class Effect:
    """Of generated faces on the recall of one label, against another arm.

    Attributes:
        label: which.
        against: the other arm.
        images: of the label in Test.
        difference: of the recalls, paired by seed and image.
        p_holm: seed by seed, after Holm's correction for all labels and arms.
        smallest: the least gain in recall that is shown with a power of 0.8, by the larger of
            two: what the exact tests of all seeds find if generated faces lose as many images to
            the other arm as they did, and what the differences between seeds allow; NaN where no
            gain is.
        signs: of the seeds' differences: -1, 0, 1.
    """

    label: str
    against: Arm
    images: int
    difference: SeededDifference
    p_holm: tuple[float, ...]
    smallest: float
    signs: frozenset[int]

    @property
    def is_shown(self) -> bool:
        """Whether every seed's test says so, and all the same."""
        return max(self.p_holm) < LEVEL and len(self.signs) == 1


def recall_of(answers: Sequence[Predictions], label: str) -> Recall:
    """Over seeds.

    Args:
        answers: one a seed, to the same images.
        label: which.
    """
    number = answers[0].labels.index(label)
    own = [of_label(each, label) for each in answers]
    images = len(own[0].images)
    mean = float(np.mean([each.correct.mean() for each in own]))
    low, high = proportion_confint(mean * images, images, 1 - CONFIDENCE, method="beta")
    given = [(each.predicted == number).sum() for each in answers]
    right = [each.correct.sum() for each in own]
    shares = [r / g for r, g in zip(right, given, strict=True) if g]
    precision = float(np.mean(shares)) if shares else math.nan
    # The limits of 0 and 1 are no numbers to some versions.
    interval = (0.0 if mean == 0 else float(low), 1.0 if mean == 1 else float(high))
    return Recall(mean, interval, precision)


def effects(answers: Mapping[Arm, Sequence[Predictions]], labels: Sequence[str]) -> list[Effect]:
    """Generated faces against each other arm, label by label, corrected together.

    Args:
        answers: of each arm, one a seed.
        labels: the rare ones.
    """
    found = []
    for label in labels:
        generated = [of_label(each, label) for each in answers[Arm.GENERATED]]
        for arm in COMPARED:
            others = [of_label(each, label) for each in answers[arm]]
            found.append((label, arm, generated, others))
    differences = [seeded_difference(one, other) for _, _, one, other in found]
    seeds = len(differences[0].p_values)
    corrected = np.array(
        [
            multipletests([each.p_values[seed] for each in differences], method="holm")[1]
            for seed in range(seeds)
        ]
    )
    return [
        Effect(
            *(label, arm, len(one[0].images), difference),
            tuple(corrected[:, i].tolist()),
            _smallest(one, other, difference, LEVEL / len(found)),
            _signs(one, other),
        )
        for i, ((label, arm, one, other), difference) in enumerate(
            zip(found, differences, strict=True)
        )
    ]


def of_label(answers: Predictions, label: str) -> Predictions:
    """Only the images that have a label, with all probabilities."""
    own = answers.truth == answers.labels.index(label)
    chosen = np.flatnonzero(own)
    return replace(
        answers,
        images=tuple(answers.images[i] for i in chosen),
        parts=tuple(answers.parts[i] for i in chosen),
        subjects=tuple(answers.subjects[i] for i in chosen),
        aligned=answers.aligned[own],
        truth=answers.truth[own],
        probabilities=answers.probabilities[own],
    )


def _smallest(
    one: Sequence[Predictions],
    other: Sequence[Predictions],
    difference: SeededDifference,
    level: float,
) -> float:
    exact = smallest_shown(len(one[0].images), _lost(one, other), level, len(one))
    return math.nan if math.isnan(exact) else float(np.nanmax([exact, difference.smallest]))


def _signs(one: Sequence[Predictions], other: Sequence[Predictions]) -> frozenset[int]:
    gains = (int(a.correct.sum()) - int(b.correct.sum()) for a, b in zip(one, other, strict=True))
    return frozenset(int(np.sign(gain)) for gain in gains)


def _lost(one: Sequence[Predictions], other: Sequence[Predictions]) -> float:
    """Share of the images that the other one alone gets right, mean over seeds."""
    return float(np.mean([_only(b, a).mean() for a, b in zip(one, other, strict=True)]))


def _only(first: Predictions, second: Predictions) -> NDArray[np.bool_]:
    places = {image: i for i, image in enumerate(second.images)}
    return first.correct & ~second.correct[[places[image] for image in first.images]]
