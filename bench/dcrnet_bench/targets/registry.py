"""The kinds of target there are."""

from __future__ import annotations

from dcrnet_bench.host.device import Device
from dcrnet_bench.targets.local import LocalTarget
from dcrnet_bench.targets.target import Target, TargetKind
from dcrnet_runtime.errors import DcrnetError

TARGETS: dict[str, TargetKind] = {
    "local": TargetKind(frozenset({Device.CPU, Device.ARM}), LocalTarget.open),
}
"""By name; the first that measures a device is taken."""


def open_target(device: Device) -> Target:
    """Where ``device`` is measured.

    Raises:
        DcrnetError: it cannot be measured here; says what to do instead.
    """
    for kind in TARGETS.values():
        if device in kind.devices:
            return kind.open(device)
    raise DcrnetError(
        f"`device` {device} is not built yet: this version runs and measures models on the CPU"
        " only, with onnxruntime-gpu installed or not; use `device` cpu"
    )
