"""When a live source's frames were captured, by the time stamps that its stream gives them."""

from __future__ import annotations

from collections import deque

_WINDOW = 50  # frames
_JUMP_S = 10.0
_BACK_S = 0.5
_CATCH_UP = 1.01
_LATE_S = 0.5


class StreamClock:
    """Turns the stamps of a stream into times of this machine, on ``time.monotonic``.

    A stream that arrives as it is made was captured by its stamps on the way with the least
    delay of late; a frame that was held up keeps its own, older time. One that arrives in bursts
    is played at the pace of its stamps, from when its first frame was here.

    Args:
        is_bursty: whether it arrives in bursts.
        keeps_every: whether no frame may be lost, so that a slow reader makes frames late without
            anything being wrong with the stream.
    """

    def __init__(self, *, is_bursty: bool, keeps_every: bool = False) -> None:
        self._is_bursty, self._keeps_every = is_bursty, keeps_every
        self._delays_s: deque[float] = deque(maxlen=_WINDOW)
        self._last: tuple[float, float] | None = None
        self._stamp_s = 0.0
        self._is_caught_up = is_bursty

    def captured_s(self, position_s: float, arrived_s: float) -> float:
        """When a frame was captured; of a bursty stream, when it is to be shown.

        Args:
            position_s: its stamp.
            arrived_s: when it was here.
        """
        last, self._last = self._last, (position_s, arrived_s)
        if last is not None and not -_BACK_S <= position_s - last[0] <= _JUMP_S:
            self._delays_s.clear()
            last = None  # the stream has begun anew
        if self._is_bursty:
            self._stamp_s = self._shown_s(position_s, arrived_s, last)
        else:
            self._delays_s.append(arrived_s - position_s)
            self._stamp_s = position_s + min(self._delays_s)
        return self._stamp_s

    def is_backlog(self, position_s: float, arrived_s: float) -> bool:
        """Whether a frame lay ready before the connection, so that newer ones follow at once.

        To be asked of each frame, before :meth:`captured_s`; once one had to be waited for, there
        is no backlog any more.
        """
        if self._is_caught_up:
            return False
        if self._last is None:
            return True
        step_s, waited_s = position_s - self._last[0], arrived_s - self._last[1]
        self._is_caught_up = waited_s > 0.5 * step_s
        return not self._is_caught_up

    def _shown_s(
        self, position_s: float, arrived_s: float, last: tuple[float, float] | None
    ) -> float:
        if last is None:
            return max(arrived_s, self._stamp_s)
        step_s = max(0.0, position_s - last[0])
        if self._keeps_every:
            return self._stamp_s + step_s
        # A little faster than the stamps, so that what another clock gets ahead is made good.
        due_s = self._stamp_s + step_s / _CATCH_UP
        return arrived_s if arrived_s > due_s + _LATE_S else due_s
