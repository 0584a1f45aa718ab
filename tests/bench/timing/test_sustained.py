"""A model under load, on a clock and sensors that the tests move."""

from __future__ import annotations

import pytest

from dcrnet_bench.cli.durations import seconds_of
from dcrnet_bench.timing.sustained import sustain
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.timing import Task

MS = 1_000_000


class HeatingMachine:
    """Its clock halves once it has run for 60 s."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.turns: list[int] = []

    def clock(self) -> int:
        return self.now_ns

    @property
    def is_hot(self) -> bool:
        return self.now_ns >= 60_000 * MS

    def task(self, index: int) -> Task:
        def run() -> None:
            self.turns.append(index)
            self.now_ns += (20 if self.is_hot else 10) * MS

        return run

    def mhz(self) -> list[float]:
        return [1200.0, 1000.0] if self.is_hot else [2400.0, 2000.0]

    def temperatures_c(self) -> dict[str, float]:
        return {"cpu": 85.0 if self.is_hot else 40.0, "board": 30.0}


def test_throttling_shows_in_time_clock_and_temperature() -> None:
    machine = HeatingMachine()
    inputs = [machine.task(0), machine.task(1)]
    run = sustain("m", inputs, 120, machine.clock, machine.mhz, machine.temperatures_c)
    assert (run.model, run.seconds, len(run.points)) == ("m", 120.0, 120)
    first, last = run.points[0], run.points[-1]
    assert (first.at_s, first.median_ms, first.n) == (1.0, 10.0, 100)
    assert (first.mhz, first.temperature_c) == (2200.0, 40.0)
    assert (last.at_s, last.p90_ms, last.n) == (120.0, 20.0, 50)
    assert (last.mhz, last.temperature_c) == (1100.0, 85.0)
    assert sum(point.n for point in run.points) == len(machine.turns)
    assert machine.turns[:4] == [0, 1, 0, 1]


def test_a_machine_without_sensors_tells_none() -> None:
    machine = HeatingMachine()
    run = sustain("m", [machine.task(0)], 0.5, machine.clock, lambda: (), dict)
    assert [(point.mhz, point.temperature_c, point.n) for point in run.points] == [
        (None, None, 50)
    ]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("0.5", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text, "sustained") == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "10 minutes", "m", "1e3", "25h", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(DcrnetError, match=r"`sustained` .* is no time: write 90s, 10m or 1h"):
        seconds_of(text, "sustained")
