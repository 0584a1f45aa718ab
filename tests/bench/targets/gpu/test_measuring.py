"""Rows of a network that computes nothing, on a card of paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_bench.meters.energy import Wattmeter
from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.targets.gpu.measuring import launch_gap, measure_group
from dcrnet_bench.timing.gpu.execution import Execution, GpuPrecision, GpuRow
from dcrnet_bench.timing.gpu.session import GpuNetwork, GpuSession, NoSessionError
from dcrnet_bench.timing.sampling import fixed_runs

ROWS = tuple(GpuRow("paper", each, GpuPrecision.FP32, 2) for each in Execution)
INPUTS = [np.full((2, 4, 4, 3), value, np.uint8) for value in (10, 200)]


def brightness(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    bright = crops.mean(axis=(1, 2, 3)) / 255
    rows: NDArray[np.float32] = np.stack([bright, 1 - bright], axis=1).astype(np.float32)
    return rows


class PaperSession:
    """Answers by brightness; one that is stale answers what was filled in first."""

    def __init__(self, *, is_stale: bool = False) -> None:
        self.is_stale, self.is_closed, self.runs = is_stale, False, 0
        self.rows: NDArray[np.float32] | None = None

    def fill(self, crops: NDArray[np.uint8]) -> None:
        if self.rows is None or not self.is_stale:
            self.rows = brightness(crops)

    def run(self) -> None:
        self.runs += 1

    def answers(self) -> NDArray[np.float32]:
        assert self.rows is not None
        return self.rows

    def close(self) -> None:
        self.is_closed = True


class PaperMeter:
    """10 W idle; each run counts 0.5 J on top."""

    name, uncertainty, rate_hz = "paper meter", "none", 1e6
    rails: tuple[str, ...] = ("paper",)

    def __init__(self, sessions: list[PaperSession]) -> None:
        self.sessions, self.now_s, self.started = sessions, 0.0, (0.0, 0)

    def _runs(self) -> int:
        return sum(session.runs for session in self.sessions)

    def start(self) -> None:
        self.started = self.now_s, self._runs()

    def stop(self) -> float:
        seconds, runs = self.started
        return 10.0 * (self.now_s - seconds) + 0.5 * (self._runs() - runs)

    def clock(self) -> float:
        self.now_s += 0.25
        return self.now_s

    def sleep(self, span_s: float) -> None:
        self.now_s += span_s


def network(sessions: dict[Execution, PaperSession]) -> GpuNetwork:
    def open_session(row: GpuRow) -> GpuSession:
        if row.execution not in sessions:
            raise NoSessionError("paper burns")
        return sessions[row.execution]

    return GpuNetwork("sketch", "paper", [GpuPrecision.FP32], [], open_session, brightness)


def test_both_executions_are_measured_in_the_same_rounds() -> None:
    sessions = {each: PaperSession() for each in Execution}
    measured = measure_group(network(sessions), ROWS, INPUTS, fixed_runs(10), "no meter")
    [rounds] = measured.rounds
    assert rounds.times_ns.shape == (10, 6)
    assert [row.row.execution for row in measured.rows] == [Execution.EAGER, Execution.GRAPH]
    for row in measured.rows:
        assert row.latency.n == 10
        assert row.with_copies.median >= row.latency.median
        assert row.energy.reason == "no meter"
        assert row.difference == 0
    assert measured.gap is not None
    assert all(session.is_closed for session in sessions.values())


def test_answers_that_do_not_follow_the_input_are_seen() -> None:
    sessions = {Execution.EAGER: PaperSession(), Execution.GRAPH: PaperSession(is_stale=True)}
    measured = measure_group(network(sessions), ROWS, INPUTS, fixed_runs(2), "no meter")
    assert [row.difference for row in measured.rows] == pytest.approx([0, 190 / 255], abs=1e-6)


def test_the_slow_reference_is_asked_about_each_face_once() -> None:
    asked: list[int] = []

    def reference(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        asked.append(len(crops))
        return brightness(crops)

    sessions = {each: PaperSession() for each in Execution}
    told = replace(network(sessions), reference=reference)
    faces = [np.full((4, 4, 3), value, np.uint8) for value in (10, 200)]
    inputs = [np.stack([faces[0], faces[1]]), np.stack([faces[1], faces[0]])]
    measured = measure_group(told, ROWS, inputs, fixed_runs(2), "no meter")
    assert asked == [1, 1]
    assert [row.difference for row in measured.rows] == [0, 0]


def test_an_execution_that_cannot_be_had_is_named_and_the_other_measured() -> None:
    eager = PaperSession()
    measured = measure_group(
        network({Execution.EAGER: eager}), ROWS, INPUTS, fixed_runs(2), "no meter"
    )
    assert [row.row.execution for row in measured.rows] == [Execution.EAGER]
    assert measured.gap is None
    assert measured.failures == (
        "sketch: paper, cuda graph, fp32, batch 2 cannot be run: paper burns",
    )


def test_without_any_execution_there_are_reasons_alone() -> None:
    measured = measure_group(network({}), ROWS, INPUTS, fixed_runs(2), "no meter")
    assert (measured.rows, len(measured.failures)) == ((), 2)


def test_energy_is_of_an_inference_with_idling_around_it() -> None:
    sessions = {each: PaperSession() for each in Execution}
    meter = PaperMeter(list(sessions.values()))
    wattmeter = Wattmeter(meter, meter.clock, meter.sleep)
    measured = measure_group(network(sessions), ROWS, INPUTS, fixed_runs(2), wattmeter)
    for row in measured.rows:
        assert row.energy.net_j is not None
        assert row.energy.gross_j is not None
        assert row.energy.gross_j > row.energy.net_j
        assert row.energy.net_j == pytest.approx(0.5, rel=0.5)
        assert row.energy.rails == ("paper",)


def test_a_meter_that_is_lost_leaves_the_times() -> None:
    class Lost(PaperMeter):
        def stop(self) -> float:
            raise NoMeterError("torn")

    sessions = {each: PaperSession() for each in Execution}
    meter = Lost(list(sessions.values()))
    wattmeter = Wattmeter(meter, meter.clock, meter.sleep)
    measured = measure_group(network(sessions), ROWS, INPUTS, fixed_runs(2), wattmeter)
    assert {row.energy.reason for row in measured.rows} == {"energy is not measured: torn"}


def test_the_gap_is_that_of_the_rounds_and_not_of_the_medians() -> None:
    eager = np.array([4, 8, 40]) * 1_000_000
    graph = np.array([1, 4, 10]) * 1_000_000
    times = np.stack([eager * 0, eager, graph], axis=1)
    columns = {Execution.EAGER: 1, Execution.GRAPH: 2}
    gap = launch_gap("sketch", ROWS[0], times, columns)
    assert gap is not None
    assert (gap.eager_ms, gap.graph_ms) == (8, 4)
    assert (gap.gap_ms, gap.ratio) == (4, 4)
    assert launch_gap("sketch", ROWS[0], times, {Execution.EAGER: 1}) is None
