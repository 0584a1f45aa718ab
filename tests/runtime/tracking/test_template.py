"""A face is found again by its pixels, or not at all."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from generated import synthetic_face
from numpy.typing import NDArray

from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.tracking.template import FaceTemplate

SIDE = 200.0
CENTRE = (320.0, 240.0)


def scene(seed: int = 0) -> NDArray[np.uint8]:
    """(480, 640, 3) uint8 with structures of some tens of pixels, as faces have them."""
    noise = np.random.default_rng(seed).normal(0, 1, (480, 640))
    smooth = cv2.GaussianBlur(noise, (0, 0), 14)
    codes = 128 + 40 * smooth / smooth.std()
    return np.clip(np.repeat(codes[..., None], 3, axis=2), 0, 255).astype(np.uint8)


def turned(
    rgb: NDArray[np.uint8], turn_deg: float, zoom: float, shift: tuple[float, float]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    matrix = cv2.getRotationMatrix2D(CENTRE, turn_deg, zoom)
    matrix[:, 2] += shift
    moved = cv2.warpAffine(rgb, matrix, rgb.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.uint8), matrix


def template(rgb: NDArray[np.uint8], face: Face) -> FaceTemplate:
    made = FaceTemplate.of(rgb, face, time_s=3.0)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("turn_deg", "zoom", "shift"),
    [
        (0.0, 1.0, (0.0, 0.0)),
        (0.0, 1.0, (10.0, -7.0)),
        (4.0, 1.0, (0.0, 5.0)),
        (-3.0, 1.05, (-8.0, 3.0)),
        (2.0, 0.95, (3.0, 12.0)),
    ],
)
@pytest.mark.parametrize("side", [40.0, SIDE, 300.0])
def test_landmarks_move_as_the_pixels_do(
    turn_deg: float, zoom: float, shift: tuple[float, float], side: float
) -> None:
    """To 0.5 % of the face, however it moved by up to 6 % of it."""
    share = side / SIDE
    rgb = cv2.resize(scene(), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    rgb = np.asarray(rgb, np.uint8)
    face = synthetic_face((CENTRE[0] * share, CENTRE[1] * share), side)
    matrix = cv2.getRotationMatrix2D((CENTRE[0] * share, CENTRE[1] * share), turn_deg, zoom)
    matrix[:, 2] += np.array(shift) * share
    moved = cv2.warpAffine(rgb, matrix, rgb.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    found = template(rgb, face).find(np.asarray(moved, np.uint8))
    assert found is not None
    assert found.landmarks is not None
    assert face.landmarks is not None
    truth = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(found.landmarks - truth, axis=1).max() < 0.005 * side
    assert found.box == Box.around(found.landmarks)


def test_neither_light_nor_grain_moves_a_face() -> None:
    rgb = scene()
    moved, matrix = turned(rgb, 2.0, 1.02, (6.0, 4.0))
    grain = np.random.default_rng(1).normal(12, 6, moved.shape)
    seen = np.clip(0.9 * moved + grain, 0, 255).astype(np.uint8)
    face = replace(synthetic_face(CENTRE, SIDE), score=0.7)
    found = template(rgb, face).find(seen)
    assert found is not None
    assert found.landmarks is not None
    assert face.landmarks is not None
    truth = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(found.landmarks - truth, axis=1).max() < 0.01 * SIDE
    assert found.score == 0.7


def test_what_is_not_sure_is_not_told() -> None:
    rgb, face = scene(), synthetic_face(CENTRE, SIDE)
    made = template(rgb, face)
    assert made.find(scene(seed=1)) is None  # another scene
    assert made.find(np.full_like(rgb, 90)) is None
    assert made.find(turned(rgb, 0.0, 1.0, (90.0, 0.0))[0]) is None
    assert made.find(turned(rgb, 30.0, 1.0, (0.0, 0.0))[0]) is None
    assert made.find(rgb[:60, :60]) is None  # a smaller frame, beside the face


def test_there_must_be_something_to_hold_on_to() -> None:
    rgb, face = scene(), synthetic_face(CENTRE, SIDE)
    assert FaceTemplate.of(rgb, replace(face, landmarks=None), 0.0) is None
    assert FaceTemplate.of(np.full_like(rgb, 90), face, 0.0) is None
    assert FaceTemplate.of(rgb, synthetic_face(CENTRE, 20.0), 0.0) is None
    assert FaceTemplate.of(rgb, synthetic_face((-900.0, 240.0), SIDE), 0.0) is None


def test_a_face_at_the_edge_is_followed() -> None:
    rgb, face = scene(), synthetic_face((40.0, 240.0), SIDE)
    moved = np.roll(rgb, 5, axis=0)
    found = template(rgb, face).find(moved)
    assert found is not None
    assert found.box.y == pytest.approx(face.box.y + 5, abs=1.0)
    assert found.box.x == pytest.approx(face.box.x, abs=1.0)
