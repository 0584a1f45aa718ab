"""Energy of an inference from the processor's own counter (Intel and AMD: RAPL).

The counter covers the whole package: cores, caches and whatever else runs. The power of the idle
machine is measured first and subtracted, so the figure is what the inference adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RAPL = Path("/sys/class/powercap/intel-rapl:0")
_SPAN_S = 1.0
_J_PER_UJ = 1e-6


class NoCounterError(Exception):
    """This machine shows no energy counter; the text says why."""


@dataclass(frozen=True, slots=True)
class EnergyCounter:
    """RAPL's package counter.

    Attributes:
        folder: where the kernel shows it.
        range_uj: the count at which it starts again from 0.
    """

    folder: Path
    range_uj: int

    @classmethod
    def open(cls, folder: Path = RAPL) -> EnergyCounter:
        """The counter of the first package.

        Raises:
            NoCounterError: there is none, or this user may not read it.
        """
        try:
            counter = cls(folder, int((folder / "max_energy_range_uj").read_text()))
            counter.read_uj()
        except PermissionError as error:
            raise NoCounterError(f"{folder}/energy_uj is readable by root only") from error
        except (OSError, ValueError) as error:
            raise NoCounterError("this machine shows no RAPL energy counter") from error
        return counter

    def read_uj(self) -> int:
        """The count now, in microjoules."""
        return int((self.folder / "energy_uj").read_text())

    def spent_j(self, before_uj: int) -> float:
        """Energy since ``before_uj`` was read, in J."""
        return (self.read_uj() - before_uj) % self.range_uj * _J_PER_UJ


def energy_of(
    run: Callable[[], object],
    counter: EnergyCounter,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> float | None:
    """J that one ``run`` adds to the idle machine's; None where it drowns in the idle power."""
    before_uj, started_s = counter.read_uj(), clock()
    sleep(_SPAN_S)
    idle_w = counter.spent_j(before_uj) / (clock() - started_s)
    count = 0
    before_uj, started_s = counter.read_uj(), clock()
    while clock() - started_s < _SPAN_S:
        run()
        count += 1
    added_j = counter.spent_j(before_uj) - idle_w * (clock() - started_s)
    return added_j / count if added_j > 0 else None
