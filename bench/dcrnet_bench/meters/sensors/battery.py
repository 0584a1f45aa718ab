"""The battery of a phone, or of a laptop, by what flows out of it while it is unplugged.

Files and units: https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-power. Two things
differ between makers: the ABI has a discharging battery's current negative, and many phones give
it positive; the ABI has microamperes, and some phones give milliamperes. So the sign is ignored,
the state of the battery says which way it flows, and the unit is told by the size of the value.

Everything is read by commands, so that a phone can be read over ``adb`` as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.command import Command, run_here
from dcrnet_bench.meters.sensors.sampled import SampledMeter

FOLDER = "/sys/class/power_supply"
_DISCHARGING = "Discharging"
_LEAST_MICRO = 10_000.0
"""No running device draws less than 10 mA or more than 10 A, and none has less than 10 mV or
more than 10 kV."""

_RATE_HZ = 1.0
"""Fuel gauges have a new value about once a second, some less often."""


@dataclass(frozen=True, slots=True)
class _Battery:
    """A power supply of type Battery.

    Attributes:
        name: the kernel's.
        path: its folder.
        files: whose product is the power.
        command: reads them.
    """

    name: str
    path: str
    files: tuple[str, ...]
    command: Command

    def read(self) -> list[float]:
        """The values of :attr:`files`, in units of the driver."""
        status, *values = _lines(self.command, self.path, "status", *self.files)
        if status != _DISCHARGING:
            raise NoMeterError(
                f"battery {self.name} is not discharging but {status}: unplug the charger (a phone"
                " is then reached by adb tcpip 5555 and adb connect)"
            )
        try:
            return [abs(float(value)) for value in values]
        except ValueError as error:
            raise NoMeterError(f"battery {self.name} tells {' and '.join(values)}") from error


def open_battery(command: Command = run_here, folder: str = FOLDER) -> SampledMeter:
    """The first battery that feeds this machine.

    Args:
        command: runs ``ls`` and ``cat`` on the device.
        folder: where the kernel shows power supplies there.

    Raises:
        NoMeterError: there is none, it is being charged, or it tells no current.
    """
    battery = next(_batteries(command, folder), None)
    if battery is None:
        raise NoMeterError("no battery tells its power here")
    first = battery.read()
    if not all(first):
        raise NoMeterError(f"battery {battery.name} tells a current of 0: its driver has none")
    # Decided once, so that a small value later does not change its unit.
    scales = [1e-6 if value >= _LEAST_MICRO else 1e-3 for value in first]
    units = " and ".join(
        f"{name} in {'micro' if scale == 1e-6 else 'milli'}units"
        for name, scale in zip(battery.files, scales, strict=True)
    )

    def read_w() -> float:
        power = 1.0
        for value, scale in zip(battery.read(), scales, strict=True):
            power *= value * scale
        return power

    uncertainty = (
        f"{units} by the size of the value; a fuel gauge's value is new about once a second; its"
        " maker states no accuracy"
    )
    return SampledMeter("the battery", (battery.name,), uncertainty, read_w, _RATE_HZ)


def _batteries(command: Command, folder: str) -> Iterator[_Battery]:
    for name in command(("ls", folder)).split():
        path = f"{folder}/{name}"
        if _value(command, path, "type") != "Battery":
            continue
        # A mouse or a headset has scope Device.
        if _value(command, path, "scope") in ("", "System"):
            for files in (("power_now",), ("current_now", "voltage_now")):
                if all(_value(command, path, file) for file in files):
                    yield _Battery(name, path, files, command)
                    break


def _value(command: Command, path: str, file: str) -> str:
    """What a file says; empty where it cannot be read."""
    try:
        return command(("cat", f"{path}/{file}")).strip()
    except NoMeterError:
        return ""


def _lines(command: Command, path: str, *files: str) -> list[str]:
    lines = command(("cat", *(f"{path}/{file}" for file in files))).splitlines()
    if len(lines) != len(files):
        raise NoMeterError(f"{path} no longer tells {', '.join(files)}")
    return [line.strip() for line in lines]
