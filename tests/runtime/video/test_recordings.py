"""Recordings: their own times, turns and ends, and what is said of those that cannot be read."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
import pytest
from generated import FixedDetector, TinyModel, synthetic_face
from numpy.typing import NDArray
from recordings import turn_by_a_quarter, write_recording, write_sound

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream
from dcrnet_runtime.video.capture import CaptureRequest
from dcrnet_runtime.video.captures import container
from dcrnet_runtime.video.source import resolve


@pytest.fixture
def recognizer(tiny_model: TinyModel) -> Recognizer:
    return Recognizer(load_model(tiny_model()), FixedDetector(synthetic_face()))


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".flv", ".ts", ".webm"])
@pytest.mark.parametrize("start_s", [0.0, 100.0])
def test_a_variable_rate_and_a_late_start_are_kept(
    ending: str,
    start_s: float,
    recognizer: Recognizer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps = [0.0, 0.04, 0.04, 0.5, 0.1, 3.0, 0.04]  # a gap of three seconds among them
    times = list(accumulate(steps))
    path = tmp_path / f"clip{ending}"
    codec = {".ts": "libx264", ".flv": "flv", ".webm": "libvpx"}.get(ending, "mpeg4")
    options = {"bf": "0"} if ending == ".ts" else {}
    write_recording(path, [start_s + time_s for time_s in times], codec, options=options)
    seen = list(Stream(recognizer, str(path)))
    first_s = seen[0].frame.time_s
    # MPEG-TS is written with a start of its own.
    assert first_s == pytest.approx(start_s, abs=2 if ending == ".ts" else 0.002)
    assert [o.frame.time_s - first_s for o in seen] == pytest.approx(times, abs=0.002)
    assert seen[-1].counters.broken == 0
    assert "cut off" not in caplog.text


def test_a_phones_turn_is_heeded_and_a_turn_that_is_asked_for_added(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    write_recording(path, [0.0, 0.04], size=(320, 240))
    plain = _first(path)
    turn_by_a_quarter(path)
    turned = _first(path)
    assert plain.shape == (240, 320, 3)
    assert np.array_equal(turned, np.rot90(plain, -1))


def _first(path: Path) -> NDArray[np.uint8]:
    capture = resolve(str(path)).opener(CaptureRequest())()
    assert capture.grab()
    rgb = capture.retrieve()
    assert rgb is not None
    capture.close()
    return rgb


def test_names_with_colons_are_files(
    recognizer: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recording(tmp_path / "12:30.avi", [0.0, 0.04])
    monkeypatch.chdir(tmp_path)
    assert len(list(Stream(recognizer, "12:30.avi"))) == 2


def test_av1_is_read(recognizer: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    try:
        write_recording(path, [0.0, 0.04, 0.08], "libsvtav1", options={"preset": "12"})
    except (ValueError, LookupError):
        pytest.skip("this PyAV cannot write AV1")
    assert len(list(Stream(recognizer, str(path)))) == 3


def test_bare_streams_have_times_by_their_rate(recognizer: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "clip.h264"
    write_recording(path, [n / 25 for n in range(6)], "libx264", "h264", options={"bf": "0"})
    seen = list(Stream(recognizer, str(path)))
    assert [o.frame.time_s for o in seen] == pytest.approx([n / 25 for n in range(6)])


def told(path: Path) -> str:
    with pytest.raises(DcrnetError) as caught:
        resolve(str(path)).opener(CaptureRequest())()
    return str(caught.value)


def test_what_cannot_be_read_is_told_apart(tmp_path: Path) -> None:
    whole, sound, cut = tmp_path / "whole.mp4", tmp_path / "sound.mp4", tmp_path / "cut.mp4"
    write_recording(whole, [n / 25 for n in range(10)])
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    write_sound(sound)
    noise = tmp_path / "noise.bin"
    noise.write_bytes(np.random.default_rng(0).bytes(50_000))
    assert "the index (moov) that belongs at its end is missing" in told(cut)
    assert "it holds sound alone" in told(sound)
    assert "no video is found in it" in told(noise)


@pytest.mark.parametrize("ending", [".mp4", ".avi", ".mkv"])
def test_what_is_cut_off_is_read_up_to_there(
    ending: str, recognizer: Recognizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / f"clip{ending}"
    write_recording(path, [n / 25 for n in range(40)])
    if ending == ".mp4":
        _move_index_to_the_front(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    seen = list(Stream(recognizer, str(path)))
    assert 5 <= len(seen) < 40
    assert "is cut off or damaged" in caplog.text


def _move_index_to_the_front(path: Path) -> None:
    front = path.with_name("front.mp4")
    with (
        av.open(str(path)) as old,
        av.open(str(front), "w", container_options={"movflags": "faststart"}) as new,
    ):
        (stream,) = old.streams.video
        copied = new.add_stream_from_template(stream)
        for packet in old.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                new.mux(packet)
    front.replace(path)


def test_an_undecodable_recording_writes_little(tmp_path: Path, recognizer: Recognizer) -> None:
    """FFmpeg's own lines, tens of thousands of them, stay out of standard error."""
    path = tmp_path / "clip.mkv"
    write_recording(path, [n / 25 for n in range(60)], options={"g": "12"})
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(2000, len(content), 3000):
        content[at] = rng.integers(0, 256)
    path.write_bytes(content)
    code = (
        "import sys; from dcrnet_runtime.video.source import resolve\n"
        "from dcrnet_runtime.video.capture import CaptureRequest\n"
        "capture = resolve(sys.argv[1]).opener(CaptureRequest())()\n"
        "while capture.grab(): capture.retrieve()"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 0


def test_without_pyav_photos_are_read_and_video_names_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recording(tmp_path / "clip.avi", [0.0, 0.1])
    code = """
import sys
sys.modules["av"] = None
from pathlib import Path
import numpy as np
from PIL import Image
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureRequest
from dcrnet_runtime.video.images import read_image
from dcrnet_runtime.video.source import resolve
folder = Path(sys.argv[1])
Image.new("RGB", (40, 30)).save(folder / "a.jpg")
print(read_image(folder / "a.jpg").shape)
for address in (folder / "clip.avi", "rtsp://127.0.0.1:9/"):
    try:
        resolve(str(address)).opener(CaptureRequest())()
    except DcrnetError as error:
        print(error)
try:
    resolve("97").opener(CaptureRequest())()
except DcrnetError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    shape, clip, stream, camera = done.stdout.splitlines()
    assert shape == "(30, 40, 3)"
    assert "clip.avi is video, for which PyAV is missing: " in clip
    assert "install av" in clip
    assert "rtsp://127.0.0.1:9/ is video, for which PyAV is missing" in stream
    assert "camera 97 gave no frame" in camera
    assert "rpicam-vid -t 0 --codec mjpeg -o - | dcrnet-run --source -" in camera


def test_broken_frames_of_a_live_source_are_said_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from dcrnet_runtime.video.capture import CaptureFacts
    from dcrnet_runtime.video.reader import Reader

    class Broken:
        facts = CaptureFacts("camera", is_live=True, is_endless=True)
        left = 90

        def grab(self) -> bool:
            self.left -= 1
            return self.left >= 0

        def retrieve(self) -> None:
            return None

        def position_s(self) -> None:
            return None

        def close(self) -> None:
            pass

    with caplog.at_level(logging.WARNING):
        reader = Reader(Broken)
        assert reader.take(5.0, lambda: False) is None
    assert reader.broken == 90
    assert caplog.text.count("cannot be decoded") == 1


@pytest.mark.parametrize("patience_s", [20.0, 0.0])
def test_pictures_begin_with_a_key_frame(
    patience_s: float, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a stream that was joined between two of them; what comes before is guessed."""
    monkeypatch.setattr(container, "_KEY_FRAME_S", patience_s)
    whole, late = io.BytesIO(), io.BytesIO()
    options = {"bf": "0", "g": "30", "sc_threshold": "0"}
    write_recording(whole, [n / 25 for n in range(60)], "libx264", "mpegts", options=options)
    whole.seek(0)
    with av.open(whole, format="mpegts") as old, av.open(late, "w", format="mpegts") as new:
        (stream,) = old.streams.video
        copied = new.add_stream_from_template(stream)
        for number, packet in enumerate(old.demux(stream)):
            if number > 3 and packet.dts is not None:
                packet.stream = copied
                new.mux(packet)
    late.seek(0)
    capture = container.open_feed(late, "camera", "mpegts", is_live=True)
    frames = 0
    while capture.grab():
        frames += capture.retrieve() is not None
    if patience_s:
        assert 20 <= frames <= 30
    assert caplog.text.count("camera has sent no key frame") == (patience_s == 0)
