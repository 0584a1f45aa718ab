"""A place where models are measured, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from dcrnet_bench.host.device import Device
from dcrnet_bench.report.report import Report
from dcrnet_bench.timing.sampling import FULL, QUICK, SampleRule, fixed_runs
from dcrnet_runtime.errors import DcrnetError


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        models: files on this machine, at least one.
        threads: of each model and of OpenCV.
        runs: timed rounds, whatever time they take; None for the protocol's rule.
        source: an image of a face or a folder of them, or None for the default.
        operators: whether ONNX models are profiled by operator type as well.
        is_quick: whether the protocol's short rule holds, whose figures are labelled.
        repeats: of the whole measurement; None for the rule's.
        baseline: which of ``models`` the others are divided by, round by round; None for none.
        sustained_s: how long each model is kept under load at the end; 0 for not at all.
        is_quiet_required: whether a busy, throttled, charging or emulated host is refused.
        energy_csv: what an external meter writes while this runs; None for this machine's own.
        assume_watts: a power from which energy is estimated, no meter being read; None for none.

    Raises:
        DcrnetError: energy is to be both measured and estimated.
    """

    models: Sequence[Path]
    threads: int = 1
    runs: int | None = None
    source: Path | None = None
    operators: bool = False
    is_quick: bool = False
    repeats: int | None = None
    baseline: Path | None = None
    sustained_s: float = 0.0
    is_quiet_required: bool = False
    energy_csv: Path | None = None
    assume_watts: float | None = None

    def __post_init__(self) -> None:
        if self.energy_csv is not None and self.assume_watts is not None:
            raise DcrnetError(
                "`energy_csv` and `assume_watts` contradict each other: a meter's file is"
                " measured, a stated power is an estimate; name one"
            )

    @property
    def rule(self) -> SampleRule:
        """How much is measured on a real processor."""
        rule = QUICK if self.is_quick else FULL
        if self.runs is not None:
            rule = fixed_runs(self.runs)
        return rule if self.repeats is None else replace(rule, repeats=self.repeats)


class Target(Protocol):
    """A machine, or a part of one, that models are measured on."""

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        """Load, time, count; and leave nothing behind.

        Args:
            plan: what.
            warn: told, before minutes are spent, what will make the figures doubtful.

        Raises:
            DcrnetError: a model or the source cannot be used, or the target is lost.
        """
        ...


@dataclass(frozen=True, slots=True)
class TargetKind:
    """A kind of target.

    Attributes:
        devices: whose figures it gives.
        open: the target for one of them, checked to be at hand; raises
            :class:`~dcrnet_runtime.errors.DcrnetError` with what to do instead.
    """

    devices: frozenset[Device]
    open: Callable[[Device], Target]
