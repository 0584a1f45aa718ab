"""Energy from a counter that the tests turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcrnet_bench.host.device import Device
from dcrnet_bench.meters.energy import (
    Wattmeter,
    assumed_energy,
    energies_by,
    energies_of,
)
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.rapl import RaplMeter

RANGE_UJ = 12_000_000


class FakePackage:
    """A processor of ``idle_w`` whose work costs ``run_j`` in ``run_s``."""

    def __init__(self, powercap: Path, idle_w: float, run_j: float, run_s: float) -> None:
        self.idle_w, self.run_j, self.run_s = idle_w, run_j, run_s
        self.counter = write_zone(powercap, "intel-rapl:0", "package-0") / "energy_uj"
        self.now_s = 0.0
        self.used_j = 4.5
        self.pass_time(0)

    def pass_time(self, span_s: float) -> None:
        self.now_s += span_s
        self.used_j += self.idle_w * span_s
        self.counter.write_text(f"{round(self.used_j * 1e6) % RANGE_UJ}\n")

    def run(self) -> None:
        self.used_j += self.run_j
        self.pass_time(self.run_s)

    def clock(self) -> float:
        return self.now_s


def write_zone(powercap: Path, folder: str, name: str, range_uj: int = RANGE_UJ) -> Path:
    """A zone as https://docs.kernel.org/power/powercap/powercap.html shows it."""
    zone = powercap / folder
    zone.mkdir(parents=True)
    for file, value in (("name", name), ("max_energy_range_uj", range_uj), ("energy_uj", 0)):
        (zone / file).write_text(f"{value}\n")
    return zone


def energy_of(package: FakePackage, powercap: Path) -> InferenceEnergy:
    wattmeter = Wattmeter(RaplMeter.open(powercap), package.clock, package.pass_time)
    [energy] = energies_by([package.run], wattmeter)
    return energy


def test_idle_power_is_subtracted_and_the_counter_may_wrap(tmp_path: Path) -> None:
    energy = energy_of(FakePackage(tmp_path, idle_w=1.5, run_j=0.25, run_s=0.125), tmp_path)
    assert energy.net_j == pytest.approx(0.25, abs=1e-4)
    assert energy.gross_j == pytest.approx(0.25 + 1.5 * 0.125, abs=1e-4)
    assert energy.idle_w == pytest.approx(1.5, abs=1e-4)
    assert energy.uncertainty_j == pytest.approx(0, abs=1e-4)
    assert (energy.inferences, energy.rails, energy.reason) == (16, ("package-0",), "")


def test_idle_power_that_drifts_is_averaged_and_told_as_uncertainty(tmp_path: Path) -> None:
    package = FakePackage(tmp_path, idle_w=1.0, run_j=0.0, run_s=0.125)

    def run() -> None:
        package.run_j = 0.25
        package.run()
        package.idle_w = 1.4  # from the first inference on

    wattmeter = Wattmeter(RaplMeter.open(tmp_path), package.clock, package.pass_time)
    [energy] = energies_by([run], wattmeter)
    assert (energy.idle_before_w, energy.idle_after_w) == pytest.approx((1.0, 1.4), abs=1e-4)
    assert energy.idle_w == pytest.approx(1.2, abs=1e-4)
    assert energy.uncertainty_j == pytest.approx(0.2 * 0.125, abs=1e-4)


def test_what_drowns_in_the_idle_power_is_not_told(tmp_path: Path) -> None:
    energy = energy_of(FakePackage(tmp_path, idle_w=1.5, run_j=-0.01, run_s=0.125), tmp_path)
    assert (energy.net_j, energy.uncertainty_j) == (None, None)
    assert energy.gross_j is not None
    assert "drowned in the idle power" in energy.reason


def test_what_is_less_than_the_drift_drowns(tmp_path: Path) -> None:
    package = FakePackage(tmp_path, idle_w=1.0, run_j=0.0, run_s=0.125)

    def run() -> None:
        package.run()
        package.idle_w = 2.0

    wattmeter = Wattmeter(RaplMeter.open(tmp_path), package.clock, package.pass_time)
    [energy] = energies_by([run], wattmeter)
    assert energy.net_j is None


class Clockwork:
    """1 J for each second that passes."""

    name = "clockwork"
    rails: tuple[str, ...] = ("spring",)
    uncertainty = "a tick"

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz

    def start(self) -> None:
        pass

    def stop(self) -> float:
        return 1.0


def test_a_span_has_room_for_many_of_a_slow_meters_values() -> None:
    assert Wattmeter(Clockwork(1000.0)).span_s == 2.0
    assert Wattmeter(Clockwork(1.0)).span_s == 20.0


def test_neighbours_share_the_idling_between_them() -> None:
    now_s = 0.0
    slept: list[float] = []

    def pass_time(span_s: float) -> None:
        nonlocal now_s
        now_s += span_s
        slept.append(span_s)

    def run() -> None:
        nonlocal now_s
        now_s += 0.5

    wattmeter = Wattmeter(Clockwork(1000.0), lambda: now_s, pass_time)
    assert len(energies_by([run, run], wattmeter)) == 2
    assert slept == [2.0, 2.0, 2.0]


class Lost(Clockwork):
    def stop(self) -> float:
        raise NoMeterError("the spring broke")


def test_a_meter_that_is_lost_on_the_way_gives_null_and_the_reason() -> None:
    energies, note = energies_of([int, int], Device.CPU, Lost(1e6))
    assert note == "energy is not measured: the spring broke"
    assert energies == [InferenceEnergy(reason=note)] * 2


def test_an_assumed_power_is_named_an_estimate() -> None:
    energy = assumed_energy(15, 0.02)
    assert energy.gross_j == pytest.approx(0.3)
    assert energy.net_j is None
    assert energy.is_estimate
    assert energy.meter == "an assumed power of 15 W, not measured"
