"""One run of the bench, from model files to a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dcrnet_bench.cli.report import ModelFigures, Report, RunFacts
from dcrnet_bench.meters.rapl import EnergyCounter, NoCounterError, energy_of
from dcrnet_bench.profiling.macs import NotCountedError, count_macs
from dcrnet_bench.profiling.operators import OperatorTime, operator_times
from dcrnet_bench.targets.device import Device
from dcrnet_bench.targets.host import Host, busy_warning, load_average, peak_rss_mb
from dcrnet_bench.timing.clock import Latency, Rounds
from dcrnet_bench.timing.pipeline import Entry, Pipeline, Stage
from dcrnet_bench.timing.scene import FRAME_PX, open_scene
from dcrnet_runtime.backends.model import ModelFormat


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        models: files, at least one.
        device: already found to be the one at hand.
        threads: of each model and of OpenCV.
        runs: timed rounds.
        source: an image of a face, or None for the default.
        operators: whether ONNX models are profiled by operator type as well.
    """

    models: Sequence[Path]
    device: Device
    threads: int
    runs: int
    source: Path | None
    operators: bool = False


def measure(plan: Plan, host: Host, load_before: float) -> Report:
    """Load, time, count.

    Args:
        plan: what.
        host: where.
        load_before: 1-minute load average before this command added to it.

    Raises:
        DcrnetError: a model or the source cannot be used.
    """
    date = datetime.now(UTC).isoformat(timespec="seconds")
    pipeline = Pipeline.open(plan.models, open_scene(plan.source), plan.threads)
    timed, stages = pipeline.measure(plan.runs)
    # Read before the counting loads each model once more.
    memory_mb = round(peak_rss_mb(), 1)
    load_after = load_average()
    joules, energy_note = _energies(pipeline.entries)
    models = tuple(
        _figures(entry, stage.latency, energy_j)
        for entry, stage, energy_j in zip(
            pipeline.entries, (s for s in stages if s.stage is Stage.INFER), joules, strict=True
        )
    )
    profiles = _profiles(pipeline.entries, plan) if plan.operators else []
    run = RunFacts(
        date=date,
        device=plan.device.value,
        threads=plan.threads,
        runs=plan.runs,
        warm_up_rounds=timed.warm_up_rounds,
        is_steady=timed.is_steady,
        source=pipeline.scene.name,
        frame_px=FRAME_PX,
        detector=pipeline.detector.name,
        face_count=pipeline.face_count,
        load_before=load_before,
        load_after=load_after,
        peak_rss_mb=memory_mb,
    )
    notes = (busy_warning(load_before, host.cores), *_doubts(pipeline, timed, host), energy_note)
    if plan.operators:
        notes += tuple(_unprofiled(pipeline.entries))
    told = tuple(line for line in notes if line)
    return Report(host, run, models, tuple(stages), told, tuple(profiles))


def _profiles(entries: Sequence[Entry], plan: Plan) -> list[OperatorTime]:
    return [
        row
        for entry in entries
        if entry.model.format is ModelFormat.ONNX
        for row in operator_times(entry.name, entry.path, entry.crop, plan.threads, plan.runs)
    ]


def _unprofiled(entries: Sequence[Entry]) -> list[str]:
    return [
        f"{entry.name} has no operator times: its interpreter profiles nothing"
        for entry in entries
        if entry.model.format is not ModelFormat.ONNX
    ]


def _figures(entry: Entry, latency: Latency, energy_j: float | None) -> ModelFigures:
    macs, reason = None, ""
    try:
        macs = count_macs(entry.path, entry.model.format)
    except NotCountedError as error:
        reason = str(error)
    return ModelFigures(
        name=entry.name,
        path=str(entry.path),
        format=entry.model.format.value,
        sha256=entry.model.sha256,
        size_mb=entry.size_mb,
        input_px=entry.model.card.preprocess.size_px,
        macs=macs,
        macs_reason=reason,
        energy_j=energy_j,
        latency=latency,
    )


def _energies(entries: Sequence[Entry]) -> tuple[list[float | None], str]:
    """J of one inference of each, and why some are missing."""
    try:
        counter = EnergyCounter.open()
    except NoCounterError as error:
        return [None] * len(entries), f"energy is not measured: {error}"
    joules = [energy_of(entry.infer, counter) for entry in entries]
    if None in joules:
        return joules, "energy of an inference drowned in the idle power: measure a quiet machine"
    return joules, ""


def _doubts(pipeline: Pipeline, timed: Rounds, host: Host) -> list[str]:
    doubts = []
    if host.emulator:
        doubts.append(
            f"this {host.machine} is emulated by {host.emulator}: its times are no latency of"
            " any machine; measure on the board itself"
        )
    if not timed.is_steady:
        doubts.append(
            f"times had not settled after {timed.warm_up_rounds} rounds of warm-up: something"
            " else runs, or the clock is throttled"
        )
    if pipeline.face_count == 0:
        doubts.append(
            "the detector saw no face, so its row is of an empty frame, and the other stages work"
            " on a fixed box: pip install 'dcrnet-edge[demo]', or name an image with --source"
        )
    return doubts
