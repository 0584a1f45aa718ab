"""A clip as a camera gives it: late frames are overtaken, and the end is an end."""

from __future__ import annotations

import time
from pathlib import Path

from generated import write_clip

from dcrnet_bench.comparisons.camera import Camera


def test_every_frame_of_a_file_is_given(tmp_path: Path) -> None:
    camera = Camera(str(write_clip(tmp_path / "clip.avi", 4, fps=25)), is_paced=False)
    seen = []
    while camera.grab():
        seen.append((camera.index, camera.bgr().ndim))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_frames_that_are_late_are_overtaken(tmp_path: Path) -> None:
    camera = Camera(str(write_clip(tmp_path / "clip.avi", 400, fps=25)), is_paced=True)
    assert camera.grab()
    assert camera.index == 0
    time.sleep(0.2)
    assert camera.grab()
    assert camera.index >= 5
    assert camera.bgr().ndim == 3


def test_who_is_late_at_the_end_gets_no_empty_frame(tmp_path: Path) -> None:
    camera = Camera(str(write_clip(tmp_path / "clip.avi", 6, fps=25)), is_paced=True)
    assert camera.grab()
    assert camera.bgr().ndim == 3
    time.sleep(0.5)
    assert not camera.grab()
