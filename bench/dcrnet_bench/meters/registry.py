"""The kinds of meter there are."""

from __future__ import annotations

from dcrnet_bench.host.device import Device
from dcrnet_bench.meters.meter import EnergyMeter, MeterKind, NoMeterError
from dcrnet_bench.meters.sensors.battery import open_battery
from dcrnet_bench.meters.sensors.ina3221 import open_ina3221
from dcrnet_bench.meters.sensors.nvml import open_nvml
from dcrnet_bench.meters.sensors.pi_pmic import open_pi_pmic
from dcrnet_bench.meters.sensors.rapl import RaplMeter

_CPUS = frozenset({Device.CPU, Device.ARM})

METERS: dict[str, MeterKind] = {
    "nvml": MeterKind(frozenset({Device.GPU}), open_nvml),
    "rapl": MeterKind(frozenset({Device.CPU}), RaplMeter.open),
    # A Jetson's rails hold its GPU as well, of which NVML tells no energy.
    "ina3221": MeterKind(_CPUS | {Device.GPU}, open_ina3221),
    "pi-pmic": MeterKind(_CPUS, open_pi_pmic),
    "battery": MeterKind(_CPUS, open_battery),
}
"""By name; the first that is at hand is taken."""


def open_meter(device: Device) -> EnergyMeter:
    """What tells the energy of ``device``.

    Raises:
        NoMeterError: nothing here does; has the reason of each kind.
    """
    reasons = []
    for kind in METERS.values():
        if device in kind.devices:
            try:
                return kind.open()
            except NoMeterError as error:
                reasons.append(str(error))
    raise NoMeterError("; ".join(reasons) or f"no meter of {device} is known")
