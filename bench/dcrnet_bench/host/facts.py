"""The machine that a figure is of, without which it says nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from dcrnet_bench.host.emulator import find_emulator, read_text

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_BOARD = Path("/proc/device-tree/model")
_CPUINFO = Path("/proc/cpuinfo")
_PACKAGES = ("onnxruntime", "ai-edge-litert", "tflite-runtime", "opencv-python-headless", "numpy")


@dataclass(frozen=True, slots=True)
class Host:
    """Facts that do not change during a run.

    Attributes:
        cpu: model name, or the board's where the processor has none.
        machine: architecture, as ``platform.machine()`` has it.
        cores: logical ones.
        governor: the clock's policy; empty where it cannot be read.
        ram_gb: in 10^9 bytes.
        system: operating system and its release.
        python: version.
        packages: versions of those that compute, by name; only installed ones.
        emulator: what plays this processor; empty where it is real.
    """

    cpu: str
    machine: str
    cores: int
    governor: str
    ram_gb: float
    system: str
    python: str
    packages: dict[str, str]
    emulator: str


def read_host() -> Host:
    """The facts of this machine."""
    return Host(
        cpu=cpu_name(read_text(_CPUINFO), read_text(_BOARD)),
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        governor=read_text(_GOVERNOR),
        ram_gb=round(psutil.virtual_memory().total / 1e9, 2),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages=_versions(),
        emulator=find_emulator(),
    )


def cpu_name(cpuinfo: str, board: str) -> str:
    """The processor's model name out of ``/proc/cpuinfo``, else the board's name."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "model name":
            return value.strip()
    return board or platform.processor() or "unknown"


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
