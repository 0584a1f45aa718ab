"""Which processor the figures are to be of."""

from __future__ import annotations

from enum import StrEnum


class Device(StrEnum):
    """A processor; ``arm`` is the CPU of an ARM board and nothing else, ``phone`` what runs its
    browser."""

    CPU = "cpu"
    GPU = "gpu"
    ARM = "arm"
    PHONE = "phone"
