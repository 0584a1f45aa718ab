"""The thin interface to a GPU: what is measured, whoever computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.gpu.execution import Execution, GpuPrecision, GpuRow


class NoSessionError(Exception):
    """A way of running a network is not to be had; the text says why."""


class GpuSession(Protocol):
    """A network for one number of faces, ready on the device, with its buffers there."""

    def fill(self, crops: NDArray[np.uint8]) -> None:
        """Copy (N, S, S, 3) uint8 RGB crops to the device, and wait until they are there."""
        ...

    def run(self) -> None:
        """One inference of what was filled in, and wait until the device has finished it."""
        ...

    def answers(self) -> NDArray[np.float32]:
        """Copy the last run's probabilities back: (N, labels)."""
        ...

    def close(self) -> None:
        """Give back what it holds on the device."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class GpuNetwork:
    """A network of one engine.

    Attributes:
        name: in the tables.
        engine: of :class:`~dcrnet_bench.timing.gpu.execution.GpuRow`.
        precisions: that it can be run in.
        batches: numbers of faces that it takes; empty for any.
        open: makes a row's session; raises :class:`NoSessionError`.
        reference: the CPU's probabilities of (N, S, S, 3) uint8 crops, as (N, labels).
    """

    name: str
    engine: str
    precisions: Sequence[GpuPrecision]
    batches: Sequence[int]
    open: Callable[[GpuRow], GpuSession]
    reference: Callable[[NDArray[np.uint8]], NDArray[np.float32]]

    def rows(self, batches: Sequence[int]) -> list[tuple[GpuRow, ...]]:
        """Groups of rows that differ in their execution alone.

        Args:
            batches: wanted ones.
        """
        return [
            tuple(GpuRow(self.engine, each, precision, batch) for each in Execution)
            for batch in batches
            if not self.batches or batch in self.batches
            for precision in self.precisions
        ]
