"""The kinds of meter there are."""

from __future__ import annotations

from dcrnet_bench.host.device import Device
from dcrnet_bench.meters.meter import EnergyMeter, MeterKind, NoMeterError
from dcrnet_bench.meters.rapl import RaplMeter

METERS: dict[str, MeterKind] = {
    "rapl": MeterKind(frozenset({Device.CPU, Device.ARM}), RaplMeter.open),
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
