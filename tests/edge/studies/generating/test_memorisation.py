"""Generators that copy, by features or by pixels, are told from those that do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_edge.studies.generating.features import Described, read_described, save_described
from dcrnet_edge.studies.generating.memorisation import memorisation, nearest, nearest_other

RNG = np.random.default_rng(0)


def described(
    kind: str, features: NDArray[np.float64], hashes: NDArray[np.bool_] | None = None
) -> Described:
    count = len(features)
    if hashes is None:
        hashes = RNG.random((count, 256)) < 0.5
    names = np.array([f"{kind}-{i}" for i in range(count)])
    labels = np.array(["fear"] * count)
    return Described(kind, labels, names, labels, hashes, features)


TRAIN = described("train", RNG.normal(size=(200, 4)))
VALID = described("valid", RNG.normal(size=(50, 4)))


def test_new_faces_show_no_sign_of_copying() -> None:
    found = memorisation(described("generated", RNG.normal(size=(100, 4))), TRAIN, VALID)
    assert not found.is_copying
    assert found.near_copies == 0
    assert found.closer <= 4
    assert found.distance == pytest.approx(found.real_distance, rel=0.3)


def test_copies_are_found_by_their_features() -> None:
    near = TRAIN.features[:100] + RNG.normal(scale=1e-3, size=(100, 4))
    found = memorisation(described("generated", near), TRAIN, VALID)
    assert found.is_copying
    assert found.closer == 100
    assert found.distance < 0.1 * found.limit


def test_a_few_copies_among_many_new_faces_are_found() -> None:
    rows = np.concatenate([TRAIN.features[:10], RNG.normal(size=(90, 4))])
    assert memorisation(described("generated", rows), TRAIN, VALID).is_copying


def test_copies_are_found_by_their_pixels_where_features_are_far() -> None:
    bits = TRAIN.hashes[:100] ^ (RNG.random((100, 256)) < 0.05)
    far = described("generated", RNG.normal(loc=50, size=(100, 4)), bits)
    found = memorisation(far, TRAIN, VALID)
    assert found.closer == 0
    assert found.near_copies == 100
    assert found.is_copying


def test_pictures_that_real_data_repeat_as_often_are_no_sign() -> None:
    """Where Valid's faces are near-copies of Train's, too, near-copies tell nothing."""
    again = described("valid", VALID.features, TRAIN.hashes[:50])
    copies = described("generated", RNG.normal(size=(100, 4)), TRAIN.hashes[:100])
    found = memorisation(copies, TRAIN, again)
    assert found.real_near_copies == 1.0
    assert not found.is_copying


def test_neighbours() -> None:
    references = np.array([[0.0], [1.0], [4.0], [4.0]])
    places, distances = nearest(np.array([[0.9], [3.0]]), references)
    assert places.tolist()[0] == 1
    assert distances == pytest.approx([0.1, 1.0])
    others = nearest_other(references, np.array([0, 1, 2]))
    assert others == pytest.approx([1.0, 1.0, 0.0])  # not itself, but its repeat


def test_the_file_keeps_what_is_needed(tmp_path: Path) -> None:
    save_described(tmp_path / "features.csv", [TRAIN, VALID])
    found = read_described(tmp_path / "features.csv")
    assert list(found) == ["train", "valid"]
    assert np.array_equal(found["valid"].hashes, VALID.hashes)
    assert found["valid"].images.tolist() == VALID.images.tolist()
    assert found["train"].features == pytest.approx(TRAIN.features, rel=1e-5, abs=1e-5)
