"""A GPU's figures as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from dcrnet_bench.host.gpu.nvml import CardState
from dcrnet_bench.profiling.placement import Placement
from dcrnet_bench.report.gpu import GpuReport
from dcrnet_bench.report.model_metrics import ModelMetrics


def gpu_tables(models: Sequence[ModelMetrics], gpu: GpuReport) -> Iterator[Table]:
    """Of all rows, and of what starting kernels from the host costs."""
    yield _row_table(models)
    if gpu.launch_gaps:
        yield _gap_table(gpu)


def gpu_lines(models: Sequence[ModelMetrics], gpu: GpuReport) -> Iterator[str]:
    """The card and its state, and who runs the networks' nodes."""
    card = gpu.card
    yield (
        f"{card.name} ({card.capability}, {card.memory_gb:.0f} GB, {card.bus_id}), driver for CUDA"
        f" {card.cuda}"
    )
    for when, state in (("before", gpu.before), ("after", gpu.after)):
        if state is not None:
            yield f"{when}: {_state(state)}"
    yield from dict.fromkeys(f"{_network(model)}: {_placed(model.placement)}" for model in models)


def _row_table(models: Sequence[ModelMetrics]) -> Table:
    table = Table(title="Networks on the card, latency of one inference in ms")
    table.add_column("network", overflow="fold")
    table.add_column("precision")
    table.add_column("execution")
    headings = ("batch", "p90", "median", "p90 with copies", "median a face")
    for heading in (*headings, "J net a face", "J gross a face", "off the CPU's"):
        table.add_column(heading, justify="right")
    for model in models:
        if model.gpu is None or model.latency_ms is None:
            continue
        run = model.gpu
        table.add_row(
            f"{_network(model)}, {run.engine}",
            run.precision,
            run.execution,
            str(model.batch),
            f"{model.latency_ms.p90:.3f}",
            f"{model.latency_ms.median:.3f}",
            f"{run.with_copies_ms.p90:.3f}",
            f"{run.face_ms:.4f}",
            _joules(model.energy.net_j, model.batch),
            _joules(model.energy.gross_j, model.batch),
            f"{run.answer_difference:.4f}",
        )
    return table


def _gap_table(gpu: GpuReport) -> Table:
    table = Table(title="What the host's starting of kernels costs, medians in ms")
    table.add_column("network", overflow="fold")
    table.add_column("precision")
    for heading in ("batch", "eager", "cuda graph", "gap", "ratio"):
        table.add_column(heading, justify="right")
    for gap in gpu.launch_gaps:
        times = (f"{value:.3f}" for value in (gap.eager_ms, gap.graph_ms, gap.gap_ms))
        table.add_row(
            f"{gap.model}, {gap.engine}",
            gap.precision,
            str(gap.batch),
            *times,
            f"{gap.ratio:.2f}",
        )
    return table


def _network(model: ModelMetrics) -> str:
    return model.name.partition(":")[0]


def _placed(placement: Placement) -> str:
    shares = placement.node_shares.items()
    placed = (f"{share:.0%} of the nodes on {name}" for name, share in shares)
    return ", ".join((placement.runs_on, *placed))


def _joules(energy_j: float | None, batch: int) -> str:
    return "-" if energy_j is None else f"{energy_j / batch:.4f}"


def _state(state: CardState) -> str:
    slowed = f", slowed by {', '.join(state.slowdowns)}" if state.slowdowns else ""
    return (
        f"driver {state.driver}, {state.sm_mhz:.0f} MHz, {state.temperature_c:.0f} C, limit"
        f" {state.power_limit_w:.0f} W{slowed}"
    )
