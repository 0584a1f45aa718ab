"""RAPL's counters, on trees as https://docs.kernel.org/power/powercap/powercap.html shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.rapl import RaplMeter


def write_zone(powercap: Path, folder: str, name: str, range_uj: int = 262_143_328_850) -> Path:
    zone = powercap / folder
    zone.mkdir(parents=True)
    for file, value in (("name", name), ("max_energy_range_uj", range_uj), ("energy_uj", 1000)):
        (zone / file).write_text(f"{value}\n")
    return zone / "energy_uj"


def test_packages_and_their_memory_are_summed_and_parts_left_out(tmp_path: Path) -> None:
    packages = [write_zone(tmp_path, f"intel-rapl:{i}", f"package-{i}") for i in (0, 1)]
    memory = write_zone(tmp_path, "intel-rapl:0:2", "dram")
    cores = write_zone(tmp_path, "intel-rapl:0:0", "core")
    psys = write_zone(tmp_path, "intel-rapl:2", "psys")
    meter = RaplMeter.open(tmp_path)
    assert sorted(meter.rails) == ["dram", "package-0", "package-1"]
    meter.start()
    for counter, uj in zip((*packages, memory), (2_000_000, 300_000, 50_000), strict=True):
        counter.write_text(f"{1000 + uj}\n")
    for counter in (cores, psys):
        counter.write_text("999999999\n")
    assert meter.stop() == pytest.approx(2.35)


def test_each_counter_goes_round_at_its_own_range(tmp_path: Path) -> None:
    first = write_zone(tmp_path, "intel-rapl:0", "package-0", range_uj=10_000_000)
    second = write_zone(tmp_path, "intel-rapl:1", "package-1", range_uj=7_000_000)
    meter = RaplMeter.open(tmp_path)
    first.write_text("9500000\n")
    second.write_text("6000000\n")
    meter.start()
    first.write_text("500000\n")
    second.write_text("1000000\n")
    assert meter.stop() == pytest.approx(1.0 + 2.0)


def test_machine_without_counter_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoMeterError, match="no RAPL energy counter"):
        RaplMeter.open(tmp_path / "none")
    write_zone(tmp_path, "intel-rapl:0", "psys")
    with pytest.raises(NoMeterError, match="no RAPL energy counter"):
        RaplMeter.open(tmp_path)


def test_counter_that_this_user_may_not_read_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_zone(tmp_path, "intel-rapl:0", "package-0")

    def refuse(path: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(NoMeterError, match=r"readable by root only: sudo chmod a\+r"):
        RaplMeter.open(tmp_path)
