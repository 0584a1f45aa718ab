"""What comes back of an item: its answers, in one or more parts."""

from __future__ import annotations

import re
import resource
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dcrnet_runtime.archive.item import Fingerprint
from dcrnet_runtime.observation import Observation


class Step(StrEnum):
    """The steps of an item's way, in order."""

    DECODE = "decode"
    FIND = "find"
    PREPARE = "prepare"
    INFER = "infer"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used since it was started.

    Attributes:
        process: its number.
        cpu_s: processor time of all its threads.
        peak_bytes: the most memory that it had resident.
    """

    process: int
    cpu_s: float
    peak_bytes: int

    @classmethod
    def of(cls, process: int) -> Usage:
        """Of this process."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        peak_bytes = _peak_kib() or used.ru_maxrss
        return cls(process, used.ru_utime + used.ru_stime, peak_bytes << 10)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of an item's answers; the last part says that there are no more, or why.

    Attributes:
        index: of the item, among those that are asked about.
        observations: one a frame, in order.
        is_last: whether the item is done.
        is_photo: whether it is a photo.
        failure: why it could not be read, or not to its end; empty where it could.
        notes: what is to be said of it.
        fingerprint: of its file, from before it was read; None where there is none.
        seconds: that its steps took, by step.
        usage: of the process that answered.
    """

    index: int
    observations: tuple[Observation, ...] = ()
    is_last: bool = False
    is_photo: bool = True
    failure: str = ""
    notes: tuple[str, ...] = ()
    fingerprint: Fingerprint | None = None
    seconds: Mapping[Step, float] = field(default_factory=dict)
    usage: Usage | None = None


class StepTimes:
    """Adds up what steps took that follow each other."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Step, float] = defaultdict(float)
        self._began_s = time.perf_counter()

    def begin(self) -> None:
        """Time from now on is the next step's."""
        self._began_s = time.perf_counter()

    def end(self, step: Step) -> None:
        """The time since the last call was this step's."""
        now_s = time.perf_counter()
        self._seconds[step] += now_s - self._began_s
        self._began_s = now_s

    def add(self, step: Step, seconds: float) -> None:
        """What was measured elsewhere."""
        self._seconds[step] += seconds

    def taken(self) -> dict[Step, float]:
        """All of it; counting begins anew."""
        taken, self._seconds = dict(self._seconds), defaultdict(float)
        return taken


def _peak_kib() -> int:
    """The most that this program had resident; getrusage counts what it was started from, too."""
    try:
        found = re.search(rb"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_bytes(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0
