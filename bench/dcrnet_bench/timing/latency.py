"""What a row of timed runs comes to.

The 90th percentile is the one number that stands for a latency (MLPerf Inference, single stream).
How many samples a percentile needs: MLPerf Inference Rules,
https://github.com/mlcommons/inference_policies/blob/master/inference_rules.adoc.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.timing import NS_PER_MS

P99_MIN_SAMPLES = 662
_QUANTILES = np.linspace(0, 100, 41)
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class RepeatLatency:
    """One repeat of the whole measurement.

    Attributes:
        median: of its samples, ms.
        p90: of its samples, ms.
        n: how many.
    """

    median: float
    p90: float
    n: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Of all samples of all repeats; none is dropped. Times are in ms, to 0.1 us.

    Attributes:
        median: of all samples.
        p90: nine of ten were at most so long (linear between neighbours); the headline.
        p99: likewise 99 of 100; None below 662 samples, which do not tell it.
        mean: of all samples.
        sd: standard deviation.
        min: the fastest.
        max: the slowest.
        n: samples.
        spread: how far the repeats' p90 lie apart, as a share of their median; None of one repeat.
        repeats: each of them.
        quantiles: 41 of them, from the fastest in steps of 2.5 % to the slowest.
    """

    median: float
    p90: float
    p99: float | None
    mean: float
    sd: float
    min: float
    max: float
    n: int
    spread: float | None = None
    repeats: tuple[RepeatLatency, ...] = ()
    quantiles: tuple[float, ...] = ()

    @classmethod
    def of(cls, *repeats: NDArray[np.int64]) -> Latency:
        """Of (runs,) durations in ns, at least one in each of one or more repeats."""
        times_ms = np.concatenate(repeats) / NS_PER_MS
        middle, p90, p99 = np.percentile(times_ms, (50, 90, 99))
        told = tuple(map(_repeat, repeats))
        p90s = [each.p90 for each in told]
        return cls(
            median=_rounded(middle),
            p90=_rounded(p90),
            p99=_rounded(p99) if len(times_ms) >= P99_MIN_SAMPLES else None,
            mean=_rounded(times_ms.mean()),
            sd=_rounded(times_ms.std()),
            min=_rounded(times_ms.min()),
            max=_rounded(times_ms.max()),
            n=len(times_ms),
            spread=_rounded((max(p90s) - min(p90s)) / median(p90s)) if len(told) > 1 else None,
            repeats=told,
            quantiles=tuple(map(_rounded, np.percentile(times_ms, _QUANTILES))),
        )


def _repeat(times_ns: NDArray[np.int64]) -> RepeatLatency:
    middle, p90 = np.percentile(times_ns / NS_PER_MS, (50, 90))
    return RepeatLatency(_rounded(middle), _rounded(p90), len(times_ns))


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
