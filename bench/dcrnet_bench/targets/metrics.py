"""What is told of each model that was measured here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dcrnet_bench.host.device import Device
from dcrnet_bench.meters.energy import assumed_energy, energies_of
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.meters.sensors.logged import LoggedMeter
from dcrnet_bench.profiling.graph import NotCountedError, read_graph
from dcrnet_bench.profiling.instruction_counter import InstructionCounter
from dcrnet_bench.profiling.macs import MacCount, count_macs
from dcrnet_bench.profiling.peak import MachinePeak
from dcrnet_bench.profiling.placement import place
from dcrnet_bench.profiling.roofline import arithmetic_ms, traffic_ms
from dcrnet_bench.profiling.traffic import count_bytes
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.pipeline import LoadedModel, Measurement, Pipeline
from dcrnet_runtime.backends.model import ModelFormat

_MS_PER_S = 1e3


def energies(
    pipeline: Pipeline, measured: Measurement, device: Device, emulator: str, plan: Plan
) -> tuple[list[InferenceEnergy], str]:
    """Of each model, and what is to be said of them; none under an ``emulator``.

    Raises:
        DcrnetError: the plan's file of an external meter is none.
    """
    models = pipeline.models
    if emulator:
        reason = f"energy is not measured: {emulator} takes another machine's"
        return [InferenceEnergy(reason=reason)] * len(models), ""
    if plan.assume_watts is not None:
        means = (_latency(measured, index).mean for index in range(len(models)))
        estimates = [assumed_energy(plan.assume_watts, mean / _MS_PER_S) for mean in means]
        return estimates, f"energy is an estimate from {estimates[0].meter}"
    meter = None if plan.energy_csv is None else LoggedMeter(plan.energy_csv)
    return energies_of([each.infer for each in models], device, meter)


def model_metrics(
    pipeline: Pipeline,
    measured: Measurement | None,
    spent: Sequence[InferenceEnergy],
    peak: MachinePeak | None,
) -> tuple[ModelMetrics, ...]:
    """Of each model of the pipeline.

    Args:
        pipeline: with the models.
        measured: their times; None where they are those of no machine.
        spent: energy of each.
        peak: of the machine; None likewise.
    """
    found = []
    for index, loaded in enumerate(pipeline.models):
        latency = None
        if measured is not None:
            latency = _latency(measured, index)
        found.append(_metrics(loaded, latency, spent[index], peak))
    return tuple(found)


def counted(
    path: Path, model_format: ModelFormat
) -> tuple[list[MacCount] | None, int | None, str]:
    """MACs by kind and bytes moved, as far as they can be counted, and why not all."""
    counts, moved_bytes, reason = None, None, ""
    try:
        nodes = read_graph(path, model_format)
        counts = count_macs(nodes)
        moved_bytes = count_bytes(nodes)
    except NotCountedError as error:
        reason = str(error)
    return counts, moved_bytes, reason


def _latency(measured: Measurement, index: int) -> Latency:
    """Of the model at ``index``, alone."""
    return Latency.of(*(each.times_ns[:, index] for each in measured.alone))


def _metrics(
    loaded: LoadedModel,
    latency: Latency | None,
    energy: InferenceEnergy,
    peak: MachinePeak | None,
) -> ModelMetrics:
    counts, moved_bytes, reason = counted(loaded.path, loaded.model.format)
    peak_share = copy_share = None
    if latency is not None and peak is not None:
        if counts:
            peak_share = arithmetic_ms(counts, peak) / latency.median
        if moved_bytes is not None:
            copy_share = traffic_ms(moved_bytes, peak) / latency.median
    labels = loaded.model.card.labels
    counter = InstructionCounter.find()
    return ModelMetrics(
        name=loaded.name,
        path=str(loaded.path),
        format=loaded.model.format.value,
        sha256=loaded.model.sha256,
        size_mb=loaded.size_mb,
        input_px=loaded.model.card.preprocess.size_px,
        macs=None if counts is None else sum(count.macs for count in counts),
        macs_reason=reason if counts is None else "",
        latency_ms=latency,
        energy=energy,
        placement=place(loaded.path, loaded.model),
        cold=None if latency is None else loaded.cold,
        macs_by_kind=tuple(counts or ()),
        bytes_moved=moved_bytes,
        peak_share=peak_share,
        copy_share=copy_share,
        instructions=None if counter is None else counter.executed_by(loaded.infer),
        answer={k: round(float(p), 6) for k, p in zip(labels, loaded.infer()[0], strict=True)},
    )
