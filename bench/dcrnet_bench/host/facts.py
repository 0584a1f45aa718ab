"""The machine that a figure is of, without which it says nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from dcrnet_bench.host.clusters import Cluster, read_clusters
from dcrnet_bench.host.emulator import ROOT, find_emulator, read_text

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_BOARD = Path("/proc/device-tree/model")
_CPUINFO = Path("/proc/cpuinfo")
_PACKAGES = ("onnxruntime", "ai-edge-litert", "tflite-runtime", "opencv-python-headless", "numpy")


@dataclass(frozen=True, slots=True)
class Host:
    """Facts that do not change during a run.

    Attributes:
        cpu: model name, or where the processor has none the board's, else its cores'.
        machine: architecture, as ``platform.machine()`` has it.
        cores: logical ones.
        governor: the clock's policy; empty where it cannot be read.
        ram_gb: in 10^9 bytes.
        system: operating system and its release.
        python: version.
        packages: versions of those that compute, by name; only installed ones.
        emulator: what plays this processor; empty where it is real.
        soc: system on a chip; empty where it does not tell its name.
        board: empty likewise.
        clusters: cores of one kind together; empty where they cannot be told.
        affinity: cores that this process may use.
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
    soc: str = ""
    board: str = ""
    clusters: tuple[Cluster, ...] = ()
    affinity: tuple[int, ...] = ()


def read_host() -> Host:
    """The facts of this machine."""
    board, clusters = read_text(_BOARD), read_clusters()
    return Host(
        cpu=cpu_name(read_text(_CPUINFO), board, clusters),
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        governor=read_text(_GOVERNOR),
        ram_gb=round(psutil.virtual_memory().total / 1e9, 2),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages=_versions(),
        emulator=find_emulator(),
        soc=soc_name(),
        board=board,
        clusters=clusters,
        affinity=affinity(),
    )


def affinity() -> tuple[int, ...]:
    """The cores that this process may use; all where the system tells none."""
    if not hasattr(os, "sched_getaffinity"):
        return tuple(range(os.cpu_count() or 1))
    return tuple(sorted(os.sched_getaffinity(0)))


def soc_name(root: Path = ROOT) -> str:
    """The system on a chip, by the kernel's SoC bus, else by the device tree.

    https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-devices-soc; a device tree's last
    ``compatible`` is its chip, as ``brcm,bcm2712``.
    """
    soc = root / "sys/devices/soc0"
    words = [read_text(soc / name) for name in ("family", "machine", "soc_id")]
    compatible = read_text(root / "proc/device-tree/compatible").split("\0")
    return " ".join(filter(None, words)) or compatible[-1]


def cpu_name(cpuinfo: str, board: str, clusters: Sequence[Cluster] = ()) -> str:
    """The processor's model name out of ``/proc/cpuinfo``, else the board's name, else its cores'.

    ARM's cpuinfo has no model name, and an emulator or a phone's shell shows no device tree.
    """
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "model name":
            return value.strip()
    cores = " + ".join(dict.fromkeys(each.core for each in clusters))
    return board or cores or platform.processor() or "unknown"


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
