"""The first card that CUDA shows this process, asked of the driver itself.

The driver's functions: https://docs.nvidia.com/cuda/cuda-driver-api/. Asking it needs neither a
toolkit nor torch, heeds ``CUDA_VISIBLE_DEVICES``, and so names the card that the others will use.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LIBRARY = "libcuda.so.1"
_TEXT_BYTES = 96
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


class NoCardError(Exception):
    """CUDA shows no card; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU.

    Attributes:
        name: its maker's.
        bus_id: on the PCI bus, such as ``0000:0b:00.0``.
        capability: of computing, such as ``9.0``.
        memory_gb: in 10^9 bytes.
        cuda: the newest version that the driver runs, such as ``13.0``.
    """

    name: str
    bus_id: str
    capability: str
    memory_gb: float
    cuda: str


def find_card(load: Callable[[str], Any] = ctypes.CDLL) -> Card:
    """The card that CUDA numbers 0.

    Args:
        load: loads a shared library.

    Raises:
        NoCardError: no driver, or it shows no card.
    """
    try:
        driver = load(_LIBRARY)
    except OSError as error:
        raise NoCardError(
            f"no NVIDIA driver is loaded ({_LIBRARY} is missing): install the card's driver, until"
            " nvidia-smi shows the card"
        ) from error
    count, device = ctypes.c_int(), ctypes.c_int()
    codes = (driver.cuInit(0), driver.cuDeviceGetCount(ctypes.byref(count)))
    if any(codes) or not count.value:
        raise NoCardError(_none_shown(next((code for code in codes if code), 0)))
    driver.cuDeviceGet(ctypes.byref(device), 0)
    version, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    memory = ctypes.c_size_t()
    driver.cuDriverGetVersion(ctypes.byref(version))
    driver.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, device)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, device)
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    return Card(
        name=_text(driver.cuDeviceGetName, device),
        bus_id=_text(driver.cuDeviceGetPCIBusId, device),
        capability=f"{major.value}.{minor.value}",
        memory_gb=round(memory.value / 1e9, 1),
        cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
    )


def _text(ask: Callable[..., int], device: ctypes.c_int) -> str:
    buffer = ctypes.create_string_buffer(_TEXT_BYTES)
    ask(buffer, _TEXT_BYTES, device)
    return buffer.value.decode(errors="replace")


def _none_shown(code: int) -> str:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    why = f"CUDA's error {code}" if code else "it counts 0"
    remedy = "nvidia-smi tells what it sees"
    if hidden is not None:
        remedy = f"CUDA_VISIBLE_DEVICES is {hidden!r}; {remedy}"
    return f"the NVIDIA driver shows no card ({why}): {remedy}"
