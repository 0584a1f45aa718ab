"""Energy of an inference: what it adds to the idle machine's.

The power of the idle machine is measured first and subtracted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dcrnet_bench.host.device import Device
from dcrnet_bench.meters.meter import EnergyMeter, NoMeterError
from dcrnet_bench.meters.registry import open_meter

_SPAN_S = 1.0


def energy_of(
    run: Callable[[], object],
    meter: EnergyMeter,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> float | None:
    """J that one ``run`` adds to the idle machine's; None where it drowns in the idle power."""
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
    added_j = meter.stop() - idle_w * (clock() - started_s)
    return added_j / count if added_j > 0 else None


def energies_of(
    runs: Sequence[Callable[[], object]], device: Device
) -> tuple[list[float | None], str]:
    """J that one of each of ``runs`` adds on ``device``, and what is to be said of them."""
    try:
        meter = open_meter(device)
    except NoMeterError as error:
        return [None] * len(runs), f"energy is not measured: {error}"
    joules = [energy_of(run, meter) for run in runs]
    if None in joules:
        return joules, "energy of an inference drowned in the idle power: measure a quiet machine"
    return joules, (
        f"energy is {meter.name}'s of {', '.join(meter.rails)}, the idle machine's subtracted"
        f" ({meter.uncertainty})"
    )
