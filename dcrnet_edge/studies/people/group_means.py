"""Means of groups by resampling, and how far two groups lie apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.evaluation.bootstrap import (
    CONFIDENCE,
    RESAMPLES,
    SHARES,
    Interval,
    interval_of_equals,
)

_BEYOND = 5
"""Resamples that are to lie beyond each end of an interval; more hardly move it."""
_CHUNK = 1 << 20
_ALIKE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class GroupMeans:
    """One group's means of K columns of fractions, 0..1.

    Attributes:
        means: (K,) weighted.
        drawn: (B, K) the same of resamples of the group's units, which are people or images.
        effective: how many units of one weight tell as much, (sum w)^2 / sum w^2 (Kish 1965): the
            number of images where each is a unit and all weigh the same.
    """

    means: NDArray[np.float64]
    drawn: NDArray[np.float64]
    effective: float

    def varies(self, column: int) -> bool:
        """Whether the units differ in a column, so that resamples tell how sure its mean is."""
        return bool(np.ptp(self.drawn[:, column]) > _ALIKE)

    def interval(self, column: int, confidence: float = CONFIDENCE) -> Interval:
        """Percentile interval of a mean; the exact one of all units where they are alike."""
        if self.varies(column):
            return _percentiles(self.drawn[:, column], confidence)
        return interval_of_equals(
            float(self.means[column]), self.effective, SHARES, confidence=confidence
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Two groups' means of one column.

    Attributes:
        most: the group with the larger mean.
        least: the other one.
        gap: the difference, 0 or more.
        interval: of the difference.
    """

    most: str
    least: str
    gap: float
    interval: Interval


def resamples_for(looked_at: int) -> int:
    """As many as intervals need that are corrected for so many gaps."""
    beyond_each_end = (1 - CONFIDENCE) / looked_at / 2
    return max(10 * RESAMPLES, math.ceil(_BEYOND / beyond_each_end))


def group_means(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    units: NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> GroupMeans:
    """Resample one group.

    Args:
        values: (K, N) fractions, 0..1.
        weights: (N,).
        units: (N,) numbers of what is drawn: images of one number are drawn together.
        resamples: how many.
        rng: of the draws; groups that are compared need one together.
    """
    own = np.unique(units, return_inverse=True)[1]
    totals = np.bincount(own, weights)
    sums = np.column_stack([*(np.bincount(own, row * weights) for row in values), totals])
    count = len(totals)
    drawn = np.concatenate(
        [
            _times(rng, min(_CHUNK // count + 1, resamples - start), count) @ sums
            for start in range(0, resamples, _CHUNK // count + 1)
        ]
    )
    means = np.average(values, axis=1, weights=weights)
    effective = float(totals.sum() ** 2 / (totals**2).sum())
    return GroupMeans(means, drawn[:, :-1] / drawn[:, -1:], effective)


def gaps_of(found: Mapping[str, GroupMeans], column: int, looked_at: int) -> list[Gap]:
    """Every two groups in one column, the widest gap first.

    Args:
        found: two groups or more.
        column: which.
        looked_at: gaps among which one is chosen after looking: the intervals hold the true gaps
            of all of them at once in 95 % of such studies (Bonferroni).
    """
    return [_gap(found, *pair, column, looked_at) for pair in _widest_first(found, column)]


def widest_gap(found: Mapping[str, GroupMeans], column: int, looked_at: int) -> Gap:
    """The first of :func:`gaps_of`."""
    return _gap(found, *_widest_first(found, column)[0], column, looked_at)


def _widest_first(found: Mapping[str, GroupMeans], column: int) -> list[tuple[str, str]]:
    """Two names each, that with the larger mean before the other one."""
    means = {group: float(each.means[column]) for group, each in found.items()}
    pairs = [(a, b) if means[a] >= means[b] else (b, a) for a, b in combinations(means, 2)]
    return sorted(pairs, key=lambda pair: means[pair[1]] - means[pair[0]])


def _gap(
    found: Mapping[str, GroupMeans], most: str, least: str, column: int, looked_at: int
) -> Gap:
    one, other = found[most], found[least]
    gap = float(one.means[column] - other.means[column])
    confidence = 1 - (1 - CONFIDENCE) / looked_at
    return Gap(most, least, gap, _difference(one, other, column, confidence))


def _difference(one: GroupMeans, other: GroupMeans, column: int, confidence: float) -> Interval:
    """Percentile interval of a difference.

    Where a group's units are alike it is made of the two groups' own intervals (Zou and Donner
    2008), since resamples know nothing of that group.
    """
    if one.varies(column) and other.varies(column):
        return _percentiles(one.drawn[:, column] - other.drawn[:, column], confidence)
    mean, other_mean = float(one.means[column]), float(other.means[column])
    low, high = one.interval(column, confidence)
    other_low, other_high = other.interval(column, confidence)
    gap = mean - other_mean
    return (
        gap - math.hypot(mean - low, other_high - other_mean),
        gap + math.hypot(high - mean, other_mean - other_low),
    )


def _percentiles(drawn: NDArray[np.float64], confidence: float) -> Interval:
    beyond = (1 - confidence) / 2
    low, high = np.quantile(drawn, [beyond, 1 - beyond])
    return float(low), float(high)


def _times(rng: np.random.Generator, resamples: int, count: int) -> NDArray[np.float64]:
    """How often each of the units is drawn, (resamples, count)."""
    chosen = rng.integers(0, count, (resamples, count), np.int32)
    chosen += np.arange(resamples, dtype=np.int32)[:, None] * count
    times = np.bincount(chosen.ravel(), minlength=resamples * count)
    return times.reshape(resamples, count).astype(np.float64)
