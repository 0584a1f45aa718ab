"""Which processor the figures are to be of."""

from __future__ import annotations

import platform
from enum import StrEnum

from dcrnet_runtime.errors import DcrnetError

_ARM = ("aarch64", "arm")


class Device(StrEnum):
    """What ``--device`` takes; ``arm`` is the CPU of an ARM board and nothing else."""

    CPU = "cpu"
    GPU = "gpu"
    ARM = "arm"


def is_arm(machine: str) -> bool:
    """Whether ``platform.machine()`` names an ARM processor, 32 or 64 bits."""
    return machine.lower().startswith(_ARM)


def require(device: Device, emulator: str) -> None:
    """Refuse a device that cannot be measured here.

    Args:
        device: the wanted one.
        emulator: what emulates this processor, empty where nothing does.

    Raises:
        DcrnetError: naming this machine and what to do instead.
    """
    match device:
        case Device.CPU:
            return
        case Device.GPU:
            raise DcrnetError(
                "--device gpu is not built yet: this version runs and measures models on the CPU"
                " only, with onnxruntime-gpu installed or not; use --device cpu"
            )
        case Device.ARM:
            _require_arm(platform.machine(), emulator)


def _require_arm(machine: str, emulator: str) -> None:
    remedy = "pip install dcrnet-edge on the board and run the same command there"
    if not is_arm(machine):
        raise DcrnetError(f"--device arm: this machine is {machine}, not ARM: {remedy}")
    if emulator:
        raise DcrnetError(
            f"--device arm: this {machine} is emulated by {emulator}, whose times say nothing of"
            f" a board: {remedy}"
        )
