"""The power rails of NVIDIA's Jetson boards, by their INA3221 chips.

Files and units: https://docs.kernel.org/hwmon/ina3221.html; the rails of each board: NVIDIA
Jetson Linux Developer Guide, "Jetson Module Power Monitors"; the steps of the chip's converter:
Texas Instruments, INA3221 data sheet (SBOS576).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.sampled import SampledMeter

HWMON = Path("/sys/class/hwmon")
_CHANNELS = (1, 2, 3)
_UNUSED = "NC"
_WHOLE = ("VDD_IN", "POM_5V_IN")
"""Rails that feed the whole module, so that all others are parts of them."""

_PARTS = {"VDDQ_VDD2_1V8AO": "VIN_SYS_5V0"}
"""Rails that hang on another one that is measured."""

_SHUNT_STEP_UV = 40.0
_RATE_HZ = 10.0


@dataclass(frozen=True, slots=True)
class _Rail:
    """A channel of a chip."""

    name: str
    folder: Path
    channel: int

    def read_w(self) -> float:
        millivolts = int((self.folder / f"in{self.channel}_input").read_text())
        milliamperes = int((self.folder / f"curr{self.channel}_input").read_text())
        return millivolts * milliamperes * 1e-6

    def step_w(self) -> float:
        """What one step of the converter is worth at the present voltage."""
        microohms = int((self.folder / f"shunt{self.channel}_resistor").read_text())
        millivolts = int((self.folder / f"in{self.channel}_input").read_text())
        return _SHUNT_STEP_UV / microohms * millivolts * 1e-3


def open_ina3221(hwmon: Path = HWMON) -> SampledMeter:
    """The rail that feeds the whole module, else all rails that are not parts of others.

    Raises:
        NoMeterError: there is no such chip, or it cannot be read.
    """
    try:
        rails = _chosen({rail.name: rail for rail in _rails(hwmon)})
        step_w = sum(rail.step_w() for rail in rails)
    except (OSError, ValueError) as error:
        raise NoMeterError(f"the INA3221 chips cannot be read ({error})") from error
    if not rails:
        raise NoMeterError("this machine shows no INA3221 power monitor (Jetson)")

    def read_w() -> float:
        try:
            return sum(rail.read_w() for rail in rails)
        except (OSError, ValueError) as error:
            raise NoMeterError(f"the INA3221 chips can no longer be read ({error})") from error

    uncertainty = f"the chip counts in steps of {step_w:.3f} W"
    names = tuple(rail.name for rail in rails)
    return SampledMeter("INA3221", names, uncertainty, read_w, _RATE_HZ)


def _rails(hwmon: Path) -> Iterator[_Rail]:
    for folder in sorted(hwmon.glob("hwmon*")):
        if (folder / "name").read_text().strip() != "ina3221":
            continue
        for channel in _CHANNELS:
            label, enabled = folder / f"in{channel}_label", folder / f"in{channel}_enable"
            is_on = not enabled.exists() or enabled.read_text().strip() != "0"
            name = label.read_text().strip() if label.exists() else _UNUSED
            if is_on and name != _UNUSED:
                yield _Rail(name, folder, channel)


def _chosen(rails: dict[str, _Rail]) -> tuple[_Rail, ...]:
    for name in _WHOLE:
        if name in rails:
            return (rails[name],)
    return tuple(rail for name, rail in rails.items() if _PARTS.get(name) not in rails)
