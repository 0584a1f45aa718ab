"""The thread that keeps a slow output off the loop."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from threading import Condition, Thread

import numpy as np

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.output import (
    Failing,
    NotNowError,
    OutputWriter,
    ReaderLeftError,
    ResumableWriter,
)
from dcrnet_runtime.outputs.spec import OutputContext

_log = logging.getLogger(__name__)
_NO_PIXELS = np.empty((0, 0, 3), np.uint8)
_GLANCE_S = 0.1  # between looks at whether the run is being stopped
_RETRY_S = 1.0  # between tries of an output that fails


class Worker:
    """An output whose writer has a thread of its own, behind a bounded queue.

    Args:
        writer: to write with; used by the thread only.
        depth: observations that the queue holds.
        is_lossless: when the queue is full, wait for room (a recording can wait) instead of
            dropping its oldest; and end where a write fails, instead of trying the next one.
        counts_losses: whether what is dropped is a failure, or just overtaken.
        is_stopping: whether the run is being stopped, so that nothing may wait for long.
        grace_s: seconds that closing waits for the writer when the run is being stopped.
    """

    def __init__(
        self,
        writer: OutputWriter,
        *,
        depth: int,
        is_lossless: bool,
        counts_losses: bool = True,
        is_stopping: Callable[[], bool] = lambda: False,
        grace_s: float = 10.0,
    ) -> None:
        self.name = writer.name
        self.failures = 0
        self.wants_stop = False
        self.error: str | None = None
        self.failing: Failing | None = None
        self._writer = writer
        self._depth = depth
        self._is_lossless = is_lossless
        self._counts_losses = counts_losses
        self._is_stopping = is_stopping
        self._grace_s = grace_s
        self._queue: deque[tuple[Observation, float]] = deque()
        self._changed = Condition()
        self._is_open = True
        self._is_writing = False
        self._thread = Thread(target=self._run, name=f"dcrnet-{writer.name}", daemon=True)
        self._thread.start()

    def offer(self, observation: Observation, unix_s: float) -> None:
        """Queue an observation."""
        if not self._writer.takes_pixels:  # a queue of lines must not hold a queue of pictures
            observation = replace(observation, frame=replace(observation.frame, rgb=_NO_PIXELS))
        with self._changed:
            while self._is_lossless and self._is_full() and not self._is_stopping():
                self._changed.wait(_GLANCE_S)
            if not self._is_open:
                self.failures += self.error is not None
                return
            if self._is_full():
                self._queue.popleft()
                self.failures += self._counts_losses
            self._queue.append((observation, unix_s))
            self._changed.notify_all()

    def position(self) -> int | None:
        """How far a resumable writer's file goes, once all that was offered is written.

        None where it holds something back, has failed, or is no such writer.
        """
        with self._changed:
            while self._is_open and (self._queue or self._is_writing):
                self._changed.wait(_GLANCE_S)
            writer, is_idle = self._writer, self._is_open or not self._thread.is_alive()
            if self.error is not None or not is_idle or not isinstance(writer, ResumableWriter):
                return None
            # Within the lock, since the thread must not begin another one meanwhile.
            return writer.position()

    def close(self) -> None:
        """Let the writer write what is queued, but not for ever when the run is being stopped."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        deadline = None if self._is_lossless else time.monotonic() + self._grace_s
        while self._thread.is_alive():
            self._thread.join(_GLANCE_S)
            if deadline is None and self._is_stopping():
                deadline = time.monotonic() + self._grace_s
            if deadline is not None and time.monotonic() > deadline:
                self._fail(f"it did not finish in {self._grace_s:.0f} s")
                return

    def _is_full(self) -> bool:
        return self._is_open and len(self._queue) >= self._depth

    def _run(self) -> None:
        has_written = False
        try:
            while (queued := self._next()) is not None:
                has_written |= self._has_written(*queued)
        except ReaderLeftError:
            self.wants_stop = True
        except Exception as error:  # whatever it is, the other outputs go on
            self._fail(_told(error))
        with self._changed:
            self._is_open = False
            self._queue.clear()
            self._changed.notify_all()
        try:
            self._writer.close(is_whole=has_written and self.error is None)
        except Exception as error:
            self._fail(_told(error))

    def _has_written(self, observation: Observation, unix_s: float) -> bool:
        """Write it; whether that worked, where the output may fail for a while."""
        try:
            self._writer.write(observation, unix_s)
        except NotNowError as error:
            if self._is_lossless:
                raise
            self._wait_to_retry(str(error))
            return False
        if self.failing is not None:
            _log.warning("output %s works again", self.name)
            self.failing = None
        return True

    def _wait_to_retry(self, why: str) -> None:
        if self.failing is None:
            _log.warning("output %s fails, trying on: %s", self.name, why)
        self.failing = Failing(self.failing.since_s if self.failing else time.monotonic(), why)
        retry_s = time.monotonic() + _RETRY_S
        with self._changed:
            self.failures += 1
            while self._is_open and (left_s := retry_s - time.monotonic()) > 0:
                self._changed.wait(left_s)

    def _next(self) -> tuple[Observation, float] | None:
        """Waits for an observation; None once the output is closed and the queue empty."""
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
            while self._is_open and not self._queue:
                self._changed.wait()
            if not self._queue:
                return None
            self._is_writing = True
            return self._queue.popleft()

    def _fail(self, why: str) -> None:
        with self._changed:
            self.failures += 1
        if self.error is None:
            self.error = why


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, DcrnetError) else f"{type(error).__name__}: {error}"


def queued(writer: OutputWriter, context: OutputContext, depth: int) -> Worker:
    """A writer behind a queue of so many observations, which loses none where the source waits."""
    is_lossless = not context.facts.is_live
    return Worker(writer, depth=depth, is_lossless=is_lossless, is_stopping=context.is_stopping)
