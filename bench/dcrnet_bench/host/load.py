"""What else runs on this machine, and the memory that this process held."""

from __future__ import annotations

import sys

import psutil

BUSY_LOAD_PER_CORE = 0.5
"""Above this 1-minute load average per core others take a noticeable share of the processor."""


def load_average() -> float:
    """Programs that wanted to run, mean of the last minute."""
    return round(float(psutil.getloadavg()[0]), 2)


def busy_warning(load: float, cores: int) -> str | None:
    """One line where ``load`` makes the figures doubtful."""
    if load <= BUSY_LOAD_PER_CORE * cores:
        return None
    return (
        f"load average {load:.2f} on {cores} core(s) before the run: figures are of a busy"
        " machine; end what else runs and measure again"
    )


def peak_rss_mb() -> float:
    """The most memory that this process ever held, in 10^6 bytes."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource  # psutil tells no peak outside Windows

    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 1e6
