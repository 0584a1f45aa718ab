"""What several seeds of two variants show together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from dcrnet_edge.evaluation.bootstrap import CONFIDENCE, Interval
from dcrnet_edge.evaluation.comparison import compare
from dcrnet_edge.evaluation.predictions import Predictions

POWER = 0.8


@dataclass(frozen=True, slots=True)
class SeededDifference:
    """A variant less the one that it is compared with, paired by seed and image.

    Attributes:
        difference: of the mean accuracies, a fraction.
        interval: 95 %, by the wider of two: Student's t over the seeds, and the normal over the
            images; None of a single seed.
        p_values: of McNemar's exact test, seed by seed.
        smallest: the least difference that is seen with a power of 0.8 at the 5 % level, by the
            larger of the two standard errors; NaN where both are 0, as of equal answers.
    """

    difference: float
    interval: Interval | None
    p_values: tuple[float, ...]
    smallest: float

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "difference": self.difference,
            "interval": None if self.interval is None else list(self.interval),
            "mcnemar_p": list(self.p_values),
            "smallest_detectable": None if math.isnan(self.smallest) else self.smallest,
        }


def mean_over_seeds(accuracies: Sequence[float]) -> tuple[float, Interval | None]:
    """Mean with its 95 % interval by Student's t; no interval of a single seed."""
    values = np.array(accuracies)
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return mean, None
    reach = float(t.ppf(0.5 + CONFIDENCE / 2, count - 1) * values.std(ddof=1) / math.sqrt(count))
    return mean, (mean - reach, mean + reach)


def seeded_difference(
    first: Sequence[Predictions], second: Sequence[Predictions]
) -> SeededDifference:
    """Compare two variants.

    Args:
        first: its answers, seed by seed.
        second: of the one that it is compared with, by the same seeds.

    Raises:
        DcrnetError: they were not asked about the same images.
    """
    pairs = [compare(one, other) for one, other in zip(first, second, strict=True)]
    by_seed = np.array([pair.difference for pair in pairs])
    by_image = np.mean(
        [
            _right(one) - _right(other, one.images)
            for one, other in zip(first, second, strict=True)
        ],
        axis=0,
    )
    errors = _errors(by_seed, by_image)
    mean, smallest = float(by_seed.mean()), _reach(errors, CONFIDENCE, POWER)
    reach = _reach(errors, CONFIDENCE)
    return SeededDifference(
        mean,
        (mean - reach, mean + reach) if len(by_seed) > 1 else None,
        tuple(pair.p_value for pair in pairs),
        smallest or math.nan,
    )


def _right(answers: Predictions, images: Sequence[str] = ()) -> NDArray[np.float64]:
    """1 where the answer is right, in the order of ``images``."""
    places = {image: i for i, image in enumerate(answers.images)}
    order = [places[image] for image in images or answers.images]
    return answers.correct[order].astype(np.float64)


def _errors(
    by_seed: NDArray[np.float64], by_image: NDArray[np.float64]
) -> list[tuple[Any, float]]:
    """Standard errors with the distributions that they go with."""
    errors = [(norm, _standard_error(by_image, 0))]
    if len(by_seed) > 1:
        errors.append((t(len(by_seed) - 1), _standard_error(by_seed, 1)))
    return errors


def _standard_error(values: NDArray[np.float64], ddof: int) -> float:
    return float(values.std(ddof=ddof) / math.sqrt(len(values)))


def _reach(errors: Sequence[tuple[Any, float]], confidence: float, power: float = 0.5) -> float:
    """How far from 0 a mean is beyond that confidence, and found so with that power."""
    return max(
        float(error * (distribution.ppf(0.5 + confidence / 2) + distribution.ppf(power)))
        for distribution, error in errors
    )
