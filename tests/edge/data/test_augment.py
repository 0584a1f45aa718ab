"""Augmentation: each strength does what it says, and no more."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from generated import synthetic_face, synthetic_frame

from dcrnet_edge.data.augmentation import (
    AugmentConfig,
    camera_faults,
    erase,
    random_jitter,
    sample_generator,
)
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec

STILL = AugmentConfig(0, 0, 0, 0, flip=0, box_only=0, camera=0, erase=0)
SPEC = PreprocessSpec(size_px=64)


def test_nothing_drawn_changes_nothing() -> None:
    rng = sample_generator(0, 0, 0, 0)
    assert np.allclose(random_jitter(rng, STILL, 64), [[1, 0, 0], [0, 1, 0]])
    rgb = synthetic_frame()
    assert camera_faults(rgb, rng, 0.0) is rgb
    crop = prepare(rgb, synthetic_face(), SPEC)
    assert (erase(crop, rng, 0.0) == crop).all()


def test_a_mirror_image_is_one() -> None:
    """Of the crop without jitter, to within the rounding of one more warp."""
    flipped = random_jitter(sample_generator(0, 0, 0, 0), replace(STILL, flip=1), 64)
    rgb, face = synthetic_frame(), synthetic_face()
    plain, mirrored = prepare(rgb, face, SPEC), prepare(rgb, face, SPEC, flipped)
    apart = np.abs(plain[:, ::-1].astype(int) - mirrored)
    assert np.percentile(apart, 95) <= 2
    assert np.abs(plain.astype(int) - mirrored).mean() > 4 * apart.mean()


@pytest.mark.parametrize(
    ("config", "largest"),
    [
        (replace(STILL, rotation_deg=10.0), 0.17),
        (replace(STILL, scale=0.1), 0.10),
        (replace(STILL, shear=0.08), 0.08),
    ],
)
def test_the_linear_part_stays_within_its_range(config: AugmentConfig, largest: float) -> None:
    drawn = [random_jitter(sample_generator(0, 0, i, 0), config, 64) for i in range(200)]
    off = np.array([np.abs(matrix[:, :2] - np.eye(2)).max() for matrix in drawn])
    assert 0.9 * largest < off.max() <= largest + 0.01
    middle = np.array([31.5, 31.5, 1.0])
    assert all(np.allclose(matrix @ middle, middle[:2]) for matrix in drawn)


def test_shifts_are_a_share_of_the_side() -> None:
    config = replace(STILL, shift=0.05)
    for side in (64, 224):
        shifts = [random_jitter(sample_generator(0, 0, i, 0), config, side) for i in range(200)]
        largest = np.abs(np.array(shifts)[:, :, 2]).max()
        assert 0.045 * side < largest <= 0.05 * side


def test_camera_faults_are_of_four_kinds() -> None:
    """Over many draws the frame gets darker, lighter, softer and noisier; its shape stays."""
    rgb = synthetic_frame()
    drawn = [camera_faults(rgb, sample_generator(0, 0, i, 0), 0.5) for i in range(80)]
    assert all(each.shape == rgb.shape and each.dtype == np.uint8 for each in drawn)
    level = [each.mean() / rgb.mean() for each in drawn]
    assert min(level) < 0.6
    assert max(level) > 1.2
    detail = [cv2.Laplacian(each, cv2.CV_64F).var() for each in drawn]
    plain = cv2.Laplacian(rgb, cv2.CV_64F).var()
    assert min(detail) < 0.5 * plain
    assert max(detail) > 1.5 * plain


def test_erasing_replaces_a_rectangle() -> None:
    crop = np.full((64, 64, 3), 128, np.uint8)
    erased = erase(crop, sample_generator(0, 0, 0, 0), 1.0)
    changed = (erased != crop).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    box = changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert 0 < changed.sum() < 64 * 64
    assert box.mean() > 0.9
    assert (crop == 128).all()
