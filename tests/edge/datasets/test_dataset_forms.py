"""Data sets in the forms in which people have them: in part, renamed, stored by spreadsheets."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from generated import write_ferplus
from generated_trees import (
    write_affectnet,
    write_affectnet_tables,
    write_ckplus_original,
    write_fer2013,
    write_folders,
    write_image,
    write_rafdb,
    write_rafdb_folders,
    write_votes,
)

from dcrnet_edge.cli.face_data import _left_out
from dcrnet_edge.datasets.reading import read_dataset
from dcrnet_edge.datasets.sample import EXPRESSIONS, Split, read_rgb
from dcrnet_edge.datasets.splits import SplitPlan
from dcrnet_edge.evaluation.predictions import Predictions, read_predictions, save_predictions
from dcrnet_runtime.errors import DcrnetError

BOM = b"\xef\xbb\xbf"
TEST_ALONE = [Split.TEST]


def in_three(root: Path) -> Path:
    return write_folders(root, 6, ("train", "valid", "test"))


def only_private_tests(root: Path) -> Path:
    path = write_fer2013(root) / "fer2013.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(row for row in rows if row.endswith("PrivateTest"))]))
    return root


def without(root: Path, *folders: str) -> Path:
    for folder in folders:
        shutil.rmtree(root / folder)
    return root


@pytest.mark.parametrize(
    ("name", "write", "images"),
    [
        ("folders", lambda root: without(in_three(root), "train", "valid"), 12),
        ("fer2013", only_private_tests, 7),
        ("ferplus", lambda root: without(write_ferplus(root), "FER2013Train", "FER2013Valid"), 6),
        ("rafdb", lambda root: without(write_rafdb_folders(root), "DATASET/train"), 14),
        ("affectnet", lambda root: without(write_affectnet(root), "train_set"), 21),
    ],
)
def test_test_alone_is_enough_to_evaluate(
    name: str, write: Callable[[Path], Path], images: int, tmp_path: Path
) -> None:
    root = write(tmp_path)
    dataset = read_dataset(name, root, needed=TEST_ALONE)
    assert {split: len(each) for split, each in dataset.splits.items() if each} == {
        Split.TEST: images
    }
    assert dataset.unreadable == 0
    with pytest.raises(DcrnetError, match="leaves no labelled image for the train split"):
        read_dataset(name, root)


def test_a_list_may_name_images_of_splits_that_are_not_needed(tmp_path: Path) -> None:
    """RAF-DB's one list names Train and Test, and its images lie in one folder."""
    root = write_rafdb(tmp_path)
    for path in (root / "basic" / "Image" / "aligned").glob("train_*"):
        path.unlink()
    dataset = read_dataset("rafdb", root, needed=TEST_ALONE)
    assert (len(dataset.splits[Split.TEST]), dataset.unreadable) == (14, 0)
    with pytest.raises(DcrnetError, match="14 of 28 images cannot be read"):
        read_dataset("rafdb", root)


def as_kaggles_contest(path: Path) -> Path:
    """``icml_face_data.csv``: the columns in another order, blanks in the header."""
    _, *rows = path.read_text().splitlines()
    lines = ["emotion, Usage, pixels"]
    for row in rows:
        emotion, pixels, usage = row.split(",")
        lines.append(f"{emotion},{usage},{pixels}")
    path.unlink()
    other = path.with_name("icml_face_data.csv")
    other.write_text("\n".join(lines) + "\n")
    return other


def test_a_file_in_place_of_its_folder_is_named_as_one(tmp_path: Path) -> None:
    path = as_kaggles_contest(write_fer2013(tmp_path) / "fer2013.csv")
    with pytest.raises(DcrnetError, match="is a file: name the folder that holds it"):
        read_dataset("fer2013", path)


@pytest.mark.parametrize("name", ["fer2013", "ferplus"])
def test_kaggles_contest_file_is_fer2013s(name: str, tmp_path: Path) -> None:
    root = write_votes(write_fer2013(tmp_path))
    before = read_dataset(name, root)
    path = as_kaggles_contest(root / "fer2013.csv")
    after = read_dataset(name, root)
    assert after.digest == before.digest
    for one, two in zip(before.splits[Split.TEST], after.splits[Split.TEST], strict=True):
        assert two.path == path
        assert one.label == two.label
    pixels = np.random.default_rng(2).integers(0, 256, 48 * 48).reshape(48, 48)
    same = [np.array_equal(read_rgb(s)[..., 0], pixels) for s in after.splits[Split.TEST]]
    assert same.count(True) == 1


@pytest.mark.parametrize(
    ("name", "write", "pattern"),
    [
        ("fer2013", write_fer2013, "fer2013.csv"),
        ("ferplus", write_ferplus, "fer2013new.csv"),
        ("affectnet", write_affectnet_tables, "*.csv"),
        ("rafdb", write_rafdb, "basic/EmoLabel/*.txt"),
    ],
)
def test_a_byte_order_mark_changes_nothing(
    name: str, write: Callable[[Path], Path], pattern: str, tmp_path: Path
) -> None:
    root = write(tmp_path)
    before = read_dataset(name, root)
    paths = list(root.glob(pattern))
    for path in paths:
        path.write_bytes(BOM + path.read_bytes())
    assert paths
    assert read_dataset(name, root).digest == before.digest


def test_predictions_that_a_spreadsheet_stored_are_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    answers = Predictions(
        ("a", "b"),
        ("1.png",),
        ("test",),
        ("",),
        np.array([True]),
        np.array([1]),
        np.array([[0.25, 0.75]], np.float32),
    )
    save_predictions(path, answers)
    path.write_bytes(BOM + path.read_bytes())
    assert read_predictions(path).images == ("1.png",)


@pytest.mark.parametrize("name", ["ferplus", "affectnet"])
def test_a_table_in_another_encoding_is_named(name: str, tmp_path: Path) -> None:
    root = write_ferplus(tmp_path) if name == "ferplus" else write_affectnet_tables(tmp_path)
    table = root / ("fer2013new.csv" if name == "ferplus" else "training.csv")
    table.write_bytes(table.read_text().replace("fear", "peur\xe9").encode("utf-16"))
    with pytest.raises(DcrnetError, match=f"{table.name} is no CSV file"):
        read_dataset(name, root)


CODES = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")


def write_classes(root: Path, levels: tuple[str, ...], prefix: str = "") -> Path:
    for level in levels:
        for code in range(len(CODES)):
            for index in range(3):
                write_image(root / level / f"{prefix}{code}" / f"{CODES[code]}-{index}.jpg")
    return root


@pytest.mark.parametrize(
    ("levels", "prefix"), [(("train", "val"), ""), (("train_class", "val_class"), "class00")]
)
def test_affectnet_in_class_folders(levels: tuple[str, str], prefix: str, tmp_path: Path) -> None:
    dataset = read_dataset("affectnet", write_classes(tmp_path, levels, prefix))
    assert dataset.labels == EXPRESSIONS
    assert len(dataset.splits[Split.TEST]) == 3 * 7  # without contempt
    for sample in dataset.splits[Split.TEST]:
        assert sample.path.name.startswith(dataset.labels[sample.label])
        assert sample.path.parts[-3] == levels[1]
    assert {s.path.parts[-3] for s in dataset.splits[Split.TRAIN]} == {levels[0]}


def test_affectnet_in_three_parts_keeps_its_validation_set(tmp_path: Path) -> None:
    dataset = read_dataset("affectnet", write_classes(tmp_path, ("train", "valid", "test")))
    for split in Split:
        assert {s.path.parts[-3] for s in dataset.splits[split]} == {split.value}


def write_fork(path: Path) -> None:
    """What macOS writes beside a file on other systems' disks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(f"._{path.name}").write_bytes(b"\0\x05\x16\x07" + bytes(60))


@pytest.mark.parametrize(
    ("name", "write", "pattern", "forks"),
    [
        ("folders", in_three, "*/*/*.png", 36),
        ("rafdb", write_rafdb_folders, "DATASET/*/*/*.jpg", 28),
        ("affectnet", lambda root: write_classes(root, ("train", "val")), "*/*/*.jpg", 42),
        ("affectnet", write_affectnet, "*/annotations/*.npy", 0),
        ("ckplus", write_ckplus_original, "Emotion/*/*/*.txt", 0),
        ("ckplus", write_ckplus_original, "cohn-kanade-images/*/*/*.png", 0),
    ],
)
def test_resource_forks_are_counted_and_cost_nothing(
    name: str, write: Callable[[Path], Path], pattern: str, forks: int, tmp_path: Path
) -> None:
    root, plan = write(tmp_path), SplitPlan(folds=3)
    before = read_dataset(name, root, plan)
    for path in list(root.glob(pattern)):
        write_fork(path)
        write_fork(root / "__MACOSX" / path.relative_to(root))
    after = read_dataset(name, root, plan)
    assert after.digest == before.digest
    assert after.unreadable == 0
    assert len(after.left_out) == forks
    if forks:
        told = _left_out(after)
        assert f"{forks} ._ files of macOS left out (._" in told
        assert "and" in told
    else:
        assert _left_out(after) == ""


def test_an_unreadable_image_is_counted_by_name(tmp_path: Path) -> None:
    root = write_folders(tmp_path, 20, ("train", "valid", "test"))
    (root / "train" / "Happy" / "3.png").write_bytes(b"no image")
    assert _left_out(read_dataset("folders", root)) == ", 1 unreadable ones left out (3.png)"
