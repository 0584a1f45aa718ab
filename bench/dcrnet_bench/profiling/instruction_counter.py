"""The emulator's counter of instructions, as the program sees it that is emulated.

An emulated processor has no time of its own, but it executes the very instructions of the board's:
their number is what can be compared from one machine to the next. The emulator's plug-in
(:mod:`dcrnet_bench.emulation.plugin`) appends a line of counts to a file at each mark.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dcrnet_bench.profiling.instructions import InstructionCount
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.timing import collector_paused

COUNTS_VARIABLE = "DCRNET_INSTRUCTION_COUNTS"
"""Names the plug-in's file to the emulated program."""

CORE_VARIABLE = "DCRNET_EMULATED_CORE"
"""Names the core that is played."""

KINDS = ("dot", "matrix", "fmla", "widening", "load", "store", "other")
"""The plug-in's columns. ``dot``: SDOT, UDOT, USDOT; ``matrix``: SMMLA, UMMLA, USMMLA; ``fmla``:
FMLA and FMLS on vectors; ``widening``: SMLAL, SMLSL, SMULL and those of unsigned; ``other``: none
of these, and no load or store."""

_WARM_UPS = 2
_REPEATS = 3

_Counts = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InstructionCounter:
    """The counter of the emulator around this program.

    Attributes:
        file: a line of counts for each mark.
        core: that is played.
    """

    file: Path
    core: str

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> InstructionCounter | None:
        """The counter of the emulator that runs this program; None where it has none."""
        named = environment.get(COUNTS_VARIABLE)
        return cls(Path(named), environment.get(CORE_VARIABLE, "")) if named else None

    def executed_by(self, run: Callable[[], object]) -> InstructionCount:
        """What one warm ``run`` executes: the least of some, less what a mark itself takes.

        What varies from run to run, such as the allocator's housekeeping, only adds.

        Raises:
            DcrnetError: the counter did not count.
        """
        for _ in range(_WARM_UPS):
            run()
        first = len(self._lines())
        with collector_paused():
            _mark()
            _mark()
            for _ in range(_REPEATS):
                run()
                _mark()
        empty, *runs = self._intervals(first)
        pairs = zip(min(runs, key=sum), empty, strict=True)
        by_kind = {kind: max(0, a - b) for kind, (a, b) in zip(KINDS, pairs, strict=True)}
        return InstructionCount(self.core, sum(by_kind.values()), by_kind)

    def _intervals(self, first: int) -> list[_Counts]:
        """Between each mark and the next, from line ``first`` on."""
        marks = [tuple(map(int, line.split())) for line in self._lines()[first:]]
        if len(marks) != _REPEATS + 2:
            raise DcrnetError(
                f"the counter of instructions wrote {len(marks)} lines to {self.file} for"
                f" {_REPEATS + 2} marks: start the emulator with its plug-in again"
            )
        return [
            tuple(after - before for before, after in zip(*pair, strict=True))
            for pair in pairwise(marks)
        ]

    def _lines(self) -> list[str]:
        try:
            return self.file.read_text().splitlines()
        except OSError as error:
            raise DcrnetError(
                f"the counter of instructions has no file {self.file} ({error.strerror}): start"
                " the emulator with its plug-in again"
            ) from error


def _mark() -> None:
    """A system call that nothing else uses (the plug-in's ``MARK``)."""
    os.sched_get_priority_max(os.SCHED_OTHER)
