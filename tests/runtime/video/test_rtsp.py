"""A real RTSP server: killed, stopped and continued, with other codecs and sizes."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from generated import FixedDetector, TinyModel

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.video.watchdog import RestartPolicy

SCRIPT = Path(__file__).parents[2] / "rtsp_server.py"
PYTHON = "/usr/bin/python3"  # Debian's, for which its GStreamer is packaged
PARTS = (
    "import gi; gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "assert all(map(Gst.ElementFactory.find, ('x264enc', 'x265enc', 'rtph264pay')))"
)
OPTIONS = StreamOptions(
    stall_s=2.0, open_s=20.0, restarts=RestartPolicy(first_s=0.1, longest_s=1, per_minute=1000)
)


class RtspServer:
    def __init__(self, secret: tuple[str, ...] = ()) -> None:
        self._secret = secret
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.start()

    def address(self, path: str, user: str = "") -> str:
        return f"rtsp://{user}127.0.0.1:{self._port}/{path}"

    def start(self) -> None:
        command = [PYTHON, str(SCRIPT), str(self._port), *self._secret]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[RtspServer]:
    """Where a test is parametrized so, it asks for a name and password, as digest or basic."""
    try:
        subprocess.run([PYTHON, "-c", PARTS], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(
            "needs Debian's gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good, -bad and -ugly"
        )
    running = RtspServer(getattr(request, "param", ()))
    yield running
    running.kill()


@pytest.mark.slow
def test_the_stream_outlives_its_server(server: RtspServer, tiny_model: TinyModel) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    with Stream(recognizer, server.address("h264"), OPTIONS) as stream:
        observations = iter(stream)
        for _ in range(20):
            first = next(observations)
        assert first.frame.rgb.shape == (240, 320, 3)
        server.kill()
        threading.Timer(1.0, server.start).start()
        for back in observations:
            if back.counters.reconnects > 0:
                break
        server.process.send_signal(signal.SIGSTOP)
        threading.Timer(7.0, lambda: server.process.send_signal(signal.SIGCONT)).start()
        for again in observations:
            if again.counters.reconnects > back.counters.reconnects:
                break
        assert again.frame.index > back.frame.index
        assert again.frame.time_s > back.frame.time_s + 2


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["h265", "jpeg"])
def test_other_codecs(codec: str, server: RtspServer, tiny_model: TinyModel) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    with Stream(recognizer, server.address(codec), OPTIONS) as stream:
        seen = [observation.frame for observation, _ in zip(stream, range(20), strict=False)]
    assert {frame.rgb.shape for frame in seen} == {(240, 320, 3)}
    assert len({frame.rgb.tobytes() for frame in seen}) > 10


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["h264", "jpeg"])
def test_a_size_that_changes_freezes_nothing(
    codec: str, server: RtspServer, tiny_model: TinyModel
) -> None:
    """H.264 is scaled to the first size by OpenCV, JPEG comes as it is."""
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    frames = []
    with Stream(recognizer, server.address(f"changing/{codec}"), OPTIONS) as stream:
        for observation in stream:
            frames.append(observation.frame.rgb)
            if observation.frame.time_s > 7:  # three changes
                break
    repeated = sum(np.array_equal(one, other) for one, other in pairwise(frames))
    assert repeated < 0.1 * len(frames)
    shapes = {rgb.shape for rgb in frames}
    assert shapes <= {(240, 320, 3), (360, 480, 3)}
    assert codec == "h264" or len(shapes) == 2


@pytest.mark.slow
def test_a_server_that_speaks_udp_alone(server: RtspServer, tiny_model: TinyModel) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    with Stream(recognizer, server.address("udp/h264"), OPTIONS) as stream:
        seen = [observation.frame for observation, _ in zip(stream, range(10), strict=False)]
    assert {frame.rgb.shape for frame in seen} == {(240, 320, 3)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "server", [("me:secret", "digest"), ("me:secret", "basic")], indirect=True, ids=lambda p: p[1]
)
def test_refusals_are_told_apart(server: RtspServer, tiny_model: TinyModel) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    for user, path, why in (
        ("", "h264", "it refuses the name or the password (401)"),
        ("me:wrong@", "h264", "it refuses the name or the password (401)"),
        ("me:secret@", "nothing", "it has no such path (404)"),
    ):
        with pytest.raises(DcrnetError) as caught:
            next(iter(Stream(recognizer, server.address(path, user), OPTIONS)))
        assert why in str(caught.value)
        assert "secret" not in str(caught.value)
    with Stream(recognizer, server.address("h264", "me:secret@"), OPTIONS) as stream:
        assert next(iter(stream)).frame.rgb.shape == (240, 320, 3)
    server.process.kill()
    server.process.wait()
    with pytest.raises(DcrnetError, match="connection refused"):
        next(iter(Stream(recognizer, server.address("h264", "me:secret@"), OPTIONS)))


@pytest.mark.slow
def test_a_frozen_server_is_left_in_time_and_old_frames_are_told(
    server: RtspServer, tiny_model: TinyModel
) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    with Stream(recognizer, server.address("h264"), OPTIONS) as stream:
        observations = iter(stream)
        for _ in range(20):
            last = next(observations)
        assert last.delay_ms < 1000
        server.process.send_signal(signal.SIGSTOP)
        frozen_s = time.monotonic()
        threading.Timer(6.0, lambda: server.process.send_signal(signal.SIGCONT)).start()
        for after in observations:
            if after.counters.reconnects:
                break
            assert time.monotonic() < frozen_s + 2.0  # nothing comes but what was on its way
        assert after.frame.time_s - last.frame.time_s > 2.0
        assert after.delay_ms < 1000


@pytest.mark.slow
def test_a_key_frame_is_waited_for(server: RtspServer, tiny_model: TinyModel) -> None:
    """Of a camera that others watch already, whose next key frame is some seconds away."""
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    options = replace(OPTIONS, open_s=3.0)
    with Stream(recognizer, server.address("rare/h264"), options) as first:
        watched = iter(first)
        for _ in range(30):
            next(watched)
        with Stream(recognizer, server.address("rare/h264"), options) as second:
            seen = next(iter(second))
    assert seen.frame.rgb.shape == (240, 320, 3)
    assert seen.counters.reconnects == 0
