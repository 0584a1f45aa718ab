"""Where a machine's power comes from.

Files and words: https://docs.kernel.org/power/power_supply_class.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.host.emulator import ROOT, read_text


@dataclass(frozen=True, slots=True)
class PowerState:
    """At one moment.

    Attributes:
        source: ``mains``, ``battery``, or empty where it cannot be told; a machine that knows of
            no battery and no charger tells nothing.
        is_charging: whether a battery is being charged; None where none is known.
        battery_percent: 0 to 100; None where none is known.
    """

    source: str
    is_charging: bool | None
    battery_percent: int | None


def read_power(root: Path = ROOT) -> PowerState:
    """Of this machine, or of one whose ``sys`` lies in ``root``."""
    supplies = sorted((root / "sys/class/power_supply").glob("*"))
    kinds = {each: read_text(each / "type") for each in supplies}
    # A mouse's battery powers its device alone.
    batteries = [
        each
        for each, kind in kinds.items()
        if kind == "Battery" and read_text(each / "scope") != "Device"
    ]
    chargers = [each for each, kind in kinds.items() if kind not in ("Battery", "")]
    statuses = [read_text(each / "status") for each in batteries]
    is_plugged = any(read_text(each / "online") not in ("", "0") for each in chargers)
    source = ""
    if is_plugged or any(status in ("Charging", "Full", "Not charging") for status in statuses):
        source = "mains"
    elif "Discharging" in statuses:
        source = "battery"
    percents = [text for each in batteries if (text := read_text(each / "capacity")).isdigit()]
    return PowerState(
        source=source,
        is_charging="Charging" in statuses if batteries else None,
        battery_percent=int(percents[0]) if percents else None,
    )
