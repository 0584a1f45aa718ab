"""Times, energy and answers of a network's rows on a GPU.

Rows that differ in their execution alone take turns in the same rounds, so that what separates
them is the host's part and not the card's clock of the minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.meters.energy import Wattmeter, energy_between
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.timing.clock import Rounds, interleave
from dcrnet_bench.timing.gpu.execution import Execution, GpuRow, LaunchGap
from dcrnet_bench.timing.gpu.session import GpuNetwork, GpuSession, NoSessionError
from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.sampling import SampleRule
from dcrnet_runtime.timing import NS_PER_MS, Task

_FILL, _RUN, _ANSWERS = range(3)
_PARTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class RowFigures:
    """What was measured of one row.

    Attributes:
        network: its name.
        row: how it was run.
        latency: of an inference of what lies on the card, until the card has finished.
        with_copies: likewise, with crops copied to the card before and answers back behind.
        energy: of an inference of all its faces.
        answers: (N, labels) to the first input.
        difference: the most by which a probability is off the CPU's.
    """

    network: str
    row: GpuRow
    latency: Latency
    with_copies: Latency
    energy: InferenceEnergy
    answers: NDArray[np.float32]
    difference: float


@dataclass(frozen=True, slots=True, eq=False)
class GroupFigures:
    """What was measured of rows that differ in their execution alone.

    Attributes:
        rows: of those that could be run.
        gap: between them; None where one could not be run.
        rounds: of each repeat.
        failures: why others could not, one line each.
    """

    rows: tuple[RowFigures, ...]
    gap: LaunchGap | None
    rounds: tuple[Rounds, ...]
    failures: tuple[str, ...]


def measure_group(
    network: GpuNetwork,
    rows: Sequence[GpuRow],
    inputs: Sequence[NDArray[np.uint8]],
    rule: SampleRule,
    wattmeter: Wattmeter | str,
) -> GroupFigures:
    """Open the rows' sessions, measure them in turns, and close them.

    Args:
        network: whose rows they are.
        rows: that differ in their execution alone.
        inputs: (N, S, S, 3) uint8 RGB each, N being the rows' batch; they take turns.
        rule: how much is measured.
        wattmeter: measures the card's energy; or why there is none.
    """
    opened, failures = _opened(network, rows)
    try:
        if not opened:
            return GroupFigures((), None, (), tuple(failures))
        expected = _expected(network.reference, inputs)
        checked = [_checked(session, inputs, expected) for _, session in opened]
        sessions = [session for _, session in opened]
        tasks = [_tasks(sessions, crops) for crops in inputs]
        rounds = tuple(interleave(tasks, rule) for _ in range(rule.repeats))
        energies = _energies(sessions, wattmeter)
    finally:
        for _, session in opened:
            session.close()
    times = [each.times_ns for each in rounds]
    figures = tuple(
        RowFigures(
            network.name,
            row,
            Latency.of(*(each[:, _PARTS * i + _RUN] for each in times)),
            Latency.of(*(each[:, _PARTS * i : _PARTS * (i + 1)].sum(axis=1) for each in times)),
            energies[i],
            *checked[i],
        )
        for i, (row, _) in enumerate(opened)
    )
    columns = {row.execution: _PARTS * i + _RUN for i, (row, _) in enumerate(opened)}
    gap = launch_gap(network.name, rows[0], np.concatenate(times), columns)
    return GroupFigures(figures, gap, rounds, tuple(failures))


def launch_gap(
    network: str, row: GpuRow, times_ns: NDArray[np.int64], columns: dict[Execution, int]
) -> LaunchGap | None:
    """What starting kernels one by one costs, from rounds in which both took a turn.

    Args:
        network: its name.
        row: either of the two.
        times_ns: (rounds, tasks).
        columns: where each execution's runs stand.
    """
    if columns.keys() != set(Execution):
        return None
    eager, graph = (times_ns[:, columns[each]] for each in (Execution.EAGER, Execution.GRAPH))
    return LaunchGap(
        model=network,
        engine=row.engine,
        precision=row.precision,
        batch=row.batch,
        eager_ms=round(float(np.median(eager)) / NS_PER_MS, 4),
        graph_ms=round(float(np.median(graph)) / NS_PER_MS, 4),
        gap_ms=round(float(np.median(eager - graph)) / NS_PER_MS, 4),
        ratio=round(float(np.median(eager / graph)), 4),
    )


def _opened(
    network: GpuNetwork, rows: Sequence[GpuRow]
) -> tuple[list[tuple[GpuRow, GpuSession]], list[str]]:
    opened: list[tuple[GpuRow, GpuSession]] = []
    failures = []
    for row in rows:
        try:
            opened.append((row, network.open(row)))
        except NoSessionError as error:
            failures.append(f"{network.name}: {row.name} cannot be run: {error}")
    return opened, failures


def _tasks(sessions: Sequence[GpuSession], crops: NDArray[np.uint8]) -> list[Task]:
    tasks: list[Task] = []
    for session in sessions:
        tasks += [partial(session.fill, crops), session.run, session.answers]
    return tasks


def _expected(
    reference: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    inputs: Sequence[NDArray[np.uint8]],
) -> list[NDArray[np.float32]]:
    """The reference's answers to all inputs; it is slow, and asked about each face once."""
    rows: dict[bytes, NDArray[np.float32]] = {}
    for crop in (crop for crops in inputs for crop in crops):
        key = crop.tobytes()
        if key not in rows:
            rows[key] = reference(crop[None])[0]
    return [np.stack([rows[crop.tobytes()] for crop in crops]) for crops in inputs]


def _checked(
    session: GpuSession,
    inputs: Sequence[NDArray[np.uint8]],
    expected: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], float]:
    """The answers to the first input, and how far those to all are off the expected ones."""
    found = []
    for crops in inputs:
        session.fill(crops)
        session.run()
        found.append(session.answers().copy())
    pairs = zip(found, expected, strict=True)
    return found[0], max(float(np.abs(rows - wanted).max()) for rows, wanted in pairs)


def _energies(sessions: Sequence[GpuSession], wattmeter: Wattmeter | str) -> list[InferenceEnergy]:
    if isinstance(wattmeter, str):
        return [InferenceEnergy(reason=wattmeter)] * len(sessions)
    found = []
    try:
        before = wattmeter.idle()
        for session in sessions:
            busy = wattmeter.repeat(session.run)
            after = wattmeter.idle()
            found.append(energy_between(before, busy, after, wattmeter.meter))
            before = after
    except NoMeterError as error:
        reason = f"energy is not measured: {error}"
        return [InferenceEnergy(reason=reason)] * len(sessions)
    return found
