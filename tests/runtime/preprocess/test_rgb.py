"""What is taken as a picture, and what is said of anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from generated import synthetic_frame

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.rgb import as_rgb

RGB = synthetic_frame(40, 60)
GREY = RGB[..., 0]


def test_an_rgb_array_is_itself() -> None:
    assert as_rgb(RGB) is RGB


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (GREY, np.dstack([GREY] * 3)),
        (GREY[..., None], np.dstack([GREY] * 3)),
        (RGB.astype(np.float32) / 255, RGB),
        (RGB.astype(np.float64), RGB),
        (GREY.astype(np.float16), np.dstack([GREY] * 3)),
        (RGB.astype(np.int64), RGB),
        (RGB.tolist(), RGB),
        (RGB[..., ::-1], RGB[..., ::-1]),
        (np.zeros((4, 4, 3)), np.zeros((4, 4, 3))),
    ],
    ids=["grey", "one channel", "0..1", "0..255", "half", "int64", "lists", "view", "black"],
)
def test_what_can_be_meant_in_one_way_is_converted(given: Any, wanted: Any) -> None:
    rgb = as_rgb(given)
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert (rgb == wanted).all()


def test_a_path_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), RGB[..., ::-1])
    assert (as_rgb(path) == RGB).all()
    assert (as_rgb(str(path)) == RGB).all()
    with pytest.raises(DcrnetError, match=r"none\.png cannot be read"):
        as_rgb(tmp_path / "none.png")


def test_pillows_images_are_arrays() -> None:
    image = pytest.importorskip("PIL.Image", reason="needs Pillow").fromarray(RGB)
    assert (as_rgb(image) == RGB).all()
    assert (as_rgb(image.convert("RGBA")) == RGB).all()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "is None, as cv2.imread's answer"),
        (RGB.astype(np.uint16) * 257, "10, 12 or 16 bits: give .image >> 8"),
        (np.dstack([RGB, GREY]), r"image\[..., :3\] of RGBA, image\[..., 2::-1\] of BGRA"),
        (RGB.transpose(2, 0, 1), r"channels first: give image.transpose\(1, 2, 0\)"),
        (RGB[None], "several go one by one"),
        (np.float32(RGB) / 100, "values from .* neither of 0 to 1 nor of 0 to 255"),
        (np.float32(RGB) - 9, "neither of 0 to 1"),
        (np.full((4, 4, 3), np.nan), "from nan to nan"),
        (RGB.astype(np.int32) * 2, "neither of 0 to 1"),
        (RGB > 9, "a bool array"),
        (np.zeros((0, 4, 3), np.uint8), "has no pixel"),
        (np.zeros((1, 40_000, 3), np.uint8), "beyond 32,000 px"),
        (np.zeros((4, 4, 2), np.uint8), "of 2 channels"),
        (7, "is no picture"),
        (object(), "is no picture"),
        ([[1, 2], [3]], "is no picture"),
    ],
)
def test_all_else_is_refused_with_what_to_give(given: Any, told: str) -> None:
    with pytest.raises(DcrnetError, match=told):
        as_rgb(given)
