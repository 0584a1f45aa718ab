"""Corruptions in five grades."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from generated import synthetic_face
from numpy.typing import NDArray

from dcrnet_edge.data.corruptions import Corruption, corrupt
from dcrnet_edge.datasets.sample import Sample
from dcrnet_edge.studies.pictures.families import SEVERITIES, STRENGTHS, Family
from dcrnet_edge.studies.pictures.severities import GradedCorruption, corrupted, graded


def picture(side: int = 48) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(40, 200, (side, side, 3)).astype(np.uint8)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize("family", Family)
def test_each_grade_changes_more(family: Family) -> None:
    rgb = picture()
    before = rgb.copy()
    made = [graded(rgb, family, severity, rng()) for severity in SEVERITIES]
    assert np.array_equal(rgb, before)
    assert all(each.dtype == np.uint8 and each.shape == rgb.shape for each in made)
    # JPEG and turned noise reach their worst early; what is coarser never comes closer again.
    distance = [float(np.abs(each.astype(float) - rgb).mean()) for each in made]
    assert distance[0] > 0
    assert all(b > 0.97 * a for a, b in itertools.pairwise(distance))
    assert len(STRENGTHS[family]) == len(SEVERITIES)


@pytest.mark.parametrize(
    ("family", "severity", "kind"),
    [
        (Family.DARKNESS, 3, Corruption.HALF_BRIGHTNESS),
        (Family.OVEREXPOSURE, 4, Corruption.OVEREXPOSURE),
        (Family.GAUSSIAN_NOISE, 2, Corruption.NOISE_10),
        (Family.BLUR, 3, Corruption.BLUR),
        (Family.JPEG, 4, Corruption.JPEG),
        (Family.SQUARE, 3, Corruption.SQUARE),
        (Family.EYES, 4, Corruption.EYES),
        (Family.MOUTH, 4, Corruption.MOUTH),
        (Family.CONTRAST, 4, Corruption.CONTRAST),
        (Family.SHOT_NOISE, 4, Corruption.SHOT_NOISE),
        (Family.ROTATION, 3, Corruption.ROTATION),
        (Family.DOWNSCALING, 3, Corruption.DOWNSCALING),
        (Family.MASK, 5, Corruption.MASK),
    ],
)
def test_a_grade_is_the_kind_that_training_knows(
    family: Family, severity: int, kind: Corruption
) -> None:
    rgb = picture()
    assert np.array_equal(graded(rgb, family, severity, rng()), corrupt(rgb, kind, rng()))


def test_mouth_is_covered_where_the_landmarks_have_it() -> None:
    face = synthetic_face(centre=(60.0, 70.0), side=60.0)
    sample = Sample(Path("a.png"), 0, (1.0,))
    (altered,) = corrupted([sample], [face], Family.MOUTH, 4)
    assert isinstance(altered.alteration, GradedCorruption)
    black = (altered.alteration(np.full((120, 120, 3), 255, np.uint8)) == 0).all(axis=2)
    rows, columns = np.nonzero(black)
    assert face.landmarks is not None
    lips = face.landmarks[[61, 291, 0, 17]]
    assert columns.min() <= lips[:, 0].min() <= lips[:, 0].max() <= columns.max() + 1
    assert rows.min() <= lips[:, 1].min() <= lips[:, 1].max() <= rows.max() + 1
    assert black.sum() < 60 * 60
    (elsewhere,) = corrupted([sample], [face], Family.BLUR, 4)
    assert isinstance(elsewhere.alteration, GradedCorruption)
    assert elsewhere.alteration.region_px is None
    assert elsewhere.alteration.key != altered.alteration.key
