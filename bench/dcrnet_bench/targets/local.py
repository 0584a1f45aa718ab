"""This machine's own processor."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np

from dcrnet_bench.host.device import Device
from dcrnet_bench.host.facts import Host, read_host
from dcrnet_bench.host.load import peak_rss_mb
from dcrnet_bench.host.preflight import Preflight, doubts_of, preflight_of
from dcrnet_bench.host.state import read_state
from dcrnet_bench.host.word_size import require_64_bits
from dcrnet_bench.meters.sensors.logged import LoggedMeter
from dcrnet_bench.profiling.operators import OperatorTime, operator_times
from dcrnet_bench.profiling.peak import measure_peak
from dcrnet_bench.report.ratio import Ratio
from dcrnet_bench.report.report import Report, RunFacts
from dcrnet_bench.targets.doubts import doubts, require_quiet
from dcrnet_bench.targets.metrics import energies, model_metrics
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.timing.paired import paired_ratio
from dcrnet_bench.timing.pipeline import Measurement, Pipeline
from dcrnet_bench.timing.sampling import EMULATED, SampleRule
from dcrnet_bench.timing.scene import FRAME_PX, open_scenes
from dcrnet_bench.timing.sustained import SustainedRun, sustain
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.errors import DcrnetError

_ARM = ("aarch64", "arm")
_PROFILED_RUNS = 50


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
        """Load, time, count; on an emulated processor load, answer and count.

        Args:
            plan: what.
            warn: told when the machine is busy, throttled, charging or emulated.

        Raises:
            DcrnetError: a model or the source cannot be used; the machine is not quiet, and had
                to be.
        """
        before, started_s = read_state(), time.monotonic()
        date = datetime.now(UTC).isoformat(timespec="seconds")
        found = doubts_of(self.host, before)
        if plan.is_quiet_required:
            require_quiet(found)
        for doubt in found:
            warn(doubt.text)
        if plan.energy_csv is not None:
            LoggedMeter(plan.energy_csv)  # minutes later would be late to complain
        rule = EMULATED if self.host.emulator else plan.rule
        scenes = open_scenes(plan.source)
        if self.host.emulator:
            scenes = scenes[:1]
        pipeline = Pipeline.open(plan.models, scenes, plan.threads)
        measured = pipeline.measure(rule)
        preflight = preflight_of(self.host, before, read_state())
        # Before the counting loads each model once more.
        run = self._facts(plan, rule, pipeline, measured, date, time.monotonic() - started_s)
        report = self._report(plan, run, pipeline, measured, preflight)
        if self.host.emulator:
            return report
        ratios, sustained = _ratios(plan, pipeline, measured), _sustained(plan, pipeline)
        return replace(report, ratios=ratios, sustained=sustained)

    def _report(
        self,
        plan: Plan,
        run: RunFacts,
        pipeline: Pipeline,
        measured: Measurement,
        preflight: Preflight,
    ) -> Report:
        is_real = not self.host.emulator
        emulator = self.host.emulator
        spent, energy_note = energies(pipeline, measured, self.device, emulator, plan)
        peak = measure_peak(plan.threads) if is_real else None
        notes = [*doubts(run, preflight), energy_note]
        profiles: list[OperatorTime] = []
        if plan.operators and is_real:
            profiles = _profiles(pipeline, plan)
            notes += _unprofiled(pipeline)
        return Report(
            host=self.host,
            run=run,
            models=model_metrics(pipeline, measured if is_real else None, spent, peak),
            stages=tuple(pipeline.stages(measured)) if is_real else (),
            notes=tuple(note for note in notes if note),
            preflight=preflight,
            operators=tuple(profiles),
            peak=peak,
        )

    def _facts(
        self,
        plan: Plan,
        rule: SampleRule,
        pipeline: Pipeline,
        measured: Measurement,
        date: str,
        seconds: float,
    ) -> RunFacts:
        return RunFacts(
            date=date,
            device=self.device.value,
            protocol=rule.protocol,
            threads=plan.threads,
            runs=measured.runs,
            repeats=rule.repeats,
            warm_up_rounds=measured.warm_up_rounds,
            is_steady=measured.is_steady,
            source=pipeline.source,
            inputs=len(pipeline.views),
            frame_px=FRAME_PX,
            detector=pipeline.detector.name,
            face_count=pipeline.face_count,
            peak_rss_mb=round(peak_rss_mb(), 1),
            seconds=round(seconds, 1),
        )


def is_arm(machine: str) -> bool:
    """Whether ``platform.machine()`` names an ARM processor, 32 or 64 bits."""
    return machine.lower().startswith(_ARM)


def _require_arm(host: Host) -> None:
    if not is_arm(host.machine):
        raise DcrnetError(
            f"`device` arm: this machine is {host.machine}, not ARM: name the board with `host`"
            " (user@board by ssh, adb:SERIAL by adb), or install dcrnet-edge on the board and"
            " run the same command there, or `emulate` a core here for answers and counts of"
            " instructions"
        )
    require_64_bits("this machine", host.machine, 8 * struct.calcsize("P"))


def _ratios(plan: Plan, pipeline: Pipeline, measured: Measurement) -> tuple[Ratio, ...]:
    """Of the models alone, in whose rounds all took a turn."""
    if plan.baseline is None:
        return ()
    index = list(plan.models).index(plan.baseline)
    times = np.concatenate([each.times_ns for each in measured.alone])
    names = [each.name for each in pipeline.models]
    return tuple(
        Ratio(name, names[index], *paired_ratio(times[:, i], times[:, index]), len(times))
        for i, name in enumerate(names)
        if i != index
    )


def _sustained(plan: Plan, pipeline: Pipeline) -> tuple[SustainedRun, ...]:
    """Each model in turn."""
    if not plan.sustained_s:
        return ()
    return tuple(
        sustain(
            each.name,
            [partial(each.model.probabilities, crop) for crop in each.crops],
            plan.sustained_s,
        )
        for each in pipeline.models
    )


def _profiles(pipeline: Pipeline, plan: Plan) -> list[OperatorTime]:
    runs = plan.runs or _PROFILED_RUNS
    return [
        row
        for each in pipeline.models
        if each.model.format is ModelFormat.ONNX
        for row in operator_times(each.name, each.path, each.crop, plan.threads, runs)
    ]


def _unprofiled(pipeline: Pipeline) -> list[str]:
    return [
        f"{each.name} has no operator times: its interpreter profiles nothing"
        for each in pipeline.models
        if each.model.format is not ModelFormat.ONNX
    ]
