"""A source that fails in every way, and the loop that outlives it."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError, SourceLostError
from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.reader import CapturedFrame, Reader
from dcrnet_runtime.video.watchdog import Backoff, RestartPolicy, Watchdog

LIVE = CaptureFacts("camera", is_live=True, is_endless=True)
FILE = CaptureFacts("file", is_live=False, is_endless=False)
QUICK = RestartPolicy(first_s=0.01, longest_s=0.02, per_minute=1000)


class ScriptedCapture:
    """Gives what its script yields: a number is a frame, None a broken one."""

    def __init__(self, script: Iterator[int | None], facts: CaptureFacts = LIVE) -> None:
        self.facts = facts
        self.is_closed = False
        self._script = script
        self._number: int | None = None

    def grab(self) -> bool:
        try:
            self._number = next(self._script)
        except StopIteration:
            return False
        return True

    def retrieve(self) -> NDArray[np.uint8] | None:
        return None if self._number is None else np.full((4, 6, 3), self._number, np.uint8)

    def position_s(self) -> float | None:
        return None

    def close(self) -> None:
        self.is_closed = True


def watchdog(
    open_capture: Callable[[], ScriptedCapture],
    policy: RestartPolicy = QUICK,
    wants_stop: Callable[[], bool] = lambda: False,
    rotation_deg: int = 0,
) -> Watchdog:
    return Watchdog(
        open_capture,
        "camera",
        policy,
        stall_s=0.3,
        open_s=2.0,
        rotation_deg=rotation_deg,
        keeps_every=False,
        wants_stop=wants_stop,
    )


def numbers(frames: Iterator[CapturedFrame]) -> list[int]:
    return [int(captured.rgb[0, 0, 0]) for captured in frames]


def hanging(started: int, forever: threading.Event) -> Iterator[int]:
    """One frame, then a read that does not return."""
    yield started
    forever.wait()


def test_the_wait_doubles_with_jitter_up_to_a_bound() -> None:
    policy = RestartPolicy(first_s=1, longest_s=8)
    assert [Backoff(policy, lambda: 1.0).next_wait_s(0) for _ in range(1)] == [1]
    full, none = Backoff(policy, lambda: 1.0), Backoff(policy, lambda: 0.0)
    times = [1000.0 * i for i in range(6)]
    assert [full.next_wait_s(now) for now in times] == [1, 2, 4, 8, 8, 8]
    assert [none.next_wait_s(now) for now in times] == [0.5, 1, 2, 4, 4, 4]
    full.succeed()
    assert full.next_wait_s(9000.0) == 1


def test_no_minute_sees_more_than_ten_restarts() -> None:
    """Even of a source that gives one frame each time and so resets the back-off."""
    backoff = Backoff(RestartPolicy())
    now_s, restarts = 0.0, []
    for _ in range(60):
        now_s += backoff.next_wait_s(now_s)
        restarts.append(now_s)
        backoff.succeed()
    for first in restarts:
        assert sum(first <= other < first + 60 for other in restarts) <= 10
    assert restarts[-1] < 6 * 61


def test_an_endless_source_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    connections = [iter([1]), iter([2]), iter([]), iter([3])]
    opened = [ScriptedCapture(script) for script in connections]
    dog = watchdog(iter(opened).__next__)
    with caplog.at_level(logging.WARNING):
        frames = list(itertools.islice(dog.frames(), 3))
    assert numbers(iter(frames)) == [1, 2, 3]
    assert [captured.index for captured in frames] == [0, 1, 2]
    assert dog.reconnects == 3
    assert all(capture.is_closed for capture in opened[:3])
    assert caplog.text.count("camera is lost: it ended; reconnect") == 3
    assert caplog.text.count("camera is back") == 2


def test_a_read_that_never_returns_is_abandoned(caplog: pytest.LogCaptureFixture) -> None:
    forever = threading.Event()
    opened = [ScriptedCapture(hanging(7, forever)), ScriptedCapture(itertools.repeat(9))]
    dog = watchdog(iter(opened).__next__)
    started = time.monotonic()
    assert numbers(itertools.islice(dog.frames(), 2)) == [7, 9]
    assert time.monotonic() - started < 5
    assert "gave no frame for 0.3 s" in caplog.text
    assert not opened[0].is_closed
    forever.set()  # the read returns at last, and its thread gives the device back
    for _ in range(100):
        if opened[0].is_closed:
            break
        time.sleep(0.02)
    assert opened[0].is_closed


def test_hanging_reads_are_bounded() -> None:
    forever = threading.Event()
    policy = RestartPolicy(first_s=0.01, longest_s=0.01, per_minute=1000, max_hanging=1)
    dog = watchdog(lambda: ScriptedCapture(hanging(1, forever)), policy)
    with pytest.raises(SourceLostError, match="2 reads of the source hang and never return"):
        list(dog.frames())
    forever.set()


def test_a_source_that_stays_away_is_given_up() -> None:
    policy = RestartPolicy(max_reconnects=2, first_s=0.01, longest_s=0.01)
    opened = iter([ScriptedCapture(iter([1, 2]))])

    def open_capture() -> ScriptedCapture:
        for capture in opened:
            return capture
        raise DcrnetError("unplugged")

    dog = watchdog(open_capture, policy)
    frames = dog.frames()
    with pytest.raises(SourceLostError, match=r"2 reconnects brought no frame.*`max_reconnects`"):
        list(frames)
    assert dog.reconnects == 2
    assert SourceLostError.exit_code == 3


def test_a_source_that_never_began_is_bad_input() -> None:
    def open_capture() -> ScriptedCapture:
        raise DcrnetError("no such camera")

    with pytest.raises(DcrnetError, match="no such camera") as caught:
        list(watchdog(open_capture).frames())
    assert not isinstance(caught.value, SourceLostError)
    with pytest.raises(DcrnetError, match="camera gave no frame"):
        list(watchdog(lambda: ScriptedCapture(iter([]))).frames())


def test_a_defect_is_not_taken_for_a_lost_source() -> None:
    def defect() -> ScriptedCapture:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(watchdog(defect).frames())


def test_a_slow_taker_gets_the_newest_frame_and_the_rest_is_counted() -> None:
    def camera() -> Iterator[int]:
        for number in range(200):
            time.sleep(0.005)
            yield number

    reader = Reader(lambda: ScriptedCapture(camera()))
    indices = []
    for _ in range(4):
        captured = reader.take(2.0, lambda: False)
        assert captured is not None
        assert time.monotonic() - captured.captured_s < 0.1
        indices.append(captured.index)
        time.sleep(0.1)
    gaps = np.diff(indices)
    assert (gaps > 3).all()
    assert reader.dropped >= gaps.sum() - len(gaps)
    reader.abandon(1.0)
    assert not reader.is_running


def test_a_file_gives_every_frame_however_slowly_they_are_taken() -> None:
    reader = Reader(lambda: ScriptedCapture(iter(range(20)), FILE))
    taken = []
    while (captured := reader.take(2.0, lambda: False)) is not None:
        taken.append(captured.index)
        time.sleep(0.002)
    assert taken == list(range(20))
    assert reader.dropped == 0


def test_broken_frames_are_left_out_and_counted() -> None:
    dog = watchdog(lambda: ScriptedCapture(iter([1, None, 2, None]), FILE))
    assert numbers(dog.frames()) == [1, 2]
    assert dog.broken == 2


def test_nothing_but_broken_frames_is_an_end() -> None:
    dog = watchdog(lambda: ScriptedCapture(itertools.repeat(None)))
    with pytest.raises(DcrnetError, match="gave no frame"):
        list(dog.frames())


def test_a_stop_ends_the_wait_for_a_frame_and_for_a_restart() -> None:
    forever = threading.Event()
    slow = RestartPolicy(first_s=60.0, longest_s=60.0)
    for script in (hanging(1, forever), iter([1])):
        asked = threading.Event()
        dog = watchdog(lambda script=script: ScriptedCapture(script), slow, asked.is_set)  # type: ignore[misc]
        frames = dog.frames()
        next(frames)
        threading.Timer(0.05, asked.set).start()
        started = time.monotonic()
        assert next(frames, None) is None
        assert time.monotonic() - started < 2
    forever.set()


@pytest.mark.parametrize("rotation_deg", [90, 180, 270])
def test_frames_are_turned_clockwise(rotation_deg: int) -> None:
    class Corner(ScriptedCapture):
        def retrieve(self) -> NDArray[np.uint8]:
            rgb = np.zeros((4, 6, 3), np.uint8)
            rgb[0, 0] = 255  # top left
            return rgb

    dog = watchdog(lambda: Corner(iter([0]), FILE), rotation_deg=rotation_deg)
    (captured,) = dog.frames()
    at = {90: (0, -1), 180: (-1, -1), 270: (-1, 0)}[rotation_deg]
    assert captured.rgb[at].tolist() == [255, 255, 255]
    assert dog.facts is not None
    assert dog.facts.size == ((6, 4) if rotation_deg == 180 else (4, 6))
