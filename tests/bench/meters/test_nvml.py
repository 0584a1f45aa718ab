"""NVML against a fake of the functions that are used, with the real module's exceptions.

Their units are those of NVML's API reference. No test has run on a card.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from dcrnet_bench.host.gpu.cuda import NoCardError
from dcrnet_bench.host.gpu.nvml import CardState, open_card, read_card_state
from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.nvml import NvmlCounter, open_nvml
from dcrnet_bench.meters.sensors.sampled import SampledMeter

BUS_ID = "0000:0b:00.0"


class FakeNvml:
    """One card on a bus, that has a counter, or tells its power, or neither."""

    class NVMLError(Exception):
        pass

    def __init__(self, energy_mj: int | None = None, power_mw: int | None = None) -> None:
        self.energy_mj, self.power_mw, self.asked = energy_mj, power_mw, b""

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlDeviceGetHandleByPciBusId(self, bus_id: bytes) -> str:  # noqa: N802
        self.asked = bus_id
        return "handle"

    def nvmlDeviceGetName(self, handle: str) -> str:  # noqa: N802
        return "NVIDIA H100"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        return self._told(self.energy_mj)

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:  # noqa: N802
        return self._told(self.power_mw)

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802
        return b"575.1"

    def nvmlDeviceGetClockInfo(self, handle: str, kind: int) -> int:  # noqa: N802
        return {1: 1980}[kind]

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:  # noqa: N802
        return {0: 41}[sensor]

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: str) -> int:  # noqa: N802
        return self._told(self.power_mw) * 700_000

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: str) -> int:  # noqa: N802
        return 0x1 | 0x4 | 0x8

    def _told(self, value: int | None) -> int:
        if value is None:
            raise self.NVMLError("Not Supported")
        return value


def test_the_counter_is_in_millijoules_of_the_card_that_cuda_uses() -> None:
    nvml = FakeNvml(energy_mj=5_000)
    meter = open_nvml(open_card(nvml, BUS_ID))
    assert isinstance(meter, NvmlCounter)
    assert nvml.asked == BUS_ID.encode()
    assert meter.rails == ("NVIDIA H100",)
    meter.start()
    nvml.energy_mj = 7_500
    assert meter.stop() == pytest.approx(2.5)


def test_without_a_counter_power_is_sampled_in_milliwatts() -> None:
    meter = open_nvml(open_card(FakeNvml(power_mw=68_500), BUS_ID))
    assert isinstance(meter, SampledMeter)
    assert meter.read_w() == pytest.approx(68.5)
    assert "mean of the second before" in meter.uncertainty


def test_a_card_that_tells_neither_says_so() -> None:
    with pytest.raises(NoMeterError, match=r"neither energy nor power \(Not Supported\)"):
        open_nvml(open_card(FakeNvml(), BUS_ID))


def test_a_card_that_is_lost_ends_the_span() -> None:
    nvml = FakeNvml(energy_mj=5_000)
    meter = open_nvml(open_card(nvml, BUS_ID))
    nvml.energy_mj = None
    with pytest.raises(NoMeterError, match="no energy counter"):
        meter.stop()


def test_without_a_card_the_drivers_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise NoCardError("no NVIDIA driver is loaded")

    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(energy_mj=1))
    monkeypatch.setattr("dcrnet_bench.host.gpu.nvml.find_card", refuse)
    with pytest.raises(NoMeterError, match="no NVIDIA driver is loaded"):
        open_nvml()


def test_the_real_modules_errors_are_understood() -> None:
    pynvml = pytest.importorskip("pynvml", reason="needs the gpu extra")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        with pytest.raises(NoCardError, match="NVML does not tell of the card"):
            open_card(pynvml, BUS_ID)


def test_the_state_of_the_card_names_what_slows_it_down() -> None:
    state = read_card_state(open_card(FakeNvml(power_mw=1), BUS_ID))
    assert state == CardState("575.1", 1980.0, 41.0, 700.0, ("power limit", "hardware slowdown"))
    assert read_card_state(open_card(FakeNvml(), BUS_ID)) is None


def test_a_missing_module_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(NoMeterError, match=r"pip install .*\[gpu\]"):
        open_nvml()
