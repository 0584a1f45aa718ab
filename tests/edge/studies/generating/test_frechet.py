"""The Frechet distance, against closed forms and scipy's matrix square root."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from dcrnet_edge.studies.generating.frechet import frechet_distance


def test_it_is_as_by_scipys_matrix_square_root() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))
    second = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)) + 1.0
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    apart = first.mean(axis=0) - second.mean(axis=0)
    expected = apart @ apart + np.trace(one + other - 2 * np.real(sqrtm(one @ other)))
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)


def test_closed_forms() -> None:
    points = np.array([[-1.0], [0.0], [1.0]])  # variance 1
    assert frechet_distance(points, points + 3.0) == pytest.approx(9)
    assert frechet_distance(points, 4.0 * points) == pytest.approx((4 - 1) ** 2)
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-12)


def test_fewer_faces_than_features_give_a_finite_distance() -> None:
    rng = np.random.default_rng(1)
    found = frechet_distance(rng.normal(size=(8, 30)), rng.normal(size=(9, 30)))
    assert np.isfinite(found)
    assert found > 0
