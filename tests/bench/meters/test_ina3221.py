"""Jetson's rails, on trees as https://docs.kernel.org/hwmon/ina3221.html shows them.

Rails' names and shunts are those of NVIDIA's device trees (tegra234-p3767.dtsi for Orin NX and
Nano; Jetson Linux Developer Guide for AGX Orin). No test has run on a board.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.ina3221 import open_ina3221

MILLIVOLTS = 5000


def write_chip(hwmon: Path, index: int, rails: dict[str, int], name: str = "ina3221") -> Path:
    """A chip whose channels have these labels and mA."""
    chip = hwmon / f"hwmon{index}"
    chip.mkdir(parents=True)
    (chip / "name").write_text(f"{name}\n")
    for channel, (label, milliamperes) in enumerate(rails.items(), 1):
        for file, value in (
            (f"in{channel}_label", label),
            (f"in{channel}_enable", 1),
            (f"in{channel}_input", MILLIVOLTS),
            (f"curr{channel}_input", milliamperes),
            (f"shunt{channel}_resistor", 5000),
        ):
            (chip / file).write_text(f"{value}\n")
    (chip / "in7_label").write_text("sum of shunt voltages\n")
    return chip


def mean_power(hwmon: Path) -> float:
    meter = open_ina3221(hwmon)
    return meter.read_w()


def test_the_modules_input_is_taken_alone_where_there_is_one(tmp_path: Path) -> None:
    write_chip(tmp_path, 0, {"a fan": 0}, name="pwmfan")
    write_chip(tmp_path, 1, {"VDD_IN": 1200, "VDD_CPU_GPU_CV": 500, "VDD_SOC": 300})
    meter = open_ina3221(tmp_path)
    assert meter.rails == ("VDD_IN",)
    assert mean_power(tmp_path) == pytest.approx(6.0)
    # 40 uV over 5 mOhm are 8 mA, at 5 V 0.04 W.
    assert meter.uncertainty.startswith("the chip counts in steps of 0.040 W")


def test_rails_of_two_chips_are_summed_without_parts_of_others(tmp_path: Path) -> None:
    write_chip(tmp_path, 3, {"VDD_GPU_SOC": 1000, "VDD_CPU_CV": 600, "VIN_SYS_5V0": 800})
    write_chip(tmp_path, 4, {"NC": 0, "VDDQ_VDD2_1V8AO": 400})
    assert open_ina3221(tmp_path).rails == ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")
    assert mean_power(tmp_path) == pytest.approx(12.0)


def test_a_channel_that_is_off_is_left_out(tmp_path: Path) -> None:
    chip = write_chip(tmp_path, 0, {"VDD_GPU": 1000, "VDD_CPU": 600})
    (chip / "in1_enable").write_text("0\n")
    assert open_ina3221(tmp_path).rails == ("VDD_CPU",)


def test_energy_is_power_times_time(tmp_path: Path) -> None:
    write_chip(tmp_path, 0, {"VDD_IN": 2000})
    meter = open_ina3221(tmp_path)
    started_s = time.perf_counter()
    meter.start()
    time.sleep(0.2)
    energy_j = meter.stop()
    assert 10.0 * 0.2 <= energy_j <= 10.0 * (time.perf_counter() - started_s)


def test_a_machine_without_such_a_chip_says_so(tmp_path: Path) -> None:
    write_chip(tmp_path, 0, {"core": 1}, name="coretemp")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(NoMeterError, match="no INA3221 power monitor"):
            open_ina3221(folder)


def test_a_chip_that_is_lost_says_so(tmp_path: Path) -> None:
    chip = write_chip(tmp_path, 0, {"VDD_IN": 1200})
    meter = open_ina3221(tmp_path)
    (chip / "curr1_input").unlink()
    meter.start()
    with pytest.raises(NoMeterError, match="can no longer be read"):
        meter.stop()
