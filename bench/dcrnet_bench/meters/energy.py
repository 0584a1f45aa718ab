"""Energy of an inference: gross, and what it adds to the idle machine's.

The power of the idle machine is measured before and after, and the mean of both is subtracted. How
far they lie apart says how well the rest is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dcrnet_bench.host.device import Device
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.meters.meter import EnergyMeter, NoMeterError
from dcrnet_bench.meters.registry import open_meter

_SPAN_S = 2.0
_LEAST_VALUES = 20
"""A span is long enough for so many new values of the meter."""

_DROWNED = "energy of an inference drowned in the idle power: measure a quiet machine"


@dataclass(frozen=True, slots=True)
class Span:
    """What a meter told of a span of time.

    Attributes:
        energy_j: gross.
        seconds: that it took.
        count: inferences in it.
        unix_s: when it began and ended.
    """

    energy_j: float
    seconds: float
    count: int
    unix_s: tuple[float, float]

    @property
    def power_w(self) -> float:
        """Its mean."""
        return self.energy_j / self.seconds


class Wattmeter:
    """Measures spans of idling and of work with one meter."""

    def __init__(
        self,
        meter: EnergyMeter,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """By ``meter``; ``clock`` and ``sleep`` are in s."""
        self.meter = meter
        self.span_s = max(_SPAN_S, _LEAST_VALUES / meter.rate_hz)
        self._clock, self._sleep = clock, sleep

    def idle(self) -> Span:
        """The machine while this process sleeps.

        Raises:
            NoMeterError: the meter tells nothing of it.
        """
        return self.during(lambda: self._sleep(self.span_s) or 0)

    def repeat(self, run: Callable[[], object]) -> Span:
        """The machine while ``run`` is done again and again.

        Raises:
            NoMeterError: the meter tells nothing of it.
        """

        def work() -> int:
            count, started_s = 0, self._clock()
            while not count or self._clock() - started_s < self.span_s:
                run()
                count += 1
            return count

        return self.during(work)

    def during(self, work: Callable[[], int]) -> Span:
        """The machine while ``work`` is done, which returns the number of its inferences.

        Raises:
            NoMeterError: the meter tells nothing of it.
        """
        unix_s, started_s = time.time(), self._clock()
        self.meter.start()
        count = work()
        # What the meter needs to tell is no part of the span.
        seconds = self._clock() - started_s
        return Span(self.meter.stop(), seconds, count, (unix_s, unix_s + seconds))


def energy_between(before: Span, busy: Span, after: Span, meter: EnergyMeter) -> InferenceEnergy:
    """Of one inference in ``busy``, which idling surrounds."""
    idle_w = (before.power_w + after.power_w) / 2
    net_j = (busy.energy_j - idle_w * busy.seconds) / busy.count
    drift_j = abs(after.power_w - before.power_w) / 2 * busy.seconds / busy.count
    is_told = net_j > drift_j
    return InferenceEnergy(
        gross_j=busy.energy_j / busy.count,
        net_j=net_j if is_told else None,
        reason="" if is_told else _DROWNED,
        meter=meter.name,
        rails=meter.rails,
        idle_w=idle_w,
        sampling_hz=meter.rate_hz,
        uncertainty_j=drift_j if is_told else None,
        inferences=busy.count,
        idle_before_w=before.power_w,
        idle_after_w=after.power_w,
        uncertainty=meter.uncertainty,
        busy_unix_s=busy.unix_s,
    )


def energies_by(
    runs: Sequence[Callable[[], object]], wattmeter: Wattmeter
) -> list[InferenceEnergy]:
    """What one of each of ``runs`` takes; neighbours share the idling between them.

    Raises:
        NoMeterError: the meter tells nothing of a span.
    """
    found = []
    before = wattmeter.idle()
    for run in runs:
        busy = wattmeter.repeat(run)
        after = wattmeter.idle()
        found.append(energy_between(before, busy, after, wattmeter.meter))
        before = after
    return found


def energies_of(
    runs: Sequence[Callable[[], object]], device: Device, meter: EnergyMeter | None = None
) -> tuple[list[InferenceEnergy], str]:
    """What one of each of ``runs`` takes on ``device``, and what is to be said of them.

    Args:
        runs: each does one inference.
        device: whose energy is wanted.
        meter: which tells it; None for the first that is at hand.
    """
    try:
        meter = meter or open_meter(device)
        energies = energies_by(runs, Wattmeter(meter))
    except NoMeterError as error:
        reason = f"energy is not measured: {error}"
        return [InferenceEnergy(reason=reason)] * len(runs), reason
    if any(energy.net_j is None for energy in energies):
        return energies, _DROWNED
    return energies, (
        f"energy is {meter.name}'s of {', '.join(meter.rails)}, the idle machine's subtracted"
        f" ({meter.uncertainty})"
    )


def assumed_energy(watts: float, inference_s: float) -> InferenceEnergy:
    """An estimate where there is no sensor: a stated power for as long as an inference takes.

    Args:
        watts: such as the processor's thermal design power, by the word of whoever asked.
        inference_s: mean time of one inference.
    """
    return InferenceEnergy(
        gross_j=watts * inference_s,
        reason="net is not known of an assumed power",
        meter=f"an assumed power of {watts:g} W, not measured",
        uncertainty="an estimate by the power that was stated, whatever the machine really takes",
        is_estimate=True,
    )
