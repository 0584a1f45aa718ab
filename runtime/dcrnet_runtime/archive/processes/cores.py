"""How many workers a machine has room for."""

from __future__ import annotations

import os
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError

WORKER_BYTES = 512 << 20
"""Memory that a worker is counted with: it holds some 200 MB, and for a moment up to 860 MB where
a photo is a PNG of 67 megapixels."""

MOST = 256

_AUTO = "auto"
_LEAST_ITEMS = 32  # below which a worker's start takes longer than it saves


def worker_count(asked: str, items: int) -> int:
    """How many workers are to answer so many items.

    Args:
        asked: a number, or ``auto`` for as many as there are cores for this process, and memory.
        items: how many there are.

    Raises:
        DcrnetError: it is neither.
    """
    if asked == _AUTO:
        return max(1, min(_cores(), _memory_bytes() // WORKER_BYTES, items // _LEAST_ITEMS))
    if not asked.isdecimal() or not 1 <= int(asked) <= MOST:
        raise DcrnetError(
            f"`workers` {asked} is no number of processes: give auto, or 1 to {MOST}"
        )
    return max(1, min(int(asked), items))


def _cores() -> int:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(allowed or 1, _quota()))


def _quota() -> int:
    """Cores that a container may use at a time; many where nothing is said."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):  # "max" among others
        return MOST


def _memory_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().available)
