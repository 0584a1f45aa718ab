"""The kinds of target there are."""

from __future__ import annotations

from dcrnet_bench.host.device import Device
from dcrnet_bench.targets.browser.target import BrowserTarget
from dcrnet_bench.targets.gpu.target import GpuTarget
from dcrnet_bench.targets.local import LocalTarget
from dcrnet_bench.targets.place import Emulated, OnBoard, Place
from dcrnet_bench.targets.target import Target, TargetKind
from dcrnet_runtime.errors import DcrnetError

TARGETS: dict[str, TargetKind] = {
    "local": TargetKind(frozenset({Device.CPU, Device.ARM}), LocalTarget.open),
    "gpu": TargetKind(frozenset({Device.GPU}), GpuTarget.open),
    "browser": TargetKind(frozenset({Device.PHONE}), BrowserTarget.open),
}
"""By name; of those that measure a device, the last one is taken."""


def open_target(device: Device, place: Place | None = None) -> Target:
    """Where ``device`` is measured.

    Args:
        device: the processor.
        place: a board or an emulated core; None for this machine.

    Raises:
        DcrnetError: it cannot be measured there; says what to do instead.
    """
    match place:
        case OnBoard():
            from dcrnet_bench.targets.board import BoardTarget

            return BoardTarget.open(device, place)
        case Emulated():
            from dcrnet_bench.targets.emulated import EmulatedTarget

            return EmulatedTarget.open(device, place)
    for kind in reversed(TARGETS.values()):
        if device in kind.devices:
            return kind.open(device)
    raise DcrnetError(f"`device` {device} is measured by no target: use `device` cpu")
