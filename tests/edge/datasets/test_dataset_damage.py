"""What goes wrong with data sets and caches, and every split kind cleared of planted repeats."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from generated import FixedDetector, synthetic_face, write_ferplus
from generated_trees import (
    write_affectnet,
    write_affectnet_tables,
    write_ckplus,
    write_ckplus_original,
    write_folders,
    write_image,
    write_kdef,
    write_rafdb_folders,
)
from numpy.typing import NDArray

from dcrnet_edge.data.crop_cache import CropCache
from dcrnet_edge.data.face_cache import FaceCache
from dcrnet_edge.datasets.layouts import ckplus, kdef
from dcrnet_edge.datasets.reading import read_dataset
from dcrnet_edge.datasets.sample import FaceDataset, Sample, Split, read_rgb
from dcrnet_edge.datasets.splits import SplitKind, SplitPlan
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.spec import PreprocessSpec


def assert_no_leak(dataset: FaceDataset) -> None:
    pixels = [
        {read_rgb(sample).tobytes() for sample in samples} for samples in dataset.splits.values()
    ]
    for one, other in combinations(pixels, 2):
        assert not one & other
    for seen, samples in zip(pixels, dataset.splits.values(), strict=True):
        assert len(seen) == len(samples)  # nor twice within a split


@pytest.mark.parametrize("folder", ["train", "valid"])
def test_test_keeps_a_repeat_and_then_valid(folder: str, tmp_path: Path) -> None:
    root = write_folders(tmp_path, 6, ("train", "valid", "test"))
    test_image = root / "test" / "Happy" / "0.png"
    shutil.copy(test_image, root / folder / "Happy" / "copy.png")
    shutil.copy(root / "valid" / "Happy" / "1.png", root / "train" / "Happy" / "valid.png")
    dataset = read_dataset("folders", root)
    assert dataset.repeats == 2
    assert [len(dataset.splits[split]) for split in Split] == [12, 12, 12]
    assert test_image in {sample.path for sample in dataset.splits[Split.TEST]}
    assert_no_leak(dataset)


@pytest.mark.parametrize(
    ("name", "write", "split_kind"),
    [
        ("ferplus", write_ferplus, SplitKind.OFFICIAL),
        ("rafdb", write_rafdb_folders, SplitKind.OFFICIAL),
        ("affectnet", write_affectnet, SplitKind.OFFICIAL),
        ("affectnet", write_affectnet, SplitKind.PAPER),
        ("ckplus", write_ckplus, SplitKind.PAPER),
        ("kdef", write_kdef, SplitKind.PAPER),
        ("ckplus", write_ckplus, SplitKind.SUBJECT),
        ("kdef", write_kdef, SplitKind.SUBJECT),
    ],
)
def test_planted_repeats_leak_under_no_split(
    name: str,
    write: Callable[[Path], Path],
    split_kind: SplitKind,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = write(tmp_path)
    # Table 1's counts, for trees of this size.
    monkeypatch.setattr(ckplus, "PAPER_TEST", (2,) * 7)
    monkeypatch.setattr(ckplus, "PAPER_TRAIN", (4,) * 7)
    monkeypatch.setattr(kdef, "PAPER_TEST", (4,) * 7)
    monkeypatch.setattr(kdef, "PAPER_TRAIN", (12,) * 7)
    before = read_dataset(name, root, SplitPlan(split_kind, 0, 3))
    test, train = before.splits[Split.TEST][1], before.splits[Split.TRAIN][1]
    shutil.copy(test.path, train.path)
    after = read_dataset(name, root, SplitPlan(split_kind, 0, 3))
    assert after.repeats == before.repeats + 1
    assert test in after.splits[Split.TEST]
    assert train not in after.splits[Split.TRAIN]
    assert after.digest != before.digest
    assert_no_leak(after)


def test_the_papers_split_wants_the_papers_counts(tmp_path: Path) -> None:
    assert sum(kdef.PAPER_TRAIN) == 2644
    assert sum(ckplus.PAPER_TRAIN) == 785
    for index in range(421):
        write_image(tmp_path / f"AF{index % 35 + 1:02}" / "AF01ANS.JPG", side=8)
    with pytest.raises(
        DcrnetError, match=r"378 and tests on 42 images of anger.* has 35, not 420"
    ):
        read_dataset("kdef", tmp_path, SplitPlan(SplitKind.PAPER))


def test_a_damaged_label_of_ckplus(tmp_path: Path) -> None:
    root = write_ckplus_original(tmp_path)
    next(iter(sorted((root / "Emotion").rglob("*.txt")))).write_text("three")
    with pytest.raises(DcrnetError, match=r"_emotion\.txt holds no emotion code"):
        read_dataset("ckplus", root)


@pytest.mark.parametrize("pixels", ["1 2 3", "1 2 x 4", "1 2 3 256", "", "9" * 30 + " 1 2 3"])
def test_damaged_rows_of_pixels(pixels: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f"0,{pixels},Training\n")
    with pytest.raises(DcrnetError, match="is no row of pixels"):
        read_rgb(Sample(path, 0, (1.0,), row_offset=0))
    with pytest.raises(DcrnetError, match="cannot be read"):
        read_rgb(Sample(tmp_path / "none.csv", 0, (1.0,), row_offset=0))


class DeadlyDetector(FixedDetector):
    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        if rgb.mean() > 130:
            os._exit(9)
        return super().find(rgb)


def open_fixed_detector() -> FixedDetector:
    return FixedDetector(synthetic_face(centre=(36.0, 36.0), side=40.0))


def open_deadly_detector() -> DeadlyDetector:
    return DeadlyDetector(synthetic_face(centre=(36.0, 36.0), side=40.0))


def test_a_worker_that_dies_leaves_the_finished_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_edge.data.face_cache.SHARD", 6)
    monkeypatch.setattr("dcrnet_edge.data.face_cache.POOL_FROM", 0)
    samples = read_dataset(
        "folders", write_folders(tmp_path / "tree", 6, ("train", "valid", "test"))
    ).splits[Split.TEST]
    samples = sorted(samples, key=lambda sample: read_rgb(sample).mean())  # the deadly ones last
    with pytest.raises(DcrnetError, match=r"was killed.*what is done is kept"):
        FaceCache(tmp_path / "cache", open_deadly_detector, workers=2).faces(samples)
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 1
    assert not list((tmp_path / "cache").glob(".*.tmp*"))


def test_a_face_box_that_is_wrong_costs_its_image(tmp_path: Path) -> None:
    root = write_affectnet_tables(tmp_path)
    table = root / "validation.csv"
    rows = table.read_text().replace("/0.jpg,4,6,", "/0.jpg,60,6,")
    rows = rows.replace("/1.jpg,4,6,", "/1.jpg,NULL,6,").replace("/2.jpg,4,6,", "/2.jpg,4.0,6.0,")
    table.write_text(rows)
    dataset = read_dataset("affectnet", root)
    assert dataset.unreadable == 2
    sample = Sample(root / "x.jpg", 0, (1.0,), box=(60, 6, 48, 50))
    write_image(sample.path, side=60)
    with pytest.raises(
        DcrnetError, match=r"48 x 50 px at 60, 6\) lies outside the image \(60 x 60"
    ):
        read_rgb(sample)
    table.write_text(table.read_text().replace(".jpg,4,6,", ".jpg,40,40,"))  # a corner is inside
    with pytest.raises(DcrnetError, match="of 42 images cannot be read; the first: the face box"):
        read_dataset("affectnet", root)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("subDirectory_filePath,face_x,expression", "a.jpg,0,1", "no column face_y, face_width"),
        ("", "a.jpg,0,0,48,48,1.0;2.0,NULL,0.1,0.2", "a row without a path and an expression"),
    ],
)
def test_an_affectnet_table_that_lacks_something_is_refused(
    header: str, row: str, message: str, tmp_path: Path
) -> None:
    root = write_affectnet_tables(tmp_path)
    (root / "training.csv").write_text(f"{header}\n{row}\n".lstrip())
    with pytest.raises(DcrnetError, match=message):
        read_dataset("affectnet", root)


@pytest.mark.parametrize("damage", ["cut", "empty", "of others"])
def test_a_damaged_shard_of_faces_is_made_again(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dcrnet_edge.data.face_cache.SHARD", 2)
    dataset = read_dataset("ferplus", write_ferplus(tmp_path / "tree"))
    samples = dataset.splits[Split.TEST][:4]
    cache = FaceCache(tmp_path / "faces", open_fixed_detector)
    faces = cache.faces(samples)
    assert not caplog.records
    shard = sorted((tmp_path / "faces").iterdir())[0]
    whole = shard.read_bytes()
    FaceCache(tmp_path / "other", open_fixed_detector).faces(samples[:1])
    [other] = (tmp_path / "other").iterdir()
    shard.write_bytes({"cut": whole[:900], "empty": b"", "of others": other.read_bytes()}[damage])
    again = cache.faces(samples)
    [record] = caplog.records
    assert f"{shard} is damaged" in record.message
    for one, two in zip(faces, again, strict=True):
        assert one.box == two.box
        assert one.landmarks is not None
        assert two.landmarks is not None
        assert np.array_equal(one.landmarks, two.landmarks)
    assert np.load(shard)["boxes"].shape == (2, 4)


def test_affectnets_table_finds_its_images_though_the_first_is_missing(tmp_path: Path) -> None:
    root = write_affectnet_tables(tmp_path)
    (root / "Manually_Annotated_Images" / "training" / "0.jpg").unlink()
    dataset = read_dataset("affectnet", root)
    assert dataset.unreadable == 1
    shutil.rmtree(root / "Manually_Annotated_Images" / "validation")
    with pytest.raises(DcrnetError, match=r"none of the 33 images that .*validation\.csv names"):
        read_dataset("affectnet", root)


@pytest.mark.parametrize("damage", ["cut", "zeroed", "no checksum", "empty", "header"])
def test_a_damaged_crop_shard_is_made_again(damage: str, tmp_path: Path) -> None:
    samples = read_dataset("ferplus", write_ferplus(tmp_path / "tree")).splits[Split.TEST]
    faces = [synthetic_face(centre=(24.0, 24.0), side=40.0)] * len(samples)
    spec = PreprocessSpec(size_px=64)
    crops = CropCache(tmp_path / "crops").crops(samples, faces, spec)
    before = [crop.copy() for crop in crops]
    [shard] = (tmp_path / "crops").iterdir()
    whole = shard.read_bytes()
    shard.write_bytes(
        {
            "cut": whole[: len(whole) // 2],
            "zeroed": whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2),
            "no checksum": whole[:-4],
            "empty": b"",
            "header": whole.replace(b"{'descr'", b"('descr'", 1),
        }[damage]
    )
    again = CropCache(tmp_path / "crops").crops(samples, faces, spec)
    assert np.array_equal(list(again), before)
    assert shard.read_bytes() == whole
