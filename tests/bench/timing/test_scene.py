"""The frame on which the stages are timed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dcrnet_bench.timing.scene import open_scene


def test_frame_is_letterboxed(tmp_path: Path) -> None:
    path = tmp_path / "tall.png"
    assert cv2.imwrite(str(path), np.full((960, 480, 3), 200, np.uint8))
    scene = open_scene(path)
    assert scene.rgb.shape == (480, 640, 3)
    assert np.flatnonzero(scene.rgb[240, :, 0]).tolist() == list(range(200, 440))
