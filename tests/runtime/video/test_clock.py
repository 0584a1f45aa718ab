"""When a live stream's frames were captured, by its own time stamps."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.clock import StreamClock
from dcrnet_runtime.video.reader import CapturedFrame, Reader


def stamps(clock: StreamClock, arrivals: Sequence[tuple[float, float]]) -> list[float]:
    return [clock.captured_s(position_s, arrived_s) for position_s, arrived_s in arrivals]


def test_a_frame_that_was_held_up_keeps_its_own_time() -> None:
    clock = StreamClock(is_bursty=False)
    steady = [(n / 10, 50.0 + n / 10) for n in range(10)]
    assert stamps(clock, steady) == pytest.approx([50.0 + n / 10 for n in range(10)])
    # Frozen for seven seconds, then all at once.
    late = [(n / 10, 57.9) for n in range(10, 80)]
    assert stamps(clock, late)[:5] == pytest.approx([51.0, 51.1, 51.2, 51.3, 51.4])
    assert stamps(clock, [(8.0, 58.0)]) == pytest.approx([58.0])


def test_stamps_that_run_slow_do_not_make_frames_old() -> None:
    clock = StreamClock(is_bursty=False)
    arrivals = [(n / 25, n / 20) for n in range(2000)]  # 20 frames a second, stamped as 25
    ages = [a - s for (_, a), s in zip(arrivals, stamps(clock, arrivals), strict=True)]
    assert max(ages) <= 0.5


def test_a_stream_that_begins_anew_is_stamped_anew() -> None:
    clock = StreamClock(is_bursty=False)
    stamps(clock, [(1000.0 + n / 10, 5.0 + n / 10) for n in range(10)])
    assert stamps(clock, [(0.0, 20.0), (0.1, 20.1)]) == pytest.approx([20.0, 20.1])


def test_what_lay_ready_before_the_connection_is_backlog() -> None:
    clock = StreamClock(is_bursty=False)
    arrivals = [(n / 10, 5.0 + n / 1000) for n in range(20)] + [(2.0, 5.1), (2.1, 5.2)]
    seen = []
    for position_s, arrived_s in arrivals:
        seen.append(clock.is_backlog(position_s, arrived_s))
        clock.captured_s(position_s, arrived_s)
    assert seen == [True] * 20 + [False, False]


def test_a_burst_is_played_at_its_own_pace() -> None:
    clock = StreamClock(is_bursty=True)
    burst = stamps(clock, [(n / 10, 5.0) for n in range(20)])
    assert np.diff(burst) == pytest.approx(0.1 / 1.01)
    kept = StreamClock(is_bursty=True, keeps_every=True)
    slow = stamps(kept, [(n / 10, 5.0 + n) for n in range(20)])  # the model takes a second each
    assert np.diff(slow) == pytest.approx(0.1)


class Scripted:
    """Frames with stamps, each of which comes at a time of its own."""

    def __init__(self, script: Sequence[tuple[float, float]], *, is_bursty: bool) -> None:
        self.facts = CaptureFacts("s", is_live=True, is_endless=False, is_bursty=is_bursty)
        self._script, self._at = list(script), -1
        self._began_s = time.monotonic()

    def grab(self) -> bool:
        self._at += 1
        if self._at >= len(self._script):
            return False
        time.sleep(max(0.0, self._began_s + self._script[self._at][1] - time.monotonic()))
        return True

    def retrieve(self) -> NDArray[np.uint8]:
        return np.full((4, 4, 3), self._at, np.uint8)

    def position_s(self) -> float:
        return self._script[self._at][0]

    def close(self) -> None:
        pass


def read(script: Sequence[tuple[float, float]], **how: bool) -> tuple[Reader, list[CapturedFrame]]:
    keeps_every = how.pop("keeps_every", False)
    reader = Reader(lambda: Scripted(script, **how), keeps_every=keeps_every)
    frames = []
    while (frame := reader.take(5.0, lambda: False)) is not None:
        frames.append(frame)
    return reader, frames


def test_no_frame_of_a_burst_is_lost() -> None:
    reader, frames = read([(n / 50, 0.0) for n in range(40)], is_bursty=True)
    assert len(frames) + reader.dropped == 40
    assert len(frames) >= 36  # a busy machine may be late for some
    assert frames[-1].captured_s - frames[0].captured_s == pytest.approx(39 / 50, abs=0.1)


def test_the_backlog_of_a_connection_is_left_out() -> None:
    script = [(n / 10, 0.0) for n in range(30)] + [(3.0 + n / 10, 0.1 + n / 10) for n in range(4)]
    reader, frames = read(script, is_bursty=False)
    assert frames[0].index >= 29
    assert reader.dropped >= 29
    kept, everything = read(script, is_bursty=False, keeps_every=True)
    assert len(everything) == 34
    assert kept.dropped == 0
