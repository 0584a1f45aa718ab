"""A row's figures as the report has them."""

from __future__ import annotations

from dcrnet_bench.meters.energy import assumed_energy
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.targets.gpu.measuring import RowFigures
from dcrnet_bench.targets.gpu.subjects import Subject
from dcrnet_bench.targets.metrics import counted
from dcrnet_bench.timing.gpu.execution import GpuRun
from dcrnet_runtime.backends.model import ModelFormat

_MS_PER_S = 1e3
_UNCOUNTED = "a checkpoint has no graph to count: its exported file has"


def row_metrics(
    subject: Subject, figures: RowFigures, assume_watts: float | None = None
) -> ModelMetrics:
    """What is told of one row.

    Args:
        subject: whose row it is.
        figures: what was measured of it.
        assume_watts: a power from which its energy is estimated; None where it is measured.
    """
    counts, moved_bytes, reason = None, None, _UNCOUNTED
    if subject.format == ModelFormat.ONNX:
        counts, moved_bytes, reason = counted(subject.path, ModelFormat.ONNX)
    energy = figures.energy
    if assume_watts is not None:
        energy = assumed_energy(assume_watts, figures.latency.mean / _MS_PER_S)
    row, labels = figures.row, subject.card.labels
    return ModelMetrics(
        name=f"{figures.network}: {row.name}",
        path=str(subject.path),
        format=subject.format,
        sha256=subject.sha256,
        size_mb=subject.size_mb,
        input_px=subject.card.preprocess.size_px,
        macs=None if counts is None else sum(count.macs for count in counts),
        macs_reason=reason if counts is None else "",
        latency_ms=figures.latency,
        energy=energy,
        placement=subject.placement,
        macs_by_kind=tuple(counts or ()),
        bytes_moved=moved_bytes,
        answer={k: round(float(p), 6) for k, p in zip(labels, figures.answers[0], strict=True)},
        batch=row.batch,
        gpu=GpuRun(
            engine=row.engine,
            execution=row.execution,
            precision=row.precision,
            with_copies_ms=figures.with_copies,
            face_ms=round(figures.latency.median / row.batch, 5),
            answer_difference=round(figures.difference, 6),
        ),
    )
