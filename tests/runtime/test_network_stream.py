"""A real camera server over HTTP that is killed, stalled and restarted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from conftest import TinyModel
from generated import FixedFinder
from mjpeg_server import MjpegServer

from dcrnet_runtime.backends import load_model
from dcrnet_runtime.live.stream import Stream, StreamOptions
from dcrnet_runtime.live.watchdog import RestartPolicy
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.recognizer import Recognizer

OPTIONS = StreamOptions(
    stall_s=0.5, open_s=5.0, restarts=RestartPolicy(first_s=0.05, longest_s=0.3, per_minute=1000)
)


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    running = MjpegServer()
    yield running
    running.is_stalled.clear()
    running.kill()


@pytest.fixture
def stream(server: MjpegServer, tiny_model: TinyModel) -> Iterator[Stream]:
    recognizer = Recognizer(load_model(tiny_model()), FixedFinder())
    with Stream(recognizer, server.address, OPTIONS) as opened:
        yield opened


def grey(observation: Observation) -> int:
    """Tells the pictures apart."""
    return int(observation.frame.rgb[0, 0, 0])


def test_frames_come_in_order_and_fresh(server: MjpegServer, stream: Stream) -> None:
    seen = [observation for observation, _ in zip(stream, range(20), strict=False)]
    assert [o.frame.index for o in seen] == sorted({o.frame.index for o in seen})
    assert len({grey(o) for o in seen}) > 10
    assert max(o.delay_ms for o in seen) < 1000
    assert stream.facts is not None
    assert stream.facts.size == (64, 48)


def test_a_killed_server_is_found_again(server: MjpegServer, stream: Stream) -> None:
    observations = iter(stream)
    before = next(observations)
    server.kill()
    threading.Timer(0.6, server.start).start()
    for after in observations:
        if after.counters.reconnects:
            break
    assert after.counters.reconnects >= 2  # refused before it was there again
    assert after.frame.time_s > before.frame.time_s + 0.5
    assert grey(next(observations)) != grey(after)
    assert server.connections == 2


def test_a_stalled_server_is_left_and_tried_again(server: MjpegServer, stream: Stream) -> None:
    observations = iter(stream)
    next(observations)
    server.is_stalled.set()
    threading.Timer(1.2, server.is_stalled.clear).start()
    for after in observations:
        if after.counters.reconnects:
            break
    assert after.counters.reconnects >= 1
    assert server.connections >= 2


def test_pictures_of_another_size_are_seen_as_they_are(
    server: MjpegServer, stream: Stream
) -> None:
    observations = iter(stream)
    next(observations)
    server.size = (96, 80)
    for after in observations:
        if after.frame.rgb.shape == (80, 96, 3):
            break
    assert len({grey(next(observations)) for _ in range(8)}) > 3
    assert stream.facts is not None
    assert stream.facts.size == (96, 80)
    assert after.counters.reconnects == 0
