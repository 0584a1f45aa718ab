"""A phone's battery, on trees after the kernel's Documentation/ABI/testing/sysfs-class-power.

No test has run on a phone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.battery import open_battery
from dcrnet_bench.meters.sensors.command import run_behind, run_here


def write_supply(folder: Path, name: str, **files: object) -> Path:
    supply = folder / name
    supply.mkdir(parents=True)
    for file, value in files.items():
        (supply / file).write_text(f"{value}\n")
    return supply


def write_battery(folder: Path, **files: object) -> Path:
    values = {"type": "Battery", "status": "Discharging", "voltage_now": 4_000_000}
    return write_supply(folder, "battery", **{**values, **files})


def power_w(folder: Path) -> float:
    return open_battery(run_here, str(folder)).read_w()


@pytest.mark.parametrize("current", [-500_000, 500_000])
def test_the_sign_of_the_current_is_the_makers_choice(tmp_path: Path, current: int) -> None:
    write_battery(tmp_path, current_now=current)
    assert power_w(tmp_path) == pytest.approx(2.0)


def test_milliamperes_and_millivolts_are_told_by_their_size(tmp_path: Path) -> None:
    write_battery(tmp_path, current_now=-500, voltage_now=4000)
    assert power_w(tmp_path) == pytest.approx(2.0)
    meter = open_battery(run_here, str(tmp_path))
    assert "current_now in milliunits and voltage_now in milliunits" in meter.uncertainty


def test_units_are_decided_once(tmp_path: Path) -> None:
    battery = write_battery(tmp_path, current_now=-20_000)
    meter = open_battery(run_here, str(tmp_path))
    (battery / "current_now").write_text("-9000\n")  # 9 mA, not 9 A
    assert meter.read_w() == pytest.approx(0.036)


def test_a_driver_that_tells_power_is_believed(tmp_path: Path) -> None:
    write_battery(tmp_path, power_now=7_250_000, current_now=1)
    assert power_w(tmp_path) == pytest.approx(7.25)


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging", "Unknown"])
def test_a_charger_is_refused_with_what_to_do(tmp_path: Path, status: str) -> None:
    write_battery(tmp_path, current_now=-500_000, status=status)
    with pytest.raises(NoMeterError, match=f"not discharging but {status}: unplug the charger"):
        open_battery(run_here, str(tmp_path))


def test_a_charger_that_is_plugged_in_on_the_way_ends_the_span(tmp_path: Path) -> None:
    battery = write_battery(tmp_path, current_now=-500_000)
    meter = open_battery(run_here, str(tmp_path))
    meter.start()
    (battery / "status").write_text("Charging\n")
    with pytest.raises(NoMeterError, match="not discharging but Charging"):
        meter.stop()


def test_chargers_and_a_mouse_are_no_battery_of_this_machine(tmp_path: Path) -> None:
    write_supply(tmp_path, "ac", type="Mains", online=0)
    write_supply(tmp_path, "usb", type="USB", online=0)
    write_supply(tmp_path, "aa_mouse", type="Battery", scope="Device", status="Discharging")
    with pytest.raises(NoMeterError, match="no battery tells its power here"):
        open_battery(run_here, str(tmp_path))
    write_battery(tmp_path, current_now=-250_000)
    assert open_battery(run_here, str(tmp_path)).rails == ("battery",)


def test_a_current_of_nothing_is_no_measurement(tmp_path: Path) -> None:
    write_battery(tmp_path, current_now=0)
    with pytest.raises(NoMeterError, match="tells a current of 0"):
        open_battery(run_here, str(tmp_path))


def test_a_value_that_is_no_number_is_told(tmp_path: Path) -> None:
    write_battery(tmp_path, current_now="busy")
    with pytest.raises(NoMeterError, match="tells busy and 4000000"):
        open_battery(run_here, str(tmp_path))


def test_it_is_read_through_another_shell(tmp_path: Path) -> None:
    """As through ``adb shell``, which takes the whole command as one word."""
    write_battery(tmp_path / "the phone's", current_now=-500_000)
    code = "import subprocess, sys; sys.exit(subprocess.run(['sh', '-c', sys.argv[1]]).returncode)"
    shell = run_behind(sys.executable, "-c", code)
    assert open_battery(shell, str(tmp_path / "the phone's")).read_w() == pytest.approx(2.0)


def test_a_machine_without_power_supplies_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoMeterError, match="ls failed: "):
        open_battery(run_here, str(tmp_path / "none"))
