"""The rails of the Raspberry Pi 5's power management chip (PMIC), by ``vcgencmd``.

The command: https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd; the chip:
Raspberry Pi Ltd's white paper "Extra PMIC features on Raspberry Pi 4, Raspberry Pi 5, and Compute
Module 4". Of the 5 V input (``EXT5V``) it tells the voltage and no current, so what hangs on that
itself is not seen.
"""

from __future__ import annotations

import re

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.command import Command, run_here
from dcrnet_bench.meters.sensors.sampled import SampledMeter

_WORDS = ("vcgencmd", "pmic_read_adc")
_LINE = re.compile(r"^\s*(\w+)_([AV]) (?:current|volt)\(\d+\)=([0-9.]+)[AV]\s*$", re.MULTILINE)
_RATE_HZ = 10.0


def open_pi_pmic(command: Command = run_here) -> SampledMeter:
    """All rails of which the chip tells both voltage and current.

    Args:
        command: runs ``vcgencmd`` on the board.

    Raises:
        NoMeterError: the board has no such chip, or this user may not ask it.
    """
    rails = tuple(rail_watts(command(_WORDS)))
    if not rails:
        raise NoMeterError("vcgencmd tells no rail's power (that takes a Raspberry Pi 5)")

    def read_w() -> float:
        watts = rail_watts(command(_WORDS))
        if tuple(watts) != rails:
            raise NoMeterError("vcgencmd no longer tells the power of the same rails")
        return sum(watts.values())

    uncertainty = (
        "losses of the converters and what hangs on the 5 V input (USB, HAT, fan) are not seen;"
        " the chip measures rail after rail; its maker states no accuracy"
    )
    return SampledMeter("the PMIC", rails, uncertainty, read_w, _RATE_HZ)


def rail_watts(printed: str) -> dict[str, float]:
    """W of each rail, from what ``vcgencmd pmic_read_adc`` prints.

    Rails without a current (``EXT5V``, ``BATT``) are left out.

    Raises:
        NoMeterError: the firmware refuses.
    """
    if "error" in printed or "failed" in printed:
        raise NoMeterError(f"vcgencmd pmic_read_adc says: {' '.join(printed.split())}")
    values: dict[str, dict[str, float]] = {"A": {}, "V": {}}
    for rail, unit, value in _LINE.findall(printed):
        values[unit][rail] = float(value)
    amperes, volts = values["A"], values["V"]
    return {rail: amperes[rail] * volts[rail] for rail in amperes if rail in volts}
