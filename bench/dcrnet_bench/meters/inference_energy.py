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
        sampling_hz: how often the meter has a new value.
        uncertainty_j: of ``net_j``: what half the change of the idle power from before to after
            makes of one inference; None where the net is.
        inferences: that were run for it.
        is_estimate: whether it is of no sensor, but computed from a stated power.
        idle_before_w: power of the idle machine before.
        idle_after_w: power of the idle machine after.
        uncertainty: of the meter itself, and where that is known from; for people.
        busy_unix_s: when the inferences began and ended, in s since 1970, by which another meter's
            record can be laid beside.
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
    idle_before_w: float | None = None
    idle_after_w: float | None = None
    uncertainty: str = ""
    busy_unix_s: tuple[float, float] | None = None
