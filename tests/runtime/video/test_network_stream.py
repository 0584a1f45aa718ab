"""A real camera server over HTTP that is killed, stalled and restarted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from generated import FixedDetector, TinyModel
from mjpeg_server import MjpegServer, jpeg_of

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.errors import DcrnetError, SourceLostError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.video.watchdog import RestartPolicy

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
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
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


def test_a_password_goes_into_the_head_and_nowhere_else(
    server: MjpegServer, tiny_model: TinyModel
) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    address = server.address.replace("//", "//me:pass%20word@")
    with Stream(recognizer, address, OPTIONS) as stream:
        observation = next(iter(stream))
    assert server.authorization == "Basic bWU6cGFzcyB3b3Jk"  # me:pass word
    assert observation.frame.name == server.address
    assert "word" not in str(stream.facts)


def test_an_answer_that_breaks_off_is_a_lost_source(tiny_model: TinyModel) -> None:
    """Chunked transfer, cut in the middle of a chunk, once; then nobody answers."""
    jpeg = jpeg_of(3)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n"
    chunks = b"%x\r\n%s\r\nffff\r\n--b" % (len(jpeg), jpeg)
    answer = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks

    def serve_once() -> None:
        connection, _ = listener.accept()
        connection.recv(10_000)
        connection.sendall(answer)
        connection.close()
        listener.close()

    options = StreamOptions(restarts=RestartPolicy(max_reconnects=1, first_s=0.01))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        threading.Thread(target=serve_once, daemon=True).start()
        recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
        observations = iter(Stream(recognizer, address, options))
        assert grey(next(observations)) == 30
        with pytest.raises(SourceLostError, match="1 reconnects brought no frame"):
            next(observations)


@pytest.mark.parametrize("address", ["http://[", "http://127.0.0.1:99999/", "http://a b/"])
def test_addresses_that_are_none(address: str, tiny_model: TinyModel) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    with pytest.raises(DcrnetError, match="gave no frame"):
        next(iter(Stream(recognizer, address, OPTIONS)))
