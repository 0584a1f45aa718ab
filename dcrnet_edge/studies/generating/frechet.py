"""The distance between two clouds of features, as if both were normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]


def frechet_distance(first: Features, second: Features) -> float:
    """Squared Frechet distance of the normal distributions of (N, K) and (M, K) features.

    What the FID is of Inception's features (Heusel and others 2017):
    ``|m - n|^2 + tr(A + B - 2 (A B)^(1/2))`` with means m, n and covariances A, B. It grows as N
    and M shrink, so that only distances of equally many are compared.

    Args:
        first: two rows or more.
        second: likewise.
    """
    one, other = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (first, second))
    root = _root(one)
    # A^(1/2) B A^(1/2) has A B's eigenvalues and is symmetric, which keeps them real.
    common = np.linalg.eigvalsh(root @ other @ root).clip(0)
    apart = first.mean(axis=0) - second.mean(axis=0)
    total = apart @ apart + np.trace(one) + np.trace(other) - 2 * np.sqrt(common).sum()
    return max(0.0, float(total))


def _root(covariance: Features) -> Features:
    values, vectors = np.linalg.eigh(covariance)
    root: Features = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root
