"""The lines for cameras on pipes, with programs in their place that play a recorded stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from docs.pages import ROOT, blocks
from numpy.typing import NDArray
from PIL import Image

FRAMES, ANSWERS = 40, 6
PLAYER = """
import itertools, sys, time
words = sys.argv[1:]
kind = "h264" if any("264" in word for word in words) else "mjpeg"
sink = next((word for word in words if word.startswith("fd=")), "fd=1")
if sink != "fd=1":
    print("GST_ARGUS: Creating output stream", flush=True)  # what nvarguscamerasrc does
with open({folder!r} + "/" + kind, "rb") as recorded, open(int(sink[3:]), "wb") as out:
    content = recorded.read()
    step = len(content) // {frames} + 1
    for at in itertools.cycle(range(0, len(content), step)):  # until nobody reads
        out.write(content[at : at + step])
        out.flush()
        time.sleep(0.03)
"""


def lines() -> list[str]:
    """Each documented line, continued ones joined."""
    found = []
    for block in blocks(ROOT / "docs" / "sources.md"):
        if block.needs == "camera":
            found += block.code.replace("\\\n", " ").splitlines()
    return found


@pytest.fixture
def recordings(tmp_path: Path, portrait: NDArray[np.uint8]) -> Path:
    """MJPEG, and H.264 as cameras write it: no reordering, headers before key frames."""
    rgb = np.ascontiguousarray(portrait[:320, 60:380])
    with (tmp_path / "mjpeg").open("wb") as file:
        for _ in range(FRAMES):
            Image.fromarray(rgb).save(file, "JPEG")
    buffer = BytesIO()
    with av.open(buffer, "w", format="h264") as container:
        stream = container.add_stream(
            "libx264", rate=30, options={"tune": "zerolatency", "g": "15", "preset": "ultrafast"}
        )
        stream.height, stream.width = rgb.shape[:2]
        stream.pix_fmt = "yuv420p"
        for _ in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    (tmp_path / "h264").write_bytes(buffer.getvalue())
    return tmp_path


@pytest.fixture
def programs(recordings: Path) -> Path:
    """The boards' programs, and ours as this checkout has it."""
    folder = recordings / "bin"
    folder.mkdir()
    player = PLAYER.format(folder=str(recordings), frames=FRAMES)
    own = "from dcrnet_runtime.cli.run import app\napp()"
    for name, code in (("rpicam-vid", player), ("gst-launch-1.0", player), ("dcrnet-run", own)):
        (folder / name).write_text(f"#!{sys.executable}\n{code}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("line", lines())
def test_a_camera_on_a_pipe_is_followed(line: str, programs: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{line} | head -n {ANSWERS}"],
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    answers = [json.loads(answer) for answer in done.stdout.splitlines()]
    seen = [answer["faces"][0] for answer in answers if answer["faces"]]
    assert len(answers) == ANSWERS, done.stderr
    assert seen, done.stderr
    assert {face["label"] for face in seen} == {"happiness"}
    assert {face["track"]["id"] for face in seen} == {1}
    assert "utc" in answers[-1]  # only of a live source


def test_both_boards_and_both_codecs_are_documented() -> None:
    documented = lines()
    assert [line.split()[0] for line in documented] == ["rpicam-vid"] * 2 + ["gst-launch-1.0"] * 2
    assert all(line.endswith("| dcrnet-run --source -") for line in documented)
