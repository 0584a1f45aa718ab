"""The frames on which the stages are timed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dcrnet_bench.timing.scene import open_scenes
from dcrnet_runtime.errors import DcrnetError


def test_a_picture_is_letterboxed_and_seen_in_eight_ways(tmp_path: Path) -> None:
    path = tmp_path / "tall.png"
    assert cv2.imwrite(str(path), np.full((960, 480, 3), 200, np.uint8))
    scenes = open_scenes(path)
    assert np.flatnonzero(scenes[0].rgb[240, :, 0]).tolist() == list(range(200, 440))
    assert {scene.rgb.shape for scene in scenes} == {(480, 640, 3)}
    assert len(scenes) == 8
    assert [scene.is_derived for scene in scenes] == [False] + [True] * 7


def test_a_folder_is_its_images(tmp_path: Path) -> None:
    for name, grey in (("b.png", 9), ("a.png", 7)):
        assert cv2.imwrite(str(tmp_path / name), np.full((480, 640, 3), grey, np.uint8))
    (tmp_path / "notes.txt").write_text("no image")
    scenes = open_scenes(tmp_path)
    assert [(scene.name, int(scene.rgb[0, 0, 0])) for scene in scenes] == [
        ("a.png", 7),
        ("b.png", 9),
    ]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"`source` .* holds no image"):
        open_scenes(tmp_path)
