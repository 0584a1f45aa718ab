"""Which processor the figures are to be of."""

from __future__ import annotations

from enum import StrEnum


class Device(StrEnum):
    """A processor; ``arm`` is the CPU of an ARM board and nothing else."""

    CPU = "cpu"
    GPU = "gpu"
    ARM = "arm"
