"""What is told of a GPU beside its models."""

from __future__ import annotations

from dataclasses import dataclass

from dcrnet_bench.host.gpu.cuda import Card
from dcrnet_bench.host.gpu.nvml import CardState
from dcrnet_bench.timing.gpu.execution import LaunchGap


@dataclass(frozen=True, slots=True)
class GpuReport:
    """The card, and what starting kernels from the host costs on it.

    Attributes:
        card: which.
        before: its state before the run; None where it does not tell.
        after: the same behind it.
        launch_gaps: of each network, precision and batch that ran both ways.
    """

    card: Card
    before: CardState | None
    after: CardState | None
    launch_gaps: tuple[LaunchGap, ...]
