"""``--landmarks-cache``: faces found on one machine are used on another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from edge.runs import open_fixed_detector
from generated import FixedDetector
from generated_trees import write_folders, write_image
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_edge.cli import train as train_cli
from dcrnet_edge.data.corruptions import Corruption, SeededCorruption
from dcrnet_edge.data.crop_cache import CropCache
from dcrnet_edge.data.face_cache import FaceCache
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.reading import read_dataset
from dcrnet_edge.datasets.sample import Split
from dcrnet_runtime.detectors.detector import Detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_folders(tmp_path / "tree", 4, ("train", "valid", "test"))


@dataclass
class Blind:
    """A detector that must not be asked."""

    name: str = "fixed"
    landmarks_sha256: str = "ee" * 32

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        raise AssertionError("asked")


def data_of(tree: Path, caches: Path, file: Path, detector: Detector | None = None) -> FaceData:
    cache = FaceCache(caches, lambda: detector or open_fixed_detector(), file=file)
    return FaceData(read_dataset("folders", tree), cache, CropCache(caches))


def test_faces_of_all_splits_are_carried(tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "faces.landmarks"
    first = data_of(tree, tmp_path / "one", file)
    train = first.faces(Split.TRAIN)
    assert file.is_file()
    carried = tmp_path / "other" / "faces.landmarks"
    carried.parent.mkdir()
    file.rename(carried)
    moved = tree.rename(tmp_path / "elsewhere")
    second = data_of(moved, tmp_path / "two", carried, Blind())
    for split in Split:
        for before, after in zip(
            first.faces(split) if split is Split.TRAIN else train, second.faces(split), strict=True
        ):
            assert before.box == after.box
            assert before.landmarks is not None
            assert after.landmarks is not None
            assert np.array_equal(before.landmarks, after.landmarks)
    assert list((tmp_path / "two").glob("*")) == []


def test_faces_of_more_images_join_a_new_file(tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "faces.npz"
    data = data_of(tree, tmp_path / "one", file)
    more = write_folders(tmp_path / "more", 4, ("train", "valid", "test"))
    others = read_dataset("folders", more).images
    data.faces(Split.TEST)
    data.find(others)
    again = data_of(tree, tmp_path / "two", file, Blind())
    assert len(again.find(others)) == len(others)
    assert len(again.faces(Split.VALID)) == 8


def test_extra_images_join_a_file_that_was_given(tree: Path, tmp_path: Path) -> None:
    """Such as the unlabelled ones of a student, after a teacher has made the file."""
    file = tmp_path / "faces.npz"
    data_of(tree, tmp_path / "one", file).faces(Split.TRAIN)
    more = write_folders(tmp_path / "more", 4, ("train", "valid", "test"))
    others = read_dataset("folders", more).images
    student = data_of(tree, tmp_path / "two", file)
    student.faces(Split.TRAIN)
    student.find(others)
    again = data_of(tree, tmp_path / "three", file, Blind())
    assert len(again.find(others)) == len(others)
    assert len(again.faces(Split.TEST)) == 8


def test_no_face_comes_back_as_none(tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "faces.npz"
    finds_none = FixedDetector(landmarks_sha256="ee" * 32)
    data_of(tree, tmp_path / "one", file, finds_none).faces(Split.TEST)
    faces = data_of(tree, tmp_path / "two", file, Blind()).faces(Split.TEST)
    assert {face.landmarks for face in faces} == {None}


def test_corrupted_pictures_are_not_looked_up(tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "faces.npz"
    data_of(tree, tmp_path / "one", file).faces(Split.TEST)
    data = data_of(tree, tmp_path / "two", file)
    assert len(data.altered(SeededCorruption(Corruption.BLUR)).faces(Split.TEST)) == 8


def test_a_file_that_does_not_fit_says_why(tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "faces.npz"
    data_of(tree, tmp_path / "one", file).faces(Split.TEST)
    with pytest.raises(DcrnetError, match=r"found by fixed eeee.*, and here .* fixed aaaa"):
        data_of(tree, tmp_path / "two", file, Blind(landmarks_sha256="aa" * 32))
    write_image(tree / "test" / "Happy" / "new.png", 120)
    whole = file.read_bytes()
    with pytest.raises(DcrnetError, match=r"lacks 1 of 9 images \(first .*new.png\)"):
        data_of(tree, tmp_path / "two", file, Blind()).faces(Split.TEST)
    assert file.read_bytes() == whole
    file.write_bytes(whole[:1000])
    with pytest.raises(DcrnetError, match="no whole file of landmarks"):
        data_of(tree, tmp_path / "two", file, Blind())


def test_the_command_names_its_option(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: open_fixed_detector()
    )
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    arguments = ["--data", tree, "--dataset", "folders", "--landmarks-cache", tmp_path / "bad.npz"]
    arguments += ["--from-scratch", "--out", tmp_path / "run"]
    result = CliRunner().invoke(train_cli.app, list(map(str, arguments)))
    assert result.exit_code == 2
    assert "name another file with --landmarks-cache, which is then made" in result.stderr
