"""Reads the state of this machine."""

from __future__ import annotations

import psutil

from dcrnet_bench.host.facts import affinity
from dcrnet_bench.host.load import load_average
from dcrnet_bench.host.power import read_power
from dcrnet_bench.host.preflight import HostState
from dcrnet_bench.host.throttling import read_throttling


def read_state() -> HostState:
    """Now."""
    return HostState(
        load=load_average(),
        mhz=read_mhz(),
        temperatures_c=read_temperatures_c(),
        throttling=read_throttling(),
        power=read_power(),
    )


def read_mhz() -> tuple[float, ...]:
    """The clock of each core that this process may use; empty where it cannot be read."""
    try:
        clocks = psutil.cpu_freq(percpu=True) or []
    except (AttributeError, NotImplementedError, OSError, ValueError):
        return ()
    cores = [core for core in affinity() if core < len(clocks)]
    return tuple(round(clocks[core].current, 1) for core in cores if clocks[core].current)


def read_temperatures_c() -> dict[str, float]:
    """By sensor; empty where none can be read."""
    try:
        sensors = psutil.sensors_temperatures()
    except (AttributeError, NotImplementedError, OSError, ValueError):
        return {}
    return {
        " ".join(filter(None, (chip, each.label or (str(i) if i else "")))): each.current
        for chip, readings in sensors.items()
        for i, each in enumerate(readings)
    }
