"""A model under load for a while: what heat and throttling make of its latency."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import fmean

import numpy as np

from dcrnet_bench.host.state import read_mhz, read_temperatures_c
from dcrnet_runtime.timing import NS_PER_MS, Clock, Task, collector_paused

_POINTS = 120
_LEAST_POINT_S = 1.0
_NS_PER_S = 1e9
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class SustainedPoint:
    """A few seconds of it.

    Attributes:
        at_s: since its start, at the end of these seconds.
        median_ms: of the inferences in them.
        p90_ms: likewise.
        n: inferences.
        mhz: mean clock of the cores that it may use; None where it cannot be read.
        temperature_c: of the hottest sensor; None where none can be read.
    """

    at_s: float
    median_ms: float
    p90_ms: float
    n: int
    mhz: float | None
    temperature_c: float | None


@dataclass(frozen=True, slots=True)
class SustainedRun:
    """Inference after inference, without a pause.

    Attributes:
        model: its name.
        seconds: how long.
        points: of it, in order.
    """

    model: str
    seconds: float
    points: tuple[SustainedPoint, ...]


def sustain(
    model: str,
    inputs: Sequence[Task],
    seconds: float,
    clock: Clock = time.perf_counter_ns,
    mhz: Callable[[], Sequence[float]] = read_mhz,
    temperatures_c: Callable[[], dict[str, float]] = read_temperatures_c,
) -> SustainedRun:
    """Run inference after inference; nothing is dropped, and no warm-up precedes.

    Args:
        model: its name.
        inputs: an inference of each input; they take turns.
        seconds: how long, more than 0. It is told in up to 120 parts of a second or more.
        clock: in ns.
        mhz: reads the cores' clocks.
        temperatures_c: reads the sensors.
    """
    point_ns = max(_LEAST_POINT_S, seconds / _POINTS) * _NS_PER_S
    points: list[SustainedPoint] = []
    turns = cycle(inputs)
    with collector_paused():
        started = since = clock()
        times: list[int] = []
        while True:
            before = clock()
            next(turns)()
            now = clock()
            times.append(now - before)
            is_over = now - started >= seconds * _NS_PER_S
            if now - since >= point_ns or is_over:
                points.append(_point((now - started) / _NS_PER_S, times, mhz(), temperatures_c()))
                since, times = clock(), []
            if is_over:
                return SustainedRun(model, round((now - started) / _NS_PER_S, 3), tuple(points))


def _point(
    at_s: float, times_ns: list[int], mhz: Sequence[float], temperatures_c: dict[str, float]
) -> SustainedPoint:
    median, p90 = (np.percentile(times_ns, (50, 90)) / NS_PER_MS).tolist()
    return SustainedPoint(
        at_s=round(at_s, 3),
        median_ms=round(median, _DECIMALS),
        p90_ms=round(p90, _DECIMALS),
        n=len(times_ns),
        mhz=round(fmean(mhz), 1) if mhz else None,
        temperature_c=max(temperatures_c.values()) if temperatures_c else None,
    )
