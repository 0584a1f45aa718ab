"""A new energy meter is one file and one registration: a toy one, read by the command."""

from __future__ import annotations

import json

import pytest
from generated import FixedDetector, TinyModel, synthetic_face
from typer.testing import CliRunner

from dcrnet_bench import Device, EnergyMeter, open_meter
from dcrnet_bench.cli import bench as cli
from dcrnet_bench.meters.meter import MeterKind, NoMeterError
from dcrnet_bench.meters.registry import METERS


class WaterClock:
    """Sees a thousand times the energy in each second span, so that nothing drowns."""

    name = "a water clock"
    rails: tuple[str, ...] = ("bucket", "spout")
    uncertainty = "a drop"
    rate_hz = 1e6

    def __init__(self) -> None:
        self.spans = 0

    def start(self) -> None:
        self.spans += 1

    def stop(self) -> float:
        return 1000.0 if self.spans % 2 == 0 else 1.0


def broken() -> EnergyMeter:
    raise NoMeterError("the bucket leaks")


@pytest.fixture
def water_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one meter of CPUs, behind one that is not at hand."""
    for name in list(METERS):
        monkeypatch.delitem(METERS, name)
    monkeypatch.setitem(METERS, "leaking", MeterKind(frozenset({Device.CPU}), broken))
    monkeypatch.setitem(METERS, "water", MeterKind(frozenset({Device.CPU}), WaterClock))


def test_the_command_reads_a_meter_that_was_registered(
    water_clock: None, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_bench.meters.energy._SPAN_S", 0.05)
    detector = FixedDetector(synthetic_face())
    monkeypatch.setattr("dcrnet_bench.timing.pipeline.open_detector", lambda: detector)
    result = CliRunner().invoke(cli.app, ["--runs", "3", str(tiny_model())])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout.splitlines()[-1])
    energy = document["models"][0]["energy"]
    assert 0 < energy["net_j"] < energy["gross_j"] <= 1000
    assert (energy["meter"], energy["rails"]) == ("a water clock", ["bucket", "spout"])
    [note] = [note for note in document["notes"] if note.startswith("energy")]
    assert note == (
        "energy is a water clock's of bucket, spout, the idle machine's subtracted (a drop)"
    )


def test_the_first_meter_at_hand_is_taken(water_clock: None) -> None:
    assert isinstance(open_meter(Device.CPU), WaterClock)


def test_the_reason_of_each_meter_is_told(
    water_clock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METERS, "water", MeterKind(frozenset({Device.CPU}), broken))
    with pytest.raises(NoMeterError, match="the bucket leaks; the bucket leaks"):
        open_meter(Device.CPU)


def test_a_meter_is_read_for_its_own_devices_only(water_clock: None) -> None:
    with pytest.raises(NoMeterError, match="no meter of gpu is known"):
        open_meter(Device.GPU)
