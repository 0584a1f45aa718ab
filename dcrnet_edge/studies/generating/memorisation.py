"""Whether generated faces are copies of those that the generator learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from dcrnet_edge.distillation.near_copies import are_near
from dcrnet_edge.studies.generating.features import Described

RARE_SHARE = 0.01
"""Of real faces, by definition of the limit, that are nearer to another than the limit."""

_LEVEL = 0.01


@dataclass(frozen=True, slots=True)
class Memorisation:
    """What the nearest neighbours of one label's generated faces tell.

    Attributes:
        faces: generated ones.
        distance: median from a generated face to the nearest one of Train.
        real_distance: median from a Train face of the label to the nearest other one of Train.
        limit: that distance of which one real face in a hundred has less.
        closer: generated faces at or below the limit.
        near_copies: generated faces whose pixels are nearly those of a Train face.
        real_near_copies: share of Valid's faces of the label for which that holds.
        is_copying: whether either is so often that chance does not explain it (1 % level).
    """

    faces: int
    distance: float
    real_distance: float
    limit: float
    closer: int
    near_copies: int
    real_near_copies: float
    is_copying: bool


def memorisation(generated: Described, train: Described, valid: Described) -> Memorisation:
    """Compare one label's generated faces with all that the generator learned from.

    Args:
        generated: of one label.
        train: of all labels.
        valid: of any, which the generator has not seen.
    """
    (label,) = set(generated.labels)
    _, distances = nearest(generated.features, train.features)
    real = nearest_other(train.features, np.flatnonzero(train.labels == label))
    limit = float(np.quantile(real, RARE_SHARE))
    closer = int((distances <= limit).sum())
    near = int(are_near(generated.hashes, train.hashes).sum())
    own = valid.of(label)
    base = float(are_near(own.hashes, train.hashes).mean()) if len(own) else 0.0
    return Memorisation(
        *(len(generated), float(np.median(distances)), float(np.median(real)), limit),
        *(closer, near, base),
        _is_often(closer, len(generated), RARE_SHARE)
        or _is_often(near, len(generated), max(base, RARE_SHARE)),
    )


def nearest(
    queries: NDArray[np.float64], references: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each of (N, K) the number of the nearest of (M, K), and how far it is."""
    from sklearn.neighbors import NearestNeighbors

    distances, places = NearestNeighbors(n_neighbors=1).fit(references).kneighbors(queries)
    return places[:, 0], distances[:, 0]


def nearest_other(
    references: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """How far each of the chosen ones of (M, K) is from the nearest of the others."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=2).fit(references).kneighbors(references[chosen])[0]
    distances: NDArray[np.float64] = found[:, 1]
    return distances


def _is_often(count: int, faces: int, share: float) -> bool:
    test = binomtest(count, faces, min(share, 1.0), alternative="greater")
    return bool(test.pvalue < _LEVEL)
