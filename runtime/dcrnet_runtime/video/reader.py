"""Capture in a thread of its own, holding one frame."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.video.capture import Capture, CaptureFacts, OpenCapture
from dcrnet_runtime.video.clock import StreamClock
from dcrnet_runtime.video.rotation import turned

_POLL_S = 0.1
_MOST_BROKEN = 100  # in a row: such a source has nothing more to give
_SAID_EVERY_S = 10.0
_KEY_FRAME_S = 60.0  # that a source may send bytes before its first picture
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class CapturedFrame:
    """A captured frame.

    Attributes:
        rgb: (H, W, 3) uint8 RGB, turned as asked.
        index: from 0, of the source's frames since it was opened.
        position_s: in a recording, None where live.
        captured_s: when it was captured, on ``time.monotonic``: by the stream's own time stamps
            where it has some, else when it was here.
        latency_ms: of conversion and rotation.
    """

    rgb: NDArray[np.uint8]
    index: int
    position_s: float | None
    captured_s: float
    latency_ms: float


class StalledError(Exception):
    """The deadline passed without a frame."""


class Reader:
    """Reads one opened source until it ends or is abandoned.

    A live source is read as fast as it gives, and a frame that nobody has taken is overtaken
    by the next one. A file is read as fast as its frames are taken.

    A ``read`` that hangs in native code cannot be interrupted, so a thread that misses its
    deadline is abandoned, never killed: it owns its device alone, gives it back when its read
    returns, and nothing of it is used again. The libraries below have deadlines of their own,
    so that it does return; what hangs nevertheless is bounded by :class:`Watchdog`.

    Args:
        open_capture: is called in the thread, since opening can hang as well.
        rotation_deg: clockwise.
        keeps_every: wait for frames to be taken even where the source is live.
    """

    def __init__(
        self, open_capture: OpenCapture, *, rotation_deg: int = 0, keeps_every: bool = False
    ) -> None:
        self.facts: CaptureFacts | None = None
        self.dropped = 0
        self.broken = 0
        self.error: Exception | None = None
        self._open = open_capture
        self._capture: Capture | None = None
        self._said_s, self._said = -math.inf, 0
        self._rotation_deg = rotation_deg
        self._keeps_every = keeps_every
        self._changed = threading.Condition()
        self._waiting: CapturedFrame | None = None
        self._is_over = False
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread has not come back yet."""
        return self._thread.is_alive()

    def take(
        self, timeout_s: float | None, wants_stop: Callable[[], bool]
    ) -> CapturedFrame | None:
        """The newest frame (of a file, the next one); None where the source has ended.

        Also None as soon as ``wants_stop`` says so, which is asked ten times a second.

        Raises:
            StalledError: ``timeout_s`` have passed since the call; a minute, where bytes come of
                which no picture can be made before a key frame.
        """
        began_s = time.monotonic()
        with self._changed:
            while not wants_stop():
                if self._waiting is not None or self._is_over:
                    captured, self._waiting = self._waiting, None
                    self._changed.notify_all()
                    return captured
                if timeout_s is not None and self._is_stalled(began_s, timeout_s):
                    raise StalledError
                self._changed.wait(_POLL_S)
        return None

    def abandon(self, wait_s: float = 0.0) -> None:
        """Let the thread end behind its present read, and wait so long for it."""
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()
        self._thread.join(wait_s)

    def _is_stalled(self, began_s: float, timeout_s: float) -> bool:
        now_s = time.monotonic()
        if now_s < began_s + timeout_s:
            return False
        heard_s = getattr(self._capture, "heard_s", None)
        is_heard = heard_s is not None and now_s < heard_s + timeout_s
        return not is_heard or now_s > began_s + max(timeout_s, _KEY_FRAME_S)

    def _run(self) -> None:
        try:
            capture = self._capture = self._open()
            try:
                self.facts = capture.facts
                self._read_all(capture)
            finally:
                capture.close()
        except Exception as error:  # handed to whoever takes frames
            self.error = error
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _read_all(self, capture: Capture) -> None:
        facts = capture.facts
        clock = StreamClock(is_bursty=facts.is_bursty, keeps_every=self._keeps_every)
        index = broken_in_a_row = 0
        while not self._is_abandoned and broken_in_a_row < _MOST_BROKEN and capture.grab():
            arrived_s = time.monotonic()
            position_s = capture.position_s()
            captured_s = arrived_s
            if facts.is_live and position_s is not None:
                is_old = clock.is_backlog(position_s, arrived_s)
                captured_s = clock.captured_s(position_s, arrived_s)
                if is_old and not self._keeps_every:
                    self.dropped += 1
                    index += 1
                    continue
                position_s = None
            rgb = capture.retrieve()
            if rgb is None:
                self.broken += 1
                broken_in_a_row += 1
                if facts.is_live:
                    self._say_broken(facts.name)
            else:
                broken_in_a_row = 0
                rgb = turned(rgb, self._rotation_deg)
                latency_ms = (time.monotonic() - arrived_s) * 1000
                if facts.is_bursty and not self._wait_until(captured_s):
                    return
                captured = CapturedFrame(rgb, index, position_s, captured_s, latency_ms)
                self._offer(captured, is_kept=self._keeps_every or not facts.is_live)
            index += 1
        if broken_in_a_row == _MOST_BROKEN:
            self.error = OSError(f"{_MOST_BROKEN} frames in a row cannot be decoded")
        # A container states how many frames it has; what cannot be decoded is left out silently.
        self.broken += max(0, facts.frame_count - index) if not self._is_abandoned else 0

    def _say_broken(self, name: str) -> None:
        """A live source's broken frames, in one line for those of ten seconds."""
        now_s = time.monotonic()
        if now_s >= self._said_s + _SAID_EVERY_S:
            _log.warning("%s: %d frames cannot be decoded", name, self.broken - self._said)
            self._said_s, self._said = now_s, self.broken

    def _wait_until(self, due_s: float) -> bool:
        """Whether the reader is still wanted then."""
        while not self._is_abandoned and (left_s := due_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _POLL_S))
        return not self._is_abandoned

    def _offer(self, captured: CapturedFrame, *, is_kept: bool) -> None:
        with self._changed:
            while is_kept and self._waiting is not None and not self._is_abandoned:
                self._changed.wait()
            self.dropped += self._waiting is not None
            self._waiting = captured
            self._changed.notify_all()
