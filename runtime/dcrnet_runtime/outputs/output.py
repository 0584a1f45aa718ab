"""What every output offers the publisher, and what a writer offers its worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation


@dataclass(frozen=True, slots=True)
class Failing:
    """How an output fails that goes on trying.

    Attributes:
        since_s: when it began to, on ``time.monotonic``.
        why: what the last try met.
    """

    since_s: float
    why: str


class Output(Protocol):
    """Takes observations from the loop's thread without holding it up."""

    name: str
    failures: int
    """Observations that were lost or could not be written."""
    wants_stop: bool
    """Whether the person or program at the other end has had enough."""
    error: str | None
    """Why the output has ended, or is not whole where it should have been."""
    failing: Failing | None
    """How it fails while it goes on trying; None while it works."""

    def offer(self, observation: Observation, unix_s: float) -> None:
        """Take an observation of a frame that was captured at ``unix_s``; never raises."""

    def close(self) -> None:
        """Finish what was taken, and let go; never raises."""


class OutputWriter(Protocol):
    """Writes observations, at its own pace, in a worker's thread."""

    name: str
    takes_pixels: bool
    """Whether it looks at the frame's picture."""

    def write(self, observation: Observation, unix_s: float) -> None:
        """Write one; what is raised ends it, but for :class:`NotNowError` of a live source.

        Raises:
            ReaderLeftError: whoever reads has had enough.
            NotNowError: it may work later.
        """

    def close(self, *, is_whole: bool) -> None:
        """Finish; ``is_whole`` tells that there were observations, and every one was written."""


@runtime_checkable
class ResumableWriter(OutputWriter, Protocol):
    """A writer whose file a later run can go on with, also after a kill.

    Its spec says so (:attr:`dcrnet_runtime.outputs.spec.OutputSpec.resumes`), tells how far
    the file goes, and opens it at the position that the context has for it: whatever lies behind
    that is of an item that was not finished, and is cut off.
    """

    def position(self) -> int | None:
        """How far the file goes: bytes, rows, parts, any count that rises and is never negative.

        None while something that was written is held back and would be lost with the process;
        then the items since the last position are done again after a kill, and it is asked once
        more after :meth:`close`.
        """


class ReaderLeftError(Exception):
    """The reader of standard output (head, say) has left: nothing is wrong, but all is said."""


class NotNowError(DcrnetError):
    """An observation could not be written, but a later one may be: the disk is full, say."""
