"""The contract: what each of its fields does, and what must never reach the network."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import cv2
import numpy as np
import pytest
from generated import synthetic_face, synthetic_frame
from hypothesis import given, settings
from hypothesis import strategies as st

from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.crops import crop_transform, prepare
from dcrnet_runtime.preprocess.gamma import adaptive_gamma, gamma_table
from dcrnet_runtime.preprocess.spec import (
    Alignment,
    Border,
    Colour,
    Interpolation,
    PreprocessSpec,
)

# Every field matters here: landmarks known, the face cut by the frame's edge, focus half on,
# dark enough for the gamma's clip.
BASE = PreprocessSpec(size_px=64, focus_strength=0.5, border=Border.FILL, gamma_min=0.9)
FRAME = (synthetic_frame() * 0.4).astype(np.uint8)
FACE = synthetic_face(centre=(40.0, 60.0))

CHANGES: dict[str, Any] = {
    "alignment": Alignment.BOX,
    "template": ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.75), (0.65, 0.75)),
    "source_px": 32,
    "colour": Colour.RGB,
    "size_px": 128,
    "interpolation": Interpolation.LINEAR,
    "border": Border.REPLICATE,
    "fill": 0,
    "gamma_min": 0.8,
    "focus_strength": 1.0,
    "focus_margin": 0.1,
}
ELSEWHERE = {
    "box_scale": "test_box_scale_changes_the_box_only_crop",
    "gamma_max": "test_gamma_max_darkens_a_bright_face_less",
    "landmarks_sha256": "test_recognizer.py: another landmark network warns",
    "version": "test_spec.py: another version is refused",
}


def test_every_field_of_the_contract_is_covered() -> None:
    assert {field.name for field in fields(PreprocessSpec)} == CHANGES.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("field", CHANGES)
def test_changing_a_field_changes_the_crop(field: str) -> None:
    changed = replace(BASE, **{field: CHANGES[field]})
    before, after = prepare(FRAME, FACE, BASE), prepare(FRAME, FACE, changed)
    assert before.shape != after.shape or (before != after).any()


def test_box_scale_changes_the_box_only_crop() -> None:
    face = Face(FACE.box)
    wider = prepare(FRAME, face, replace(BASE, box_scale=1.3))
    assert (prepare(FRAME, face, BASE) != wider).any()


def test_gamma_max_darkens_a_bright_face_less() -> None:
    bright = np.full((100, 100, 3), 230, np.uint8)
    face = Face(Box(10, 10, 80, 80))
    full = prepare(bright, face, replace(BASE, gamma_max=2.0))
    clipped = prepare(bright, face, replace(BASE, gamma_max=1.4))
    assert full.mean() < clipped.mean() < 230


def test_the_crop_is_uint8_rgb_of_the_contracts_size() -> None:
    crop = prepare(FRAME, FACE, BASE)
    assert crop.shape == (64, 64, 3)
    assert crop.dtype == np.uint8


def test_hue_at_equal_luma_changes_nothing() -> None:
    """Every pixel gets another hue whose Rec. 601 luma OpenCV rounds to the same code."""
    rng = np.random.default_rng(3)
    candidates = rng.integers(0, 256, (400_000, 3), dtype=np.uint8)
    lumas = cv2.cvtColor(candidates[None], cv2.COLOR_RGB2GRAY)[0]
    by_luma = {code: candidates[lumas == code] for code in range(40, 200)}
    codes = rng.integers(40, 200, (120, 120))
    pick = rng.integers(0, 50, (2, 120, 120))
    one, other = (
        np.array([[by_luma[c][i] for c, i in zip(*row, strict=True)] for row in rows])
        for rows in (zip(codes, pick[0], strict=True), zip(codes, pick[1], strict=True))
    )
    assert np.abs(one.astype(int) - other).mean() > 20
    face = synthetic_face(centre=(60.0, 60.0), side=80.0)
    assert (prepare(one, face, BASE) == prepare(other, face, BASE)).all()


def test_landmarks_land_on_the_template() -> None:
    matrix = crop_transform(FACE, BASE)
    points = FACE.five_points() @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs((points + 0.5) / 64 - np.array(BASE.template)).max() < 0.04


def test_box_only_crop_of_a_whole_image_is_that_image() -> None:
    """A data-set image that counts as its own box comes through unmoved."""
    rgb = synthetic_frame(64, 64)
    spec = PreprocessSpec(
        size_px=64, source_px=64, colour=Colour.RGB, gamma_min=1.0, gamma_max=1.0
    )
    assert (prepare(rgb, Face(Box(0, 0, 64, 64)), spec) == rgb).all()


def test_a_sharp_camera_looks_like_the_training_images() -> None:
    """A face five times as large gives the same crop up to resampling, not a sharper one."""
    small = cv2.GaussianBlur(synthetic_frame(96, 96), (0, 0), 2)
    large = cv2.resize(small, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(4).integers(-60, 60, large.shape[:2])
    sharp = np.clip(large.astype(int) + noise[:, :, None], 0, 255).astype(np.uint8)
    spec = PreprocessSpec(size_px=96, source_px=48)
    soft_crop = prepare(small, Face(Box(0, 0, 96, 96)), spec).astype(int)
    sharp_crop = prepare(sharp, Face(Box(0, 0, 480, 480)), spec).astype(int)
    assert np.abs(soft_crop - sharp_crop).mean() < 6
    unlimited = prepare(sharp, Face(Box(0, 0, 480, 480)), replace(spec, source_px=1024))
    assert np.abs(unlimited - soft_crop).mean() > 2 * np.abs(soft_crop - sharp_crop).mean()


@pytest.mark.parametrize("size_px", [64, 224])
def test_nothing_of_the_fill_leaks_into_a_crop_inside_the_frame(size_px: int) -> None:
    flat = np.full((900, 900, 3), 120, np.uint8)
    spec = PreprocessSpec(size_px=size_px, border=Border.FILL, fill=0, gamma_min=1, gamma_max=1)
    face = synthetic_face(centre=(450.0, 450.0), side=500.0)
    assert (prepare(flat, face, spec) == 120).all()


def test_gamma_brings_a_grey_mean_to_one_half() -> None:
    """Eq. 1: ln 0.5 / ln(m / 255), here within the clip."""
    gamma = adaptive_gamma(np.full((8, 8), 100, np.uint8), 0.6, 1.4)
    assert gamma == pytest.approx(np.log(0.5) / np.log(100 / 255))
    assert gamma_table(gamma)[100] == 128


@pytest.mark.parametrize(("code", "expected"), [(0, 0.6), (3, 0.6), (250, 1.4), (255, 1.4)])
def test_gamma_is_clipped(code: int, expected: float) -> None:
    assert adaptive_gamma(np.full((4, 4), code, np.uint8), 0.6, 1.4) == expected


def test_full_focus_leaves_only_the_fill_outside_the_regions() -> None:
    spec = PreprocessSpec(size_px=128, focus_strength=1.0, fill=7)
    crop = prepare(synthetic_frame(), synthetic_face(), spec)
    assert (crop[:4, :4] == 7).all()
    eye_row, eye_column = round(0.38 * 128), round(0.31 * 128)
    assert (crop[eye_row - 3 : eye_row + 3, eye_column - 3 : eye_column + 3] != 7).any()


def test_a_face_outside_the_frame_is_an_error() -> None:
    with pytest.raises(ValueError, match="outside the frame"):
        prepare(FRAME, Face(Box(5000, 5000, 50, 50)), BASE)


numbers = st.floats(-3000, 3000)


@settings(max_examples=150, deadline=None)
@given(x=numbers, y=numbers, width=st.floats(-10, 4000), height=st.floats(-10, 4000))
def test_any_box_gives_a_crop_or_a_value_error(
    x: float, y: float, width: float, height: float
) -> None:
    try:
        crop = prepare(FRAME, Face(Box(x, y, width, height)), BASE)
    except ValueError:
        return
    assert crop.shape == (64, 64, 3)
