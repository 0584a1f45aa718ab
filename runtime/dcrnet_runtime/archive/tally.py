"""What a run over many items has done, and how it says so."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from dcrnet_runtime.archive.journal import Done
from dcrnet_runtime.archive.part import Part, Step, Usage


@dataclass(slots=True)
class Tally:
    """Counts items, and the time and memory that they took.

    Attributes:
        total: items that there are.
        workers: processes that answer them.
        before: items that an earlier run had done; they count among all that follow but two.
        with_faces: items with a face.
        without: items without one.
        failed: items that could not be read, or not to their end, in this run.
        broken: those of ``before`` that could not be read to their end.
        frames: pictures that were answered, in this run.
        photos: photos that were: the number of the next one.
        faces: in all of them.
    """

    total: int
    workers: int = 1
    before: int = 0
    with_faces: int = 0
    without: int = 0
    failed: int = 0
    broken: int = 0
    frames: int = 0
    photos: int = 0
    faces: int = 0
    _began_s: float = field(default_factory=time.monotonic)
    _seconds: dict[Step, float] = field(default_factory=lambda: dict.fromkeys(Step, 0.0))
    _usage: dict[int, Usage] = field(default_factory=dict)

    def held(self, done: Iterable[Done]) -> None:
        """Count what earlier runs had done of the items."""
        for each in done:
            self.before += 1
            self.broken += bool(each.failure)
            self._count(each)

    def part(self, part: Part) -> None:
        """Count the time of a part."""
        for step, seconds in part.seconds.items():
            self._seconds[step] += seconds
        if part.usage is not None:
            self._usage[part.usage.process] = part.usage

    def item(self, done: Done) -> None:
        """Count an item that is done."""
        self.frames += done.frames
        self.photos += done.is_photo and done.frames > 0
        self.failed += bool(done.failure)
        self._count(done)

    def _count(self, done: Done) -> None:
        self.faces += done.faces
        self.with_faces += not done.failure and done.faces > 0
        self.without += not done.failure and done.faces == 0

    @property
    def done(self) -> int:
        """Items of which nothing more will come, whenever they were done."""
        return self.with_faces + self.without + self.failed + self.broken

    @property
    def answered(self) -> int:
        """Items that this run is through with."""
        return self.done - self.before

    @property
    def counts(self) -> str:
        """For a bar: how the items came out."""
        return (
            f"{self.with_faces:,} with a face, {self.without:,} without, "
            f"{self.failed + self.broken:,} unreadable"
        )

    def __str__(self) -> str:
        """The line at the end."""
        elapsed_s = max(time.monotonic() - self._began_s, 1e-9)
        earlier = f", {self.before:,} of them before" if self.before else ""
        start = f"{self.done:,} of {self.total:,} files done{earlier}: {self.counts}."
        if not self.answered:
            return start
        rate = (
            f" {self.faces:,} faces; {elapsed_s:.1f} s, {self.answered / elapsed_s:.1f} files/s"
            f" by {self.workers} worker{'s' * (self.workers > 1)}"
        )
        return f"{start}{rate}{self._resources()}{self._shares()}."

    def _resources(self) -> str:
        if not self._usage:
            return ""
        peak = max(usage.peak_bytes for usage in self._usage.values())
        cpu_s = sum(usage.cpu_s for usage in self._usage.values())
        return (
            f" ({1000 * cpu_s / self.answered:.1f} ms of a core a file with start-up, at most"
            f" {peak / 1e6:.0f} MB each)"
        )

    def _shares(self) -> str:
        whole_s = sum(self._seconds.values())
        if not whole_s:
            return ""
        shares = (f"{step} {100 * self._seconds[step] / whole_s:.0f} %" for step in Step)
        return f"; {', '.join(shares)}"
