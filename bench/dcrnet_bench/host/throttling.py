"""What holds a processor's clock down.

Sources of the files: https://docs.kernel.org/driver-api/thermal/sysfs-api.html (cooling devices),
https://docs.kernel.org/admin-guide/pm/cpufreq.html (limits), Intel 64 and IA-32 Architectures
Software Developer's Manual, volume 3B, on thermal monitoring (counters), and the Raspberry Pi
documentation's ``vcgencmd get_throttled``, whose bits the firmware's driver shows as a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.host.emulator import ROOT, read_text

_PI_BITS = {
    0: "undervoltage",
    1: "the firmware's cap of the clock",
    2: "the firmware throttles",
    3: "the firmware's soft limit of temperature",
}
_COOLERS_OF_CLOCK = ("thermal-cpufreq", "cpufreq", "Processor", "cpu")


@dataclass(frozen=True, slots=True)
class Throttling:
    """At one moment.

    Attributes:
        reasons: what holds the clock down now; empty where nothing does, or nothing tells.
        events: how often the processor has throttled since it started; None where it is not
            counted. One that grew during a run throttled in it.
        is_told: whether the machine shows any of it.
    """

    reasons: tuple[str, ...]
    events: int | None
    is_told: bool


def read_throttling(root: Path = ROOT) -> Throttling:
    """Of this machine, or of one whose ``sys`` lies in ``root``."""
    counters = [
        int(text)
        for path in (root / "sys/devices/system/cpu").glob("cpu*/thermal_throttle/*_count")
        if (text := read_text(path)).isdigit()
    ]
    coolers = list(_coolers(root))
    limits = list(_limits(root))
    firmware = read_text(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    reasons = [f"{name} at step {step}" for name, step in coolers if step > 0]
    reasons += [
        f"cores from {core} capped at {limit_khz / 1000:.0f} of {most_khz / 1000:.0f} MHz"
        for core, limit_khz, most_khz in limits
        if limit_khz < most_khz
    ]
    reasons += _pi_reasons(firmware)
    return Throttling(
        reasons=tuple(reasons),
        events=sum(counters) if counters else None,
        is_told=bool(counters or coolers or limits or firmware),
    )


def _coolers(root: Path) -> Iterator[tuple[str, int]]:
    for device in sorted((root / "sys/class/thermal").glob("cooling_device*")):
        name, step = read_text(device / "type"), read_text(device / "cur_state")
        if name.startswith(_COOLERS_OF_CLOCK) and step.isdigit():
            yield name, int(step)


def _limits(root: Path) -> Iterator[tuple[str, int, int]]:
    for policy in sorted((root / "sys/devices/system/cpu/cpufreq").glob("policy*")):
        limit, most = (read_text(policy / f"{name}_max_freq") for name in ("scaling", "cpuinfo"))
        if limit.isdigit() and most.isdigit():
            yield policy.name.removeprefix("policy"), int(limit), int(most)


def _pi_reasons(firmware: str) -> list[str]:
    try:
        bits = int(firmware, 16)
    except ValueError:
        return []
    return [text for bit, text in _PI_BITS.items() if bits >> bit & 1]
