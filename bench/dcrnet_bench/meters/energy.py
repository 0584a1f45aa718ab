"""Energy of an inference: what the rails take meanwhile, and what it adds to an idle machine's.

The power of the idle machine is measured first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dcrnet_bench.host.device import Device
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.meters.meter import EnergyMeter, NoMeterError
from dcrnet_bench.meters.registry import open_meter

_SPAN_S = 1.0
_DROWNED = "energy of an inference drowned in the idle power: measure a quiet machine"


def energy_of(
    run: Callable[[], object],
    meter: EnergyMeter,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> InferenceEnergy:
    """What one ``run`` takes, and what it adds to the idle machine's."""
    started_s = clock()
    meter.start()
    sleep(_SPAN_S)
    idle_w = meter.stop() / (clock() - started_s)
    count = 0
    started_s = clock()
    meter.start()
    while clock() - started_s < _SPAN_S:
        run()
        count += 1
    taken_j = meter.stop()
    net_j = (taken_j - idle_w * (clock() - started_s)) / count
    return InferenceEnergy(
        gross_j=taken_j / count,
        net_j=net_j if net_j > 0 else None,
        reason="" if net_j > 0 else _DROWNED,
        meter=meter.name,
        rails=meter.rails,
        idle_w=idle_w,
        inferences=count,
    )


def energies_of(
    runs: Sequence[Callable[[], object]], device: Device
) -> tuple[list[InferenceEnergy], str]:
    """What one of each of ``runs`` takes on ``device``, and what is to be said of them."""
    try:
        meter = open_meter(device)
    except NoMeterError as error:
        reason = f"energy is not measured: {error}"
        return [InferenceEnergy(reason=reason)] * len(runs), reason
    energies = [energy_of(run, meter) for run in runs]
    if any(energy.net_j is None for energy in energies):
        return energies, _DROWNED
    return energies, (
        f"energy is {meter.name}'s of {', '.join(meter.rails)}, the idle machine's subtracted"
        f" ({meter.uncertainty})"
    )
