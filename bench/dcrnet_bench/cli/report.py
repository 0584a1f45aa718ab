"""The figures as tables for people and as one JSON object for scripts."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dcrnet_bench.profiling.operators import OperatorTime
from dcrnet_bench.targets.host import Host
from dcrnet_bench.timing.clock import Latency
from dcrnet_bench.timing.pipeline import Stage, StageLatency
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.version import __version__

SCHEMA = 1
_WIDTH = 120
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What is told of one model.

    Attributes:
        name: in the tables.
        path: of its file.
        format: of its file.
        sha256: of its file.
        size_mb: in 10^6 bytes.
        input_px: side of its square input.
        macs: multiply-accumulates of one crop; None where they could not be counted.
        macs_reason: why not, else empty.
        energy_j: added to the idle machine's by one inference; None where not measured.
        latency: of one inference of one crop.
    """

    name: str
    path: str
    format: str
    sha256: str
    size_mb: float
    input_px: int
    macs: int | None
    macs_reason: str
    energy_j: float | None
    latency: Latency


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How the figures came about.

    Attributes:
        date: ISO 8601, UTC.
        device: what was asked for.
        threads: of each model and of OpenCV.
        runs: timed rounds.
        warm_up_rounds: untimed ones before.
        is_steady: whether the times had settled by then.
        source: what the frame shows.
        frame_px: its width and height.
        detector: who looked for faces.
        face_count: how many it saw; finding takes longer with each.
        load_before: 1-minute load average before the run.
        load_after: the same behind it.
        peak_rss_mb: most memory of the whole process, all models loaded, in 10^6 bytes.
    """

    date: str
    device: str
    threads: int
    runs: int
    warm_up_rounds: int
    is_steady: bool
    source: str
    frame_px: tuple[int, int]
    detector: str
    face_count: int
    load_before: float
    load_after: float
    peak_rss_mb: float


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the command; ``notes`` say what limits the figures."""

    host: Host
    run: RunFacts
    models: tuple[ModelFigures, ...]
    stages: tuple[StageLatency, ...]
    notes: tuple[str, ...]
    operators: tuple[OperatorTime, ...] = ()

    def to_json(self) -> str:
        """One line; times stand under ``latency_ms``, or ``emulated_ms`` where it is none."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "version": __version__,
                "host": asdict(self.host),
                "run": asdict(self.run),
                "models": [self._model_values(model) for model in self.models],
                "stages": [
                    {"stage": s.stage.value, "model": s.model, **self._times(s.latency)}
                    for s in self.stages
                ],
                "operators": [self._operator_values(row) for row in self.operators],
                "notes": self.notes,
            }
        )

    def _operator_values(self, row: OperatorTime) -> dict[str, Any]:
        values = asdict(row)
        values[self._time_key()] = {"median": round(values.pop("median_ms"), _DECIMALS)}
        return values

    def _model_values(self, model: ModelFigures) -> dict[str, Any]:
        values = asdict(model)
        del values["latency"]
        flops = None if model.macs is None else 2 * model.macs
        return {**values, "flops": flops, **self._times(model.latency)}

    def _times(self, latency: Latency) -> dict[str, dict[str, float]]:
        return {
            self._time_key(): {
                "median": round(latency.median_ms, _DECIMALS),
                "p90": round(latency.p90_ms, _DECIMALS),
                "min": round(latency.min_ms, _DECIMALS),
            }
        }

    def _time_key(self) -> str:
        return "emulated_ms" if self.host.emulator else "latency_ms"


def show(report: Report) -> None:
    """Print the tables, and the JSON object as the last line, to standard output."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    console.print(_model_table(report))
    console.print(_stage_table(report))
    if report.operators:
        console.print(_operator_table(report))
    for line in _facts(report):
        console.print(line, markup=False)
    # Not through rich, which would wrap it.
    sys.stdout.write(report.to_json() + "\n")


def check_target(path: Path) -> None:
    """Make sure that ``path`` can be written before minutes are spent on measuring.

    Raises:
        DcrnetError: it cannot.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise DcrnetError(f"--json {path} cannot be written: name a file in a writable folder")


def write(report: Report, path: Path) -> None:
    """Write the JSON object to ``path``.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    with written_beside(path) as beside:
        beside.write_text(report.to_json() + "\n")


def _model_table(report: Report) -> Table:
    has_energy = any(model.energy_j is not None for model in report.models)
    table = Table(title=f"Models, {_time_name(report)} of one inference in ms")
    table.add_column("model", overflow="fold")
    for heading in ("format", "px", "MB", "MMACs", "MFLOPs", "median", "p90", "min"):
        table.add_column(heading, justify="right")
    if has_energy:
        table.add_column("J", justify="right")
    for model in report.models:
        energy = f"{model.energy_j:.4f}" if model.energy_j is not None else "-"
        table.add_row(
            model.name,
            model.format,
            str(model.input_px),
            f"{model.size_mb:.2f}",
            *_counts(model),
            *_cells(model.latency),
            *([energy] if has_energy else []),
        )
    return table


def _stage_table(report: Report) -> Table:
    run = report.run
    width, height = run.frame_px
    table = Table(
        title=f"Stages, {_time_name(report)} in ms ({width}x{height} frame: {run.source};"
        f" {run.detector} sees {run.face_count} face(s))"
    )
    table.add_column("stage")
    table.add_column("model", overflow="fold")
    for heading in ("median", "p90", "min"):
        table.add_column(heading, justify="right")
    for row in report.stages:
        table.add_row(
            row.stage, row.model, *_cells(row.latency), end_section=row.stage is Stage.WHOLE
        )
    return table


def _operator_table(report: Report) -> Table:
    table = Table(title=f"Operators, {_time_name(report)} of one profiled inference in ms")
    table.add_column("model", overflow="fold")
    table.add_column("operator")
    for heading in ("nodes", "median", "share"):
        table.add_column(heading, justify="right")
    total = {row.model: 0.0 for row in report.operators}
    for row in report.operators:
        total[row.model] += row.median_ms
    for row in report.operators:
        share = row.median_ms / total[row.model] if total[row.model] else 0.0
        cells = (str(row.nodes), f"{row.median_ms:.3f}", f"{share:.1%}")
        table.add_row(row.model, row.operator, *cells)
    return table


def _time_name(report: Report) -> str:
    emulator = report.host.emulator
    return f"time under {emulator}, which is no latency," if emulator else "latency"


def _counts(model: ModelFigures) -> tuple[str, str]:
    if model.macs is None:
        return f"not counted: {model.macs_reason}", "-"
    return f"{model.macs / 1e6:,.1f}", f"{2 * model.macs / 1e6:,.1f}"


def _cells(latency: Latency) -> tuple[str, str, str]:
    return f"{latency.median_ms:.2f}", f"{latency.p90_ms:.2f}", f"{latency.min_ms:.2f}"


def _facts(report: Report) -> list[str]:
    host, run = report.host, report.run
    versions = ", ".join(f"{name} {version}" for name, version in host.packages.items())
    return [
        f"{host.cpu} ({host.machine}, {host.cores} core(s), governor"
        f" {host.governor or 'not readable'}), {host.ram_gb} GB RAM, {host.system}",
        f"Python {host.python}, {versions}",
        f"{run.date}: {run.runs} interleaved runs after {run.warm_up_rounds} of warm-up,"
        f" {run.threads} thread(s), load average {run.load_before:.2f} before,"
        f" {run.load_after:.2f} after, peak memory {run.peak_rss_mb:.0f} MB",
        *(f"note: {line}" for line in report.notes),
    ]
