"""A place where models are measured, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dcrnet_bench.host.device import Device
from dcrnet_bench.report import Report


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        models: files on this machine, at least one.
        threads: of each model and of OpenCV.
        runs: timed rounds.
        source: an image of a face, or None for the default.
        operators: whether ONNX models are profiled by operator type as well.
    """

    models: Sequence[Path]
    threads: int
    runs: int
    source: Path | None = None
    operators: bool = False


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
