"""The figures as tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from dcrnet_bench.cli.gpu_tables import gpu_lines, gpu_tables
from dcrnet_bench.profiling.instruction_counter import KINDS
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.report import Report
from dcrnet_bench.report.tool_times import ToolTimes
from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.stage import TimedStage
from dcrnet_runtime.printable import printable

_WIDTH = 120
_TIMES = ("p90", "median", "min")


def show(report: Report) -> None:
    """Print the tables, and the JSON object as the last line, to standard output."""
    shown = console()
    for table in _tables(report):
        shown.print(table)
    card_lines = () if report.gpu is None else gpu_lines(report.models, report.gpu)
    for line in (*_peak_lines(report), *card_lines, *_facts(report)):
        shown.print(line)
    # Not through rich, which would wrap it.
    sys.stdout.write(report.to_json() + "\n")


def console() -> Console:
    """For standard output, as wide as the terminal."""
    width = None if sys.stdout.isatty() else _WIDTH
    # Names and reasons hold brackets, which rich would take for its markup.
    return Console(width=width, highlight=False, markup=False, emoji=False)


def _tables(report: Report) -> Iterator[Table]:
    if report.gpu is None:
        yield _model_table(report)
    else:
        yield from gpu_tables(report.models, report.gpu)
    if report.emulated:
        yield _answer_table(report)
    if any(model.instructions is not None for model in report.models):
        yield _instruction_table(report)
    if report.stages:
        yield _stage_table(report)
    if report.ratios:
        yield _ratio_table(report)
    if report.operators:
        yield _operator_table(report)
        yield _arithmetic_table(report)


def _model_table(report: Report) -> Table:
    table = Table(title="Models, latency of one inference in ms")
    table.add_column("model", overflow="fold")
    headings = ["format", "px", "MB", "MMACs", "MFLOPs", *_TIMES]
    columns = {
        "J net": [_joules(each.energy.net_j) for each in report.models],
        "J gross": [_joules(each.energy.gross_j) for each in report.models],
        "M instructions": [_instructions(each) for each in report.models],
        "accuracy": [_accuracy(each) for each in report.models],
    }
    told = {name: cells for name, cells in columns.items() if any(cell != "-" for cell in cells)}
    for heading in (*headings, *told):
        table.add_column(heading, justify="right")
    for index, model in enumerate(report.models):
        table.add_row(
            printable(model.name),
            model.format,
            str(model.input_px),
            f"{model.size_mb:.2f}",
            *_counts(model),
            *_cells(model.latency_ms),
            *(cells[index] for cells in told.values()),
        )
    return table


def _answer_table(report: Report) -> Table:
    table = Table(title="Answers to the first face")
    table.add_column("model", overflow="fold")
    table.add_column("label")
    table.add_column("probability", justify="right")
    for model in report.models:
        for label in sorted(model.answer, key=lambda each: -model.answer[each])[:1]:
            table.add_row(model.name, label, f"{model.answer[label]:.4f}")
    return table


def _instruction_table(report: Report) -> Table:
    table = Table(title="Executed instructions of one inference in millions")
    table.add_column("model", overflow="fold")
    table.add_column("core")
    for kind in (*KINDS, "all"):
        table.add_column(kind, justify="right")
    for model in report.models:
        if model.instructions is not None:
            told = model.instructions
            counts = (*(told.by_kind.get(kind, 0) for kind in KINDS), told.total)
            cells = (f"{count / 1e6:,.2f}" for count in counts)
            table.add_row(model.name, told.core, *cells)
    return table


def _stage_table(report: Report) -> Table:
    run = report.run
    width, height = run.frame_px
    table = Table(
        title=f"Stages, latency in ms ({run.inputs} frame(s) of {width}x{height}: {run.source};"
        f" {run.detector} sees {run.face_count} face(s))"
    )
    table.add_column("stage")
    table.add_column("model", overflow="fold")
    for heading in _TIMES:
        table.add_column(heading, justify="right")
    for row in report.stages:
        is_last = row.stage is TimedStage.WHOLE
        table.add_row(row.stage, row.model, *_cells(row.latency_ms), end_section=is_last)
    return table


def _ratio_table(report: Report) -> Table:
    table = Table(title="Time as a share of the baseline's, round by round")
    table.add_column("model", overflow="fold")
    table.add_column("baseline", overflow="fold")
    for heading in ("ratio", "95 % interval", "rounds"):
        table.add_column(heading, justify="right")
    for row in report.ratios:
        low, high = row.interval
        cells = (f"{row.ratio:.3f}", f"{low:.3f} to {high:.3f}", str(row.pairs))
        table.add_row(row.model, row.baseline, *cells)
    return table


def _operator_table(report: Report) -> Table:
    table = Table(title="Operators, latency of one profiled inference in ms")
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


def _peak_lines(report: Report) -> Iterator[str]:
    peak = report.peak
    if peak is None:
        return
    yield (
        f"this machine at most: {peak.float_gmacs:.0f} GMAC/s in float32,"
        f" {peak.int8_gmacs:.0f} in int8, {peak.copy_gb_s:.0f} GB/s copied"
    )
    for model in report.models:
        if model.peak_share is not None and model.copy_share is not None and model.bytes_moved:
            yield (
                f"{model.name}: at that rate its products need {model.peak_share:.0%} of the"
                f" median, a copy of its {model.bytes_moved / 1e6:.1f} MB {model.copy_share:.0%}"
            )


def _counts(model: ModelMetrics) -> tuple[str, str]:
    if model.macs is None or model.flops is None:
        return f"not counted: {model.macs_reason}", "-"
    return f"{model.macs / 1e6:,.1f}", f"{model.flops / 1e6:,.1f}"


def _cells(latency: Latency | None) -> tuple[str, ...]:
    if latency is None:
        return ("-",) * len(_TIMES)
    return f"{latency.p90:.2f}", f"{latency.median:.2f}", f"{latency.min:.2f}"


def _joules(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _instructions(model: ModelMetrics) -> str:
    return "-" if model.instructions is None else f"{model.instructions.total / 1e6:,.1f}"


def _accuracy(model: ModelMetrics) -> str:
    return "-" if model.accuracy is None else f"{model.accuracy.accuracy:.2%}"


def _facts(report: Report) -> Iterator[str]:
    host, run = report.host, report.run
    versions = ", ".join(f"{name} {version}" for name, version in host.packages.items())
    yield (
        f"{host.cpu} ({host.machine}, {host.cores} core(s), governor"
        f" {host.governor or 'not readable'}), {host.ram_gb} GB RAM, {host.system}"
    )
    yield f"Python {host.python}, {versions}"
    load = ""
    if report.preflight is not None:
        before, after = report.preflight.before.load, report.preflight.after.load
        load = f" load average {before:.2f} before, {after:.2f} after,"
    yield (
        f"{run.date}: protocol {run.protocol}, {run.runs} interleaved rounds in {run.repeats}"
        f" repeat(s) after {run.warm_up_rounds} of warm-up, {run.threads} thread(s),{load}"
        f" peak memory {run.peak_rss_mb:.0f} MB"
    )
    for model in report.models if report.gpu is None else ():
        yield f"{model.name}: {_placed(model)}"
        if model.tool is not None:
            yield f"{model.name}: {_tool_line(model.tool)}"
    for line in report.notes:
        yield f"note: {line}"


def _tool_line(tool: ToolTimes) -> str:
    rest = {"median": tool.median_ms, "p95": tool.p95_ms, "min": tool.min_ms, "max": tool.max_ms}
    told = ", ".join(f"{name} {ms:.2f}" for name, ms in rest.items() if ms is not None)
    return (
        f"{tool.tool}'s own times of {tool.n} inferences in ms: mean {tool.mean_ms:.2f}, {told};"
        f" load {tool.load_ms:.0f}, first inference {tool.first_ms:.1f}"
    )


def _placed(model: ModelMetrics) -> str:
    placement, cold = model.placement, model.cold
    shares = placement.node_shares.items()
    placed = (f"{share:.0%} of the nodes on {name}" for name, share in shares)
    text = ", ".join((placement.runs_on, *placed))
    if cold is not None:
        text += f"; load {cold.load_ms:.0f} ms, first inference {cold.first_inference_ms:.1f} ms"
    spread = model.latency_ms.spread if model.latency_ms else None
    return text if spread is None else f"{text}; p90 of the repeats within {spread:.1%}"
