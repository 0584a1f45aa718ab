"""What models and the pipeline around them cost: time, memory, arithmetic, energy.

>>> from dcrnet_bench import Device, Plan, open_target
>>> plan = Plan([path], threads=1, runs=50)
>>> report = open_target(Device.CPU).measure(plan, warn=lambda text: None)
>>> print(f"a face in {report.models[0].latency_ms.p90:.2f} ms")
a face in ... ms
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcrnet_bench.host.device import Device
    from dcrnet_bench.meters.meter import EnergyMeter
    from dcrnet_bench.meters.registry import open_meter
    from dcrnet_bench.report.report import Report
    from dcrnet_bench.targets.registry import open_target
    from dcrnet_bench.targets.target import Plan, Target

__all__ = ["Device", "EnergyMeter", "Plan", "Report", "Target", "open_meter", "open_target"]

_HOMES = {
    "Device": "host.device",
    "EnergyMeter": "meters.meter",
    "Plan": "targets.target",
    "Report": "report.report",
    "Target": "targets.target",
    "open_meter": "meters.registry",
    "open_target": "targets.registry",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that the command's --help does not wait for OpenCV.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
