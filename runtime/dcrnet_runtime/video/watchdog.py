"""Keeps frames coming: a deadline for each read, and a source that is lost is opened again."""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from dcrnet_runtime.errors import DcrnetError, SourceLostError
from dcrnet_runtime.video.capture import CaptureFacts, OpenCapture
from dcrnet_runtime.video.reader import CapturedFrame, Reader, StalledError

_POLL_S = 0.1
_ENDED = "it ended"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a lost source is opened again.

    Attributes:
        max_reconnects: in a row, without a frame between them; None for no limit.
        first_s: wait before the first one; doubles with each in a row.
        longest_s: bound of that wait.
        per_minute: at most so many in any minute, even where each brings a frame.
        max_hanging: abandoned reads that have still not come back; one more is the end.
    """

    max_reconnects: int | None = None
    first_s: float = 0.5
    longest_s: float = 30.0
    per_minute: int = 10
    max_hanging: int = 4


class Backoff:
    """How long to wait before each restart: exponential with jitter, bounded a minute.

    Args:
        policy: the bounds.
        jitter: gives 0..1; half of each wait is left to it, so that a room full of devices
            does not come back in one instant.
    """

    def __init__(self, policy: RestartPolicy, jitter: Callable[[], float] = random.random) -> None:
        self._policy = policy
        self._jitter = jitter
        self._recent_s: deque[float] = deque(maxlen=policy.per_minute)
        self.in_a_row = 0

    def next_wait_s(self, now_s: float) -> float:
        """Seconds to wait from now; counts the restart that follows."""
        policy = self._policy
        doubled_s = policy.first_s * 2.0 ** min(self.in_a_row, 16)
        wait_s = min(doubled_s, policy.longest_s) * (0.5 + 0.5 * self._jitter())
        if len(self._recent_s) == policy.per_minute:
            wait_s = max(wait_s, self._recent_s[0] + 60.0 - now_s)
        self._recent_s.append(now_s + wait_s)
        self.in_a_row += 1
        return wait_s

    def succeed(self) -> None:
        """A frame has come: the next wait is the first one's again."""
        self.in_a_row = 0


class Watchdog:
    """The frames of a source, through its failures.

    Args:
        open_capture: opens the source, also again.
        name: of the source, for people.
        policy: of restarts.
        stall_s: a live source or file that gives no frame for so long counts as lost; 0 for
            never.
        open_s: time to open it and to give the first frame.
        rotation_deg: clockwise.
        keeps_every: drop no frame even where the source is live.
        wants_stop: is asked ten times a second while waiting.
        hint: what to look at where it gives not one frame.
        wants_whole: a file that is cut off ends in an error, not in a warning.
    """

    def __init__(
        self,
        open_capture: OpenCapture,
        name: str,
        policy: RestartPolicy,
        *,
        stall_s: float,
        open_s: float,
        rotation_deg: int,
        keeps_every: bool,
        wants_stop: Callable[[], bool],
        hint: str = "is it whole, reachable and not in use?",
        wants_whole: bool = False,
    ) -> None:
        self.facts: CaptureFacts | None = None
        self.reconnects = 0
        self._open = open_capture
        self._name = name
        self._policy = policy
        self._stall_s, self._open_s = stall_s or None, open_s if stall_s else None
        self._rotation_deg = rotation_deg
        self._keeps_every = keeps_every
        self._wants_stop = wants_stop
        self._hint = hint
        self._wants_whole = wants_whole
        self._backoff = Backoff(policy)
        self._dropped = self._broken = self._captured = 0
        self._reader: Reader | None = None
        self._hanging: list[Reader] = []

    @property
    def dropped(self) -> int:
        """Frames overtaken by a newer one, over all connections."""
        return self._dropped + (self._reader.dropped if self._reader else 0)

    @property
    def broken(self) -> int:
        """Frames that could not be decoded, over all connections."""
        return self._broken + (self._reader.broken if self._reader else 0)

    def frames(self) -> Generator[CapturedFrame]:
        """Frames with ascending indices, until the source ends, is given up, or a stop.

        Raises:
            DcrnetError: not one frame came at the first opening; or the file is cut off, and is
                wanted whole.
            SourceLostError: it is lost for good.
        """
        try:
            while not self._wants_stop():
                trouble = yield from self._connection()
                if trouble is None:
                    return
                self._wait_to_restart(trouble)
        finally:
            self._leave()

    def _connection(self) -> Generator[CapturedFrame, None, str | None]:
        """The frames until this connection is over; why it is, or None where that is all."""
        first_index, is_first = self._captured, self._captured == 0
        reader = self._reader = Reader(
            self._open, rotation_deg=self._rotation_deg, keeps_every=self._keeps_every
        )
        timeout_s, trouble, has_frames = self._open_s, _ENDED, False
        try:
            while (captured := reader.take(timeout_s, self._wants_stop)) is not None:
                if not has_frames:
                    has_frames, timeout_s = True, self._stall_s
                    self._greet()
                self._see(reader.facts, captured)
                self._captured = first_index + captured.index + 1
                yield replace(captured, index=first_index + captured.index)
        except StalledError:
            trouble = f"it gave no frame for {timeout_s:g} s"
        if self._wants_stop():
            return None
        if reader.error is not None:
            if not isinstance(reader.error, (DcrnetError, OSError)):
                raise reader.error
            is_opened = reader.facts is not None
            is_told = is_opened or isinstance(reader.error, DcrnetError)
            trouble = str(reader.error) if is_told else "it cannot be opened"
        self._leave()
        if is_first and not has_frames:
            if isinstance(reader.error, DcrnetError):
                raise reader.error
            raise DcrnetError(f"{self._name} gave no frame ({trouble}): {self._hint}")
        facts = reader.facts
        if facts is None or facts.is_endless:
            return trouble
        if isinstance(reader.error, DcrnetError):
            raise reader.error
        if trouble != _ENDED:
            raise SourceLostError(f"{self._name} cannot be read any further: {trouble}")
        self._tell_missing(facts, reader.broken)
        return None

    def _tell_missing(self, facts: CaptureFacts, broken: int) -> None:
        """Say what of a file was not read.

        Raises:
            DcrnetError: its end, of a file that is wanted whole.
        """
        lacks_end = facts.is_cut_off and (broken > 0 or not facts.frame_count)
        if not broken and not lacks_end:
            return
        missing = f"{broken} of its frames could not be read" if broken else "its end is missing"
        told = f"{self._name} is cut off or damaged: {missing}; copy it again"
        if lacks_end and self._wants_whole:
            raise DcrnetError(told)
        _log.warning("%s", told)

    def _greet(self) -> None:
        """The source is here (again)."""
        if self._backoff.in_a_row:
            _log.warning("%s is back", self._name)
        self._backoff.succeed()

    def _see(self, stated: CaptureFacts | None, captured: CapturedFrame) -> None:
        """What frames are said to be, and what they are."""
        height, width = captured.rgb.shape[:2]
        if stated is not None and (self.facts is None or self.facts.size != (width, height)):
            self.facts = replace(stated, size=(width, height))

    def _wait_to_restart(self, trouble: str) -> None:
        limit = self._policy.max_reconnects
        if limit is not None and self._backoff.in_a_row >= limit:
            raise SourceLostError(
                f"{self._name} is lost ({trouble}), {self._backoff.in_a_row} reconnects brought no"
                " frame: see to it and start again, or allow more with `max_reconnects`"
            )
        now_s = time.monotonic()
        wait_s = self._backoff.next_wait_s(now_s)
        self.reconnects += 1
        _log.warning(
            "%s is lost: %s; reconnect %d in %.1f s", self._name, trouble, self.reconnects, wait_s
        )
        while (left_s := now_s + wait_s - time.monotonic()) > 0 and not self._wants_stop():
            time.sleep(min(left_s, _POLL_S))

    def _leave(self) -> None:
        """Part with the present reader."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        reader.abandon(wait_s=1.0)
        self._dropped += reader.dropped
        self._broken += reader.broken
        if reader.is_running:
            self._hanging.append(reader)
        self._hanging = [other for other in self._hanging if other.is_running]
        if len(self._hanging) > self._policy.max_hanging:
            raise SourceLostError(
                f"{len(self._hanging)} reads of the source hang and never return: restart this"
                " process, and look at the driver or the network share below it"
            )
