"""What producers write into standard input, and whether it is a recording."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from generated import synthetic_frame
from mjpeg_server import jpeg_of
from recordings import encoded, write_recording

CODE = """
import json, sys
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureRequest
from dcrnet_runtime.video.reader import Reader
from dcrnet_runtime.video.source import resolve
print("ready", flush=True)
source = resolve("-")
request = CaptureRequest(**json.loads(sys.argv[1]))
reader = Reader(source.opener(request))
while (frame := reader.take(30.0, lambda: False)) is not None:
    print(json.dumps([frame.index, frame.position_s, frame.captured_s, *frame.rgb.shape[:2]]))
if reader.error is not None:
    sys.exit(str(reader.error))
print(json.dumps([source.feed, reader.dropped]))
"""


def read(
    pieces: Iterator[bytes] | list[bytes], **request: object
) -> tuple[str, int, list[list[float]]]:
    """The feed, the number of dropped frames, and what each frame was."""
    command = [sys.executable, "-c", CODE, json.dumps(request)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"  # what was written before lies in the pipe
    for piece in pieces:
        process.stdin.write(piece)
        process.stdin.flush()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    *frames, (feed, dropped) = (json.loads(line) for line in out.splitlines())
    return feed, dropped, frames


def recorded(codec: str, format: str, options: dict[str, str], frames: int = 12) -> bytes:
    buffer = io.BytesIO()
    write_recording(buffer, [n / 25 for n in range(frames)], codec, format, options=options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("codec", "format", "options"),
    [
        ("libx264", "h264", {"bf": "0"}),
        ("libx265", "hevc", {"x265-params": "log-level=none:bframes=0"}),
        ("libx264", "mpegts", {"bf": "0"}),
        ("libx264", "matroska", {"bf": "0"}),
        ("mpeg4", "nut", {}),
    ],
)
def test_a_recording_that_is_piped_is_one(
    codec: str, format: str, options: dict[str, str]
) -> None:
    feed, dropped, frames = read([recorded(codec, format, options)])
    assert (feed, dropped) == ("recording", 0)
    assert [round(frame[1], 3) for frame in frames] == [n / 25 for n in range(12)]
    assert {tuple(frame[3:]) for frame in frames} == {(240, 320)}


def test_jpegs_that_are_copied_are_a_recording() -> None:
    feed, dropped, frames = read([b"".join(jpeg_of(n) for n in range(72))], fps=10)
    assert (feed, dropped, len(frames)) == ("recording", 0, 72)
    assert frames[-1][1] == pytest.approx(7.1)


def test_pngs_in_a_row() -> None:
    pictures = [encoded("PNG", synthetic_frame(48, 64, seed=n)) for n in range(4)]
    _, _, frames = read([b"".join(pictures)])
    assert [tuple(frame[3:]) for frame in frames] == [(48, 64)] * 4


def test_raw_video_wants_its_size() -> None:
    raw = bytes(64 * 48 * 3 // 2) * 5
    _, _, frames = read([raw], pixel_format="yuv420p", width=64, height=48, fps=5)
    assert [(frame[1], *frame[3:]) for frame in frames] == [(n / 5, 48, 64) for n in range(5)]
    for request, why in (
        ({}, "of raw video `pixel_format`, `width` and `height` have to be given"),
        ({"pixel_format": "yuv420p"}, "states no size: give `width` and `height`"),
    ):
        command = [sys.executable, "-c", CODE, json.dumps(request)]
        done = subprocess.run(command, input=b"\x10" * 9000, capture_output=True)
        assert why in done.stderr.decode()


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\nfile:///etc/passwd\n", b"hello"])
def test_what_is_none_says_what_is_read(content: bytes) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, "{}"], input=content, capture_output=True)
    assert "standard input gave no frame" in done.stderr.decode()
    assert "MJPEG" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def paced(pieces: list[bytes], step_s: float) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        time.sleep(step_s)


def test_a_camera_on_a_pipe_is_live() -> None:
    """What rpicam-vid --codec mjpeg -o - writes."""
    feed, dropped, frames = read(paced([jpeg_of(n) for n in range(40)], 0.03))
    assert feed == "live"
    assert len(frames) + dropped == 40
    assert len(frames) >= 20
    assert frames[-1][2] - frames[-10][2] > 0.2  # they came over time


def test_a_camera_that_sends_h264_is_live_and_not_late() -> None:
    """What rpicam-vid --codec h264 -o - writes: no times, no rate."""
    options = {"bf": "0", "tune": "zerolatency", "g": "15", "preset": "ultrafast"}
    content = recorded("libx264", "h264", options, 60)
    step = len(content) // 60 + 1
    pieces = [content[at : at + step] for at in range(0, len(content), step)]
    feed, dropped, frames = read(paced(pieces, 0.04))
    assert feed == "live"
    assert len(frames) + dropped >= 55
    assert frames[-1][2] - frames[len(frames) // 2][2] > 0.5  # not all at the end


def test_a_file_as_standard_input_is_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    path.write_bytes(recorded("mpeg4", "matroska", {}))
    with path.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", CODE, "{}"], stdin=file, capture_output=True, check=True
        )
    _, *lines = done.stdout.splitlines()
    *frames, last = map(json.loads, lines)
    assert last == ["recording", 0]
    assert len(frames) == 12
