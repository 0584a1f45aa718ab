"""The FERPlus adapter and the face cache, on a generated tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from generated import FixedFinder, synthetic_face, write_ferplus

from dcrnet_edge.datasets.adapter import DatasetKind, read_dataset
from dcrnet_edge.datasets.facecache import FaceCache, face_of_crop
from dcrnet_edge.datasets.sample import Split, class_counts, read_rgb
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face


def test_splits_labels_and_votes(tmp_path: Path) -> None:
    dataset = read_dataset(DatasetKind.FERPLUS, write_ferplus(tmp_path))
    counts = {split: len(samples) for split, samples in dataset.splits.items()}
    # Train loses the repeat of a Test image, the tie and the contempt image.
    assert counts == {Split.TRAIN: 3, Split.VALID: 6, Split.TEST: 6}
    assert dataset.repeats == 1
    happy = next(s for s in dataset.splits[Split.TEST] if dataset.labels[s.label] == "happiness")
    # Eight votes of eight: the two single ones are left out.
    assert happy.target == (0, 0, 0, 1, 0, 0, 0)
    neutral = next(s for s in dataset.splits[Split.TEST] if dataset.labels[s.label] == "neutral")
    assert neutral.target == pytest.approx((0, 0, 0, 0, 0.7, 0.3, 0))


def test_nothing_of_test_is_left_in_train(tmp_path: Path) -> None:
    dataset = read_dataset(DatasetKind.FERPLUS, write_ferplus(tmp_path))
    pixels = {
        split: {read_rgb(sample.path).tobytes() for sample in samples}
        for split, samples in dataset.splits.items()
    }
    assert not pixels[Split.TEST] & pixels[Split.TRAIN]
    assert not pixels[Split.VALID] & pixels[Split.TRAIN]


def test_class_counts(tmp_path: Path) -> None:
    dataset = read_dataset(DatasetKind.FERPLUS, write_ferplus(tmp_path))
    assert class_counts(dataset.splits[Split.TEST], 7).tolist() == [0, 0, 0, 3, 3, 0, 0]


def test_wrong_layouts_say_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"does not exist: unpack the data set"):
        read_dataset(DatasetKind.FERPLUS, tmp_path / "none")
    with pytest.raises(DcrnetError, match=r"expects a folder with fer2013new\.csv, FER2013Train"):
        read_dataset(DatasetKind.FERPLUS, tmp_path)
    root = write_ferplus(tmp_path / "tree")
    votes = root / "fer2013new.csv"
    whole = votes.read_text()
    votes.write_text(whole.replace("PrivateTest", "Secret"))
    with pytest.raises(DcrnetError, match="Usage is 'Secret'; expected Training"):
        read_dataset(DatasetKind.FERPLUS, root)
    votes.write_text(whole.replace("7,0,0,3", "7,x,0,3"))
    with pytest.raises(DcrnetError, match="lacks a whole number of votes"):
        read_dataset(DatasetKind.FERPLUS, root)
    votes.write_text(whole)
    next((root / "FER2013Test").iterdir()).write_bytes(b"damaged")
    with pytest.raises(DcrnetError, match="is missing or is no image"):
        read_dataset(DatasetKind.FERPLUS, root)


class CountingFinder(FixedFinder):
    calls = 0

    def find(self, rgb: np.ndarray) -> list[Face]:
        self.calls += 1
        return super().find(rgb) if self.calls % 2 else []


def test_faces_are_found_once_and_kept(tmp_path: Path) -> None:
    samples = read_dataset(DatasetKind.FERPLUS, write_ferplus(tmp_path / "t")).splits[Split.TEST]
    face = synthetic_face(centre=(36.0, 36.0), side=40.0)
    finder = CountingFinder(face, landmarks_sha256="cc" * 32)
    first = FaceCache(tmp_path / "cache", finder).faces(samples)
    again = FaceCache(tmp_path / "cache", finder).faces(samples)
    assert finder.calls == len(samples)
    for one, other in zip(first, again, strict=True):
        assert one.box == other.box == Box(0, 0, 48, 48)
        assert (one.landmarks is None) == (other.landmarks is None)
        if one.landmarks is not None:
            assert np.array_equal(one.landmarks, other.landmarks)
    assert [face.landmarks is None for face in first] == [False, True] * 3
    other_network = CountingFinder(face, landmarks_sha256="dd" * 32)
    FaceCache(tmp_path / "cache", other_network).faces(samples)
    assert other_network.calls == len(samples)


def test_a_face_crop_is_searched_with_a_margin_and_the_central_face_wins() -> None:
    central = synthetic_face(centre=(36.0, 36.0), side=40.0)  # the margin is 12 px
    beside = synthetic_face(centre=(70.0, 70.0), side=30.0)
    face = face_of_crop(np.zeros((48, 48, 3), np.uint8), FixedFinder(beside, central))
    assert face.landmarks is not None
    assert central.landmarks is not None
    assert np.allclose(face.landmarks, central.landmarks - 12)
    assert face.box == Box(0, 0, 48, 48)
