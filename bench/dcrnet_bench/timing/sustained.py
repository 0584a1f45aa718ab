"""A model under load for a while: what heat and throttling make of its latency."""

from __future__ import annotations

from dataclasses import dataclass


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
