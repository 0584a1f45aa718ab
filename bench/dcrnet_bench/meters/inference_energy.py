"""What one inference costs in energy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InferenceEnergy:
    """Gross and net; or null with the reason.

    Attributes:
        gross_j: of the rails while one inference runs; None where not measured.
        net_j: ``gross_j`` less what the idle machine takes in that time; None where not measured,
            or where it drowns in the idle power.
        reason: why one of them is None, else empty.
        meter: its name; empty where there is none.
        rails: what it covers, in the maker's words.
        idle_w: power of the idle machine, mean of before and after.
        sampling_hz: how often power is read; None of a counter, which misses nothing.
        uncertainty_j: of ``net_j``, one standard deviation or what the maker states; None where
            that is not known.
        inferences: that were run for it.
        is_estimate: whether it is of no sensor, but computed from a stated power.
    """

    gross_j: float | None = None
    net_j: float | None = None
    reason: str = ""
    meter: str = ""
    rails: tuple[str, ...] = ()
    idle_w: float | None = None
    sampling_hz: float | None = None
    uncertainty_j: float | None = None
    inferences: int = 0
    is_estimate: bool = False
