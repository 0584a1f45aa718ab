"""The first NVIDIA GPU of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.host.device import Device
from dcrnet_bench.host.facts import Host, read_host
from dcrnet_bench.host.gpu.cuda import Card, NoCardError
from dcrnet_bench.host.gpu.nvml import CardState, NvmlCard, open_card, read_card_state
from dcrnet_bench.host.load import peak_rss_mb
from dcrnet_bench.host.preflight import Preflight, doubts_of, preflight_of
from dcrnet_bench.host.state import read_state
from dcrnet_bench.meters.energy import Wattmeter
from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.registry import open_meter
from dcrnet_bench.meters.sensors.logged import LoggedMeter
from dcrnet_bench.report.gpu import GpuReport
from dcrnet_bench.report.report import Report, RunFacts
from dcrnet_bench.targets.doubts import doubts, require_quiet
from dcrnet_bench.targets.gpu.figures import row_metrics
from dcrnet_bench.targets.gpu.measuring import GroupFigures, measure_group
from dcrnet_bench.targets.gpu.requirements import Requirements, read_requirements
from dcrnet_bench.targets.gpu.subjects import Subject, Subjects, open_subjects
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.timing.pipeline import View, view_of
from dcrnet_bench.timing.scene import FRAME_PX, open_scenes
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.crops import prepare

BATCHES = (1, 8, 32, 128)
_INPUTS = 4
_MOST_DIFFERENCE = 0.02
"""Of a probability, by which fp16 may be off the CPU's fp32 before it is told."""


@dataclass(frozen=True, slots=True)
class GpuTarget:
    """The card, and what of it can be used.

    Attributes:
        host: the machine that it is in.
        card: itself.
        there: the engines that find it.
        batches: numbers of faces that are measured.
    """

    host: Host
    card: Card
    there: Requirements
    batches: Sequence[int]

    @classmethod
    def open(cls, device: Device) -> GpuTarget:
        """The first card of this machine.

        Raises:
            DcrnetError: there is none, or nothing that could use it; names each part that is
                missing, with what to do.
        """
        there = read_requirements()
        if there.card is None or not (there.has_provider or there.has_torch):
            raise DcrnetError(
                f"`device` {device} cannot be measured here. Missing: {'; '.join(there.missing)}"
            )
        return cls(read_host(), there.card, there, BATCHES)

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        """Time every network in each precision and batch, eager and by a CUDA graph.

        Args:
            plan: what; a baseline, a sustained run and operators are of CPUs alone.
            warn: told when the machine is busy or an engine is missing.

        Raises:
            DcrnetError: a model or the source cannot be used; the machine is not quiet, and had
                to be; the plan has what a GPU does not give.
        """
        _check(plan)
        state, started_s = read_state(), time.monotonic()
        date = datetime.now(UTC).isoformat(timespec="seconds")
        found = doubts_of(self.host, state)
        if plan.is_quiet_required:
            require_quiet(found)
        for text in (*(doubt.text for doubt in found), *self.there.missing):
            warn(text)
        nvml = _nvml()
        card_before = _state(nvml)
        wattmeter = _wattmeter(plan)
        views, detector = _views(plan.source)
        with TemporaryDirectory() as folder:
            subjects = open_subjects(plan.models, self.there, Path(folder))
            measured = self._measured(plan, subjects, views, wattmeter)
            models = tuple(
                row_metrics(subject, row, plan.assume_watts)
                for subject, groups in zip(subjects.found, measured, strict=True)
                for group in groups
                for row in group.rows
            )
        groups = [group for each in measured for group in each]
        if not models:
            failures = dict.fromkeys(failure for group in groups for failure in group.failures)
            raise DcrnetError(f"`device` gpu: nothing could be run: {'; '.join(failures)}")
        preflight = preflight_of(self.host, state, read_state())
        run = replace(
            _facts(plan, views, detector, groups),
            date=date,
            seconds=round(time.monotonic() - started_s, 1),
        )
        return Report(
            host=self.host,
            run=run,
            models=models,
            stages=(),
            notes=tuple(self._notes(run, preflight, subjects, groups, wattmeter)),
            preflight=preflight,
            gpu=GpuReport(
                self.card,
                card_before,
                _state(nvml),
                tuple(group.gap for group in groups if group.gap is not None),
            ),
        )

    def _measured(
        self,
        plan: Plan,
        subjects: Subjects,
        views: Sequence[View],
        wattmeter: Wattmeter | str,
    ) -> list[list[GroupFigures]]:
        """Of each subject, its groups."""
        return [
            [
                measure_group(
                    subject.network,
                    rows,
                    inputs_of(subject, views, rows[0].batch),
                    plan.rule,
                    wattmeter,
                )
                for rows in subject.network.rows(self.batches)
            ]
            for subject in subjects.found
        ]

    def _notes(
        self,
        run: RunFacts,
        preflight: Preflight,
        subjects: Subjects,
        groups: Sequence[GroupFigures],
        wattmeter: Wattmeter | str,
    ) -> list[str]:
        rows = [row for group in groups for row in group.rows]
        told = [*doubts(run, preflight), *self.there.missing, *subjects.notes]
        told += [failure for group in groups for failure in group.failures]
        told += [
            f"{row.network}: {row.row.name} is off the CPU's probabilities by {row.difference:.3f}"
            for row in rows
            if row.difference > _MOST_DIFFERENCE
        ]
        if isinstance(wattmeter, str):
            return [*told, wattmeter]
        meter = wattmeter.meter
        rails = ", ".join(meter.rails)
        return [*told, f"energy is {meter.name}'s of {rails} ({meter.uncertainty})"]


def inputs_of(subject: Subject, views: Sequence[View], batch: int) -> list[NDArray[np.uint8]]:
    """Some batches of the views' faces, (batch, S, S, 3) uint8 each, in different orders."""
    spec = subject.card.preprocess
    crops = [prepare(view.scene.rgb, view.face, spec) for view in views]
    count = min(len(crops), _INPUTS)
    return [np.stack([*islice(cycle(crops), i, i + batch)]) for i in range(count)]


def _check(plan: Plan) -> None:
    unknown = {
        "baseline": plan.baseline is not None,
        "sustained": plan.sustained_s > 0,
        "operators": plan.operators,
    }
    for name, is_wanted in unknown.items():
        if is_wanted:
            raise DcrnetError(f"`device` gpu has no `{name}` yet: leave it out")
    if plan.energy_csv is not None:
        LoggedMeter(plan.energy_csv)


def _views(source: Path | None) -> tuple[list[View], str]:
    """Frames with their faces, and who found them."""
    detector = open_detector()
    found = (view_of(scene, detector) for scene in open_scenes(source))
    return [view for view in found if view is not None], detector.name


def _wattmeter(plan: Plan) -> Wattmeter | str:
    """What measures the card's energy, or why nothing does."""
    if plan.assume_watts is not None:
        return "energy is an estimate from an assumed power"
    try:
        if plan.energy_csv is not None:
            return Wattmeter(LoggedMeter(plan.energy_csv))
        return Wattmeter(open_meter(Device.GPU))
    except NoMeterError as error:
        return f"energy is not measured: {error}"


def _nvml() -> NvmlCard | None:
    try:
        return open_card()
    except NoCardError:
        return None


def _state(card: NvmlCard | None) -> CardState | None:
    return None if card is None else read_card_state(card)


def _facts(
    plan: Plan, views: Sequence[View], detector: str, groups: Sequence[GroupFigures]
) -> RunFacts:
    """All but the date and the seconds."""
    rounds = [each for group in groups for each in group.rounds]
    return RunFacts(
        date="",
        device=Device.GPU.value,
        protocol=plan.rule.protocol,
        threads=plan.threads,
        runs=sum(len(each.times_ns) for each in rounds),
        repeats=plan.rule.repeats,
        warm_up_rounds=rounds[0].warm_up_rounds if rounds else 0,
        is_steady=all(each.is_steady for each in rounds),
        source=", ".join(dict.fromkeys(view.scene.name for view in views)),
        inputs=min(len(views), _INPUTS),
        frame_px=FRAME_PX,
        detector=detector,
        face_count=min(view.face_count for view in views),
        peak_rss_mb=round(peak_rss_mb(), 1),
    )
