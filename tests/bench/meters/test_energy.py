"""Energy from a counter that the tests turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcrnet_bench.meters.energy import energy_of
from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.rapl import RaplMeter

RANGE_UJ = 5_000_000


class FakePackage:
    """A processor of ``idle_w`` whose work costs ``run_j`` in ``run_s``."""

    def __init__(self, folder: Path, idle_w: float, run_j: float, run_s: float) -> None:
        self.folder, self.idle_w, self.run_j, self.run_s = folder, idle_w, run_j, run_s
        self.now_s = 0.0
        self.used_j = 4.5
        (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
        self.sleep(0)

    def sleep(self, span_s: float) -> None:
        self.now_s += span_s
        self.used_j += self.idle_w * span_s
        (self.folder / "energy_uj").write_text(f"{round(self.used_j * 1e6) % RANGE_UJ}\n")

    def run(self) -> None:
        self.used_j += self.run_j
        self.sleep(self.run_s)

    def clock(self) -> float:
        return self.now_s


def test_idle_power_is_subtracted_and_the_counter_may_wrap(tmp_path: Path) -> None:
    package = FakePackage(tmp_path, idle_w=1.5, run_j=0.25, run_s=0.125)
    energy = energy_of(package.run, RaplMeter.open(tmp_path), package.clock, package.sleep)
    assert energy.net_j == pytest.approx(0.25, abs=1e-4)
    assert energy.gross_j == pytest.approx(0.25 + 1.5 * 0.125, abs=1e-4)
    assert energy.idle_w == pytest.approx(1.5, abs=1e-4)
    assert energy.inferences == 8


def test_what_drowns_in_the_idle_power_is_not_told(tmp_path: Path) -> None:
    package = FakePackage(tmp_path, idle_w=1.5, run_j=-0.01, run_s=0.125)
    meter = RaplMeter.open(tmp_path)
    energy = energy_of(package.run, meter, package.clock, package.sleep)
    assert energy.net_j is None
    assert energy.gross_j == pytest.approx(-0.01 + 1.5 * 0.125, abs=1e-4)
    assert "drowned in the idle power" in energy.reason


def test_machine_without_counter_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoMeterError, match="no RAPL energy counter"):
        RaplMeter.open(tmp_path / "none")


def test_counter_that_this_user_may_not_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(NoMeterError, match="energy_uj is readable by root only"):
        RaplMeter.open(tmp_path)


def test_rail_has_the_kernels_name(tmp_path: Path) -> None:
    FakePackage(tmp_path, idle_w=1.5, run_j=0.25, run_s=0.125)
    (tmp_path / "name").write_text("package-0\n")
    assert RaplMeter.open(tmp_path).rails == ("package-0",)
