"""This machine's own processor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dcrnet_bench.host.device import Device
from dcrnet_bench.host.facts import Host, read_host
from dcrnet_bench.host.load import busy_warning, load_average, peak_rss_mb
from dcrnet_bench.meters.energy import energies_of
from dcrnet_bench.profiling.graph import NotCountedError, read_graph
from dcrnet_bench.profiling.macs import MacCount, count_macs
from dcrnet_bench.profiling.operators import OperatorTime, operator_times
from dcrnet_bench.profiling.peak import measure_peak
from dcrnet_bench.profiling.traffic import count_bytes
from dcrnet_bench.report import ModelMetrics, Report, RunFacts
from dcrnet_bench.targets.doubts import doubts
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.timing.clock import Latency, Rounds
from dcrnet_bench.timing.pipeline import LoadedModel, Pipeline
from dcrnet_bench.timing.scene import FRAME_PX, open_scene
from dcrnet_bench.timing.stage import TimedStage
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.errors import DcrnetError

_ARM = ("aarch64", "arm")


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """The CPU of this machine.

    Attributes:
        device: as which it was asked for.
        host: its facts.
    """

    device: Device
    host: Host

    @classmethod
    def open(cls, device: Device) -> LocalTarget:
        """This machine, where it is the ``device``.

        Raises:
            DcrnetError: it is not; names this machine and what to do instead.
        """
        host = read_host()
        if device is Device.ARM:
            _require_arm(host)
        return cls(device, host)

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        """Load, time, count.

        Args:
            plan: what.
            warn: told when the machine is busy.

        Raises:
            DcrnetError: a model or the source cannot be used.
        """
        load_before = load_average()
        busy = busy_warning(load_before, self.host.cores)
        if busy:
            warn(busy)
        date = datetime.now(UTC).isoformat(timespec="seconds")
        pipeline = Pipeline.open(plan.models, open_scene(plan.source), plan.threads)
        timed, stages = pipeline.measure(plan.runs)
        # Before the counting loads each model once more.
        run = self._facts(plan, pipeline, timed, date, load_before)
        inferences = (each.latency for each in stages if each.stage is TimedStage.INFER)
        energies, energy_note = energies_of([each.infer for each in pipeline.models], self.device)
        metrics = tuple(map(_metrics, pipeline.models, inferences, (e.net_j for e in energies)))
        notes = [*doubts(run, self.host), energy_note]
        profiles: list[OperatorTime] = []
        if plan.operators:
            profiles = _profiles(pipeline.models, plan)
            notes += _unprofiled(pipeline.models)
        peak = measure_peak(plan.threads) if plan.operators else None
        told = tuple(note for note in notes if note)
        return Report(self.host, run, metrics, tuple(stages), told, tuple(profiles), peak)

    def _facts(
        self, plan: Plan, pipeline: Pipeline, timed: Rounds, date: str, load_before: float
    ) -> RunFacts:
        return RunFacts(
            date=date,
            device=self.device.value,
            threads=plan.threads,
            runs=plan.runs,
            warm_up_rounds=timed.warm_up_rounds,
            is_steady=timed.is_steady,
            source=pipeline.scene.name,
            frame_px=FRAME_PX,
            detector=pipeline.detector.name,
            face_count=pipeline.face_count,
            load_before=load_before,
            load_after=load_average(),
            peak_rss_mb=round(peak_rss_mb(), 1),
        )


def is_arm(machine: str) -> bool:
    """Whether ``platform.machine()`` names an ARM processor, 32 or 64 bits."""
    return machine.lower().startswith(_ARM)


def _require_arm(host: Host) -> None:
    remedy = "pip install dcrnet-edge on the board and run the same command there"
    if not is_arm(host.machine):
        raise DcrnetError(f"`device` arm: this machine is {host.machine}, not ARM: {remedy}")
    if host.emulator:
        raise DcrnetError(
            f"`device` arm: this {host.machine} is emulated by {host.emulator}, whose times say"
            f" nothing of a board: {remedy}"
        )


def _profiles(models: Sequence[LoadedModel], plan: Plan) -> list[OperatorTime]:
    return [
        row
        for each in models
        if each.model.format is ModelFormat.ONNX
        for row in operator_times(each.name, each.path, each.crop, plan.threads, plan.runs)
    ]


def _unprofiled(models: Sequence[LoadedModel]) -> list[str]:
    return [
        f"{each.name} has no operator times: its interpreter profiles nothing"
        for each in models
        if each.model.format is not ModelFormat.ONNX
    ]


def _metrics(loaded: LoadedModel, latency: Latency, energy_j: float | None) -> ModelMetrics:
    counts: list[MacCount] | None = None
    moved_bytes, reason = None, ""
    try:
        nodes = read_graph(loaded.path, loaded.model.format)
        counts = count_macs(nodes)
        moved_bytes = count_bytes(nodes)
    except NotCountedError as error:
        reason = str(error)
    return ModelMetrics(
        name=loaded.name,
        path=str(loaded.path),
        format=loaded.model.format.value,
        sha256=loaded.model.sha256,
        size_mb=loaded.size_mb,
        input_px=loaded.model.card.preprocess.size_px,
        macs=None if counts is None else sum(count.macs for count in counts),
        macs_reason=reason if counts is None else "",
        energy_j=energy_j,
        latency=latency,
        macs_by_kind=tuple(counts or ()),
        bytes_moved=moved_bytes,
    )
