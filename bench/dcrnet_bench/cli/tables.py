"""The figures as tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from dcrnet_bench.profiling.peak import MachinePeak
from dcrnet_bench.profiling.roofline import arithmetic_ms, traffic_ms
from dcrnet_bench.report import ModelMetrics, Report
from dcrnet_bench.timing.clock import Latency
from dcrnet_bench.timing.stage import TimedStage
from dcrnet_runtime.printable import printable

_WIDTH = 120


def show(report: Report) -> None:
    """Print the tables, and the JSON object as the last line, to standard output."""
    width = None if sys.stdout.isatty() else _WIDTH
    # Names and reasons hold brackets, which rich would take for its markup.
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    console.print(_model_table(report))
    console.print(_stage_table(report))
    if report.operators:
        console.print(_operator_table(report))
    if report.peak is not None:
        console.print(_arithmetic_table(report))
        for line in _peak_lines(report, report.peak):
            console.print(line, markup=False)
    for line in _facts(report):
        console.print(line)
    # Not through rich, which would wrap it.
    sys.stdout.write(report.to_json() + "\n")


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
            printable(model.name),
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
            row.stage, row.model, *_cells(row.latency), end_section=row.stage is TimedStage.WHOLE
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


def _arithmetic_table(report: Report) -> Table:
    table = Table(title="Multiply-accumulates by kind of layer")
    table.add_column("model", overflow="fold")
    table.add_column("kind")
    for heading in ("weights", "layers", "MMACs", "share"):
        table.add_column(heading, justify="right")
    for model in report.models:
        for row in model.macs_by_kind:
            share = row.macs / model.macs if model.macs else 0.0
            weights = "8 bits" if row.is_int8 else "float"
            cells = (weights, str(row.layers), f"{row.macs / 1e6:,.2f}", f"{share:.1%}")
            table.add_row(model.name, row.kind, *cells)
    return table


def _peak_lines(report: Report, peak: MachinePeak) -> Iterator[str]:
    yield (
        f"this machine at most: {peak.float_gmacs:.0f} GMAC/s in float32,"
        f" {peak.int8_gmacs:.0f} in int8, {peak.copy_gb_s:.0f} GB/s copied"
    )
    for model in report.models:
        if model.macs_by_kind and model.bytes_moved is not None:
            least_ms = arithmetic_ms(model.macs_by_kind, peak)
            moving_ms = traffic_ms(model.bytes_moved, peak)
            yield (
                f"{model.name}: its products need {least_ms:.2f} ms at that rate,"
                f" {least_ms / model.latency.median_ms:.0%} of the median; moving"
                f" {model.bytes_moved / 1e6:.1f} MB needs {moving_ms:.2f} ms"
            )


def _time_name(report: Report) -> str:
    emulator = report.host.emulator
    return f"time under {emulator}, which is no latency," if emulator else "latency"


def _counts(model: ModelMetrics) -> tuple[str, str]:
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
