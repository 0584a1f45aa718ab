"""Adapters, splits and caches, on generated trees in the layouts that people have."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from edge.runs import open_fixed_detector
from generated import FixedDetector, synthetic_face, write_ferplus
from generated_trees import (
    write_affectnet,
    write_affectnet_tables,
    write_ckplus,
    write_ckplus_original,
    write_fer2013,
    write_folders,
    write_image,
    write_kdef,
    write_rafdb,
    write_rafdb_folders,
    write_votes,
)
from numpy.typing import NDArray

from dcrnet_edge.data.crop_cache import CropCache
from dcrnet_edge.data.face_cache import FaceCache, face_of_crop
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.layouts import ckplus, kdef
from dcrnet_edge.datasets.reading import read_dataset
from dcrnet_edge.datasets.registry import adapter
from dcrnet_edge.datasets.sample import Sample, Split, class_counts, read_rgb
from dcrnet_edge.datasets.splits import SplitKind, SplitPlan
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec
from dcrnet_runtime.video.images import read_image

Writer = Callable[[Path], Path]


def write_ferplus_csv(root: Path) -> Path:
    return write_votes(write_fer2013(root))


def write_split_folders(root: Path) -> Path:
    return write_folders(root, splits=("train", "val", "Test"))


LAYOUTS: list[tuple[str, Writer]] = [
    ("ferplus", write_ferplus),
    ("ferplus", write_ferplus_csv),
    ("fer2013", write_fer2013),
    ("affectnet", write_affectnet),
    ("affectnet", write_affectnet_tables),
    ("ckplus", write_ckplus),
    ("ckplus", write_ckplus_original),
    ("kdef", write_kdef),
    ("rafdb", write_rafdb),
    ("rafdb", write_rafdb_folders),
    ("folders", write_folders),
    ("folders", write_split_folders),
]
PLANS = [
    SplitPlan(folds=3),
    *(SplitPlan(kind, 1, 3) for kind in (SplitKind.SUBJECT, SplitKind.RANDOM)),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: str(plan.kind))
@pytest.mark.parametrize(("name", "write"), LAYOUTS)
def test_nothing_leaks_between_splits(
    name: str, write: Writer, plan: SplitPlan, tmp_path: Path
) -> None:
    root = write(tmp_path / "tree")
    if plan.kind is SplitKind.SUBJECT and name not in ("ckplus", "kdef"):
        with pytest.raises(DcrnetError, match="not known who is on the images"):
            read_dataset(name, root, plan)
        return
    dataset = read_dataset(name, root, plan)
    pixels = {
        split: {read_rgb(sample).tobytes() for sample in samples}
        for split, samples in dataset.splits.items()
    }
    for one, other in pairwise([*Split, Split.TRAIN]):
        assert not pixels[one] & pixels[other]
    if "subject" in dataset.protocol:
        subjects = [{sample.subject for sample in samples} for samples in dataset.splits.values()]
        assert sum(map(len, subjects)) == len(set.union(*subjects))
    assert all(dataset.splits.values())
    assert len(dataset.digest) == 64
    assert adapter(name).license


def counts_of(name: str, root: Path, plan: SplitPlan | None = None) -> list[int]:
    dataset = read_dataset(name, root, plan)
    return [len(dataset.splits[split]) for split in Split]


def test_ferplus_splits_labels_and_votes(tmp_path: Path) -> None:
    dataset = read_dataset("ferplus", write_ferplus(tmp_path))
    counts = {split: len(samples) for split, samples in dataset.splits.items()}
    # Train loses the repeat of a Test image, the tie and the contempt image.
    assert counts == {Split.TRAIN: 3, Split.VALID: 6, Split.TEST: 6}
    assert dataset.repeats == 1
    happy = next(s for s in dataset.splits[Split.TEST] if dataset.labels[s.label] == "happiness")
    # Eight votes of eight: the two single ones are left out.
    assert happy.target == (0, 0, 0, 1, 0, 0, 0)
    neutral = next(s for s in dataset.splits[Split.TEST] if dataset.labels[s.label] == "neutral")
    assert neutral.target == pytest.approx((0, 0, 0, 0, 0.7, 0.3, 0))
    assert class_counts(dataset.splits[Split.TEST], 7).tolist() == [0, 0, 0, 3, 3, 0, 0]


def test_kaggles_pixels_with_the_votes_beside(tmp_path: Path) -> None:
    root = write_ferplus_csv(tmp_path)
    dataset = read_dataset("ferplus", root)
    assert len(dataset.splits[Split.VALID]) == 7
    sample = dataset.splits[Split.TEST][1]
    row = (root / "fer2013.csv").read_text().splitlines()[1 + 5]
    expected = np.array(row.split(",")[1].split(), np.uint8).reshape(48, 48)
    assert (read_rgb(sample)[:, :, 1] == expected).all()
    assert dataset.labels[sample.label] == "happiness"
    (root / "fer2013.csv").write_text(
        "\n".join((root / "fer2013.csv").read_text().splitlines()[:-2])
    )
    with pytest.raises(DcrnetError, match="are not those of fer2013new"):
        read_dataset("ferplus", root)


def test_affectnet_drops_contempt_and_what_is_no_expression(tmp_path: Path) -> None:
    assert counts_of("affectnet", write_affectnet(tmp_path / "a", 44))[2] == 28
    assert counts_of("affectnet", write_affectnet_tables(tmp_path / "b"))[2] == 21
    unpacked = write_affectnet_tables(tmp_path / "d", is_unpacked=True)
    assert counts_of("affectnet", unpacked)[2] == 21
    root = write_affectnet_tables(tmp_path / "c", validation_header=True)
    dataset = read_dataset("affectnet", root, SplitPlan(SplitKind.PAPER))
    assert len(dataset.splits[Split.TEST]) == 21
    anger = next(s for s in dataset.splits[Split.TEST] if s.label == 0)
    assert anger.path.name == "6.jpg"
    assert np.array_equal(read_rgb(anger), read_image(anger.path)[6:56, 4:52])


def test_ckplus_takes_the_last_three_frames_of_labelled_sequences(tmp_path: Path) -> None:
    plan = SplitPlan(SplitKind.SUBJECT, 0, 3)
    dataset = read_dataset("ckplus", write_ckplus_original(tmp_path), plan)
    samples = [sample for samples in dataset.splits.values() for sample in samples]
    assert len(samples) == 63
    assert {int(sample.path.stem[-8:]) for sample in samples} == {3, 4, 5}
    assert {sample.subject for sample in samples} == {f"S{i:03}" for i in range(21)}


def test_both_sessions_of_a_person_stay_together(tmp_path: Path) -> None:
    plan = SplitPlan(SplitKind.SUBJECT, 0, 4)
    dataset = read_dataset("kdef", write_kdef(tmp_path), plan)
    assert [len(dataset.splits[split]) for split in Split] == [56, 28, 28]
    assert {sample.path.parent.name[1:] for sample in dataset.splits[Split.TEST]} == {
        next(iter(dataset.splits[Split.TEST])).subject
    }


def test_every_image_is_tested_once_over_all_folds(tmp_path: Path) -> None:
    root = write_ckplus(tmp_path)
    tested = [
        sample.path
        for fold in range(5)
        for sample in read_dataset("ckplus", root, SplitPlan(SplitKind.SUBJECT, fold, 5)).splits[
            Split.TEST
        ]
    ]
    assert len(tested) == len(set(tested)) == 42


def test_the_papers_random_splits(tmp_path: Path) -> None:
    """Table 1: 785 and 196 images of CK+; a set with other counts is refused."""
    totals = (135, 54, 177, 75, 207, 84, 249)
    for label, total in zip(ckplus.LABELS, totals, strict=True):
        for index in range(total):
            name = f"S{index % 100:03}_{index // 100:03}_{index:08}.png"
            write_image(tmp_path / label / name, side=8)
    dataset = read_dataset("ckplus", tmp_path, SplitPlan(SplitKind.PAPER))
    test = class_counts(dataset.splits[Split.TEST], 7)
    assert tuple(test) == ckplus.PAPER_TEST
    assert sum(map(len, dataset.splits.values())) == 981
    assert dataset.protocol.startswith("paper: random 785/196, seed 0")
    with pytest.raises(DcrnetError, match=r"tests on 34 images of anger, and this ckplus has 6"):
        read_dataset("ckplus", write_ckplus(tmp_path / "small"), SplitPlan(SplitKind.PAPER))
    assert sum(kdef.PAPER_TEST) == 294


def test_the_papers_split_of_kdef_is_of_frontal_and_half_profiles(tmp_path: Path) -> None:
    """Of all 4,900 images: 2,940 from three angles, of which table 1 has 2,938."""
    codes = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
    for number in range(70):
        for code in codes:
            for session, angle in itertools.product("AB", ("S", "HL", "HR", "FL", "FR")):
                person = f"{'FM'[number % 2]}{number // 2 + 1:02}"
                write_image(tmp_path / f"{session}{person}{code}{angle}.JPG", side=4)
    dataset = read_dataset("kdef", tmp_path, SplitPlan(SplitKind.PAPER))
    assert tuple(class_counts(dataset.splits[Split.TEST], 7)) == kdef.PAPER_TEST
    assert dataset.protocol.startswith("paper: random 2644/294, seed 0")
    used = [sample for samples in dataset.splits.values() for sample in samples]
    angles = {sample.path.stem[6:] for sample in used}
    assert angles == {"S", "HL", "HR"}
    assert len(used) == 2938 - dataset.repeats


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ferplus", r"should hold fer2013new\.csv and either .* it holds notes\.txt"),
        ("fer2013", r"should hold fer2013\.csv"),
        ("affectnet", "should hold train_set and val_set"),
        ("ckplus", "should hold a folder per expression with S###"),
        ("kdef", r"should hold files such as AF01ANS\.JPG"),
        ("rafdb", "should hold EmoLabel/list_patition_label"),
        ("folders", "should hold a folder with images for each of two or more"),
    ],
)
def test_other_layouts_say_what_was_expected_and_found(
    name: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DcrnetError, match=expected):
        read_dataset(name, tmp_path)


def test_damaged_tables(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"does not exist: unpack the data set"):
        read_dataset("ferplus", tmp_path / "none")
    votes = write_ferplus(tmp_path / "ferplus") / "fer2013new.csv"
    whole = votes.read_text()
    for old, new, expected in (
        ("PrivateTest", "Secret", "Usage is 'Secret'; expected Training"),
        ("7,0,0,3", "7,x,0,3", "lacks a whole number of votes"),
    ):
        votes.write_text(whole.replace(old, new))
        with pytest.raises(DcrnetError, match=expected):
            read_dataset("ferplus", votes.parent)
    table = write_fer2013(tmp_path / "fer2013") / "fer2013.csv"
    table.write_text(table.read_text().replace("\n2,", "\n9,"))
    with pytest.raises(DcrnetError, match="emotion is '9'; expected 0 to 6"):
        read_dataset("fer2013", table.parent)
    listed = write_rafdb(tmp_path / "rafdb") / "basic" / "EmoLabel" / "list_patition_label.txt"
    listed.write_text("train_00001.jpg five\n")
    with pytest.raises(DcrnetError, match=r"has the line 'train_00001\.jpg five'"):
        read_dataset("rafdb", tmp_path / "rafdb")
    code = write_affectnet(tmp_path / "affectnet") / "train_set" / "annotations" / "0_exp.npy"
    code.write_bytes(b"damaged")
    with pytest.raises(DcrnetError, match="holds no expression code"):
        read_dataset("affectnet", tmp_path / "affectnet")
    write_image(write_folders(tmp_path / "folders") / "hapiness" / "0.png")
    with pytest.raises(DcrnetError, match="no expression; did you mean happiness"):
        read_dataset("folders", tmp_path / "folders")


def test_unreadable_images_are_left_out_and_counted(tmp_path: Path) -> None:
    root = write_folders(tmp_path, 30, ("train", "valid", "test"))
    (root / "train" / "Happy" / "0.png").write_bytes(b"damaged")
    (root / "test" / "Happy" / "0.png").unlink()
    dataset = read_dataset("folders", root)
    assert dataset.unreadable == 1
    assert len(dataset.splits[Split.TRAIN]) == 59
    for path in (root / "train" / "neutral").iterdir():
        path.write_bytes(b"damaged")
    with pytest.raises(DcrnetError, match=r"31 of 179 images cannot be read; the first: .*0\.png"):
        read_dataset("folders", root)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"kind": SplitKind.OFFICIAL}, "has no official split"),
        ({"kind": SplitKind.PAPER}, "states no split of folders"),
        ({"kind": SplitKind.RANDOM, "folds": 40}, "40 folds of 12 are not possible"),
        ({"fold": 10}, "fold 10 does not exist: give 0 to 9"),
        ({"validation": 1.5}, "give a share between 0 and 1"),
    ],
)
def test_splits_that_are_not_possible(
    plan: dict[str, object], expected: str, tmp_path: Path
) -> None:
    root = write_folders(tmp_path)
    with pytest.raises(DcrnetError, match=expected):
        read_dataset("folders", root, SplitPlan(**plan))  # type: ignore[arg-type]


class CountingDetector(FixedDetector):
    calls = 0

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        self.calls += 1
        if self.calls == 7:
            raise KeyboardInterrupt
        return super().find(rgb) if self.calls % 2 else []


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    dataset = read_dataset("ferplus", write_ferplus(tmp_path / "tree"))
    return dataset.splits[Split.TEST]


def test_faces_are_found_once_and_kept(samples: list[Sample], tmp_path: Path) -> None:
    face = synthetic_face(centre=(36.0, 36.0), side=40.0)
    detector = CountingDetector(face, landmarks_sha256="cc" * 32)
    first = FaceCache(tmp_path / "cache", lambda: detector).faces(samples)
    again = FaceCache(tmp_path / "cache", lambda: detector).faces(samples)
    assert detector.calls == len(samples)
    for one, other in zip(first, again, strict=True):
        assert one.box == other.box == Box(0, 0, 48, 48)
        assert (one.landmarks is None) == (other.landmarks is None)
    assert [face.landmarks is None for face in first] == [False, True] * 3
    mixed = samples[::-2]
    fresh = FaceCache(tmp_path / "cache", lambda: detector)
    for one, other in zip(fresh.faces(mixed, samples), first[::-2], strict=True):
        assert (one.landmarks is None) == (other.landmarks is None)
    assert detector.calls == len(samples)  # another choice of the same images
    other_network = CountingDetector(face, landmarks_sha256="dd" * 32)
    FaceCache(tmp_path / "cache", lambda: other_network).faces(samples)
    assert other_network.calls == len(samples)


def test_an_interrupted_search_goes_on_behind_its_last_shard(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_edge.data.face_cache.SHARD", 2)
    detector = CountingDetector(synthetic_face(), landmarks_sha256="cc" * 32)
    detector.calls = 4  # so that the third image interrupts
    seen: list[tuple[int, int]] = []
    cache = FaceCache(tmp_path, lambda: detector, progress=lambda *done: seen.append(done))
    with pytest.raises(KeyboardInterrupt):
        cache.faces(samples)
    detector.calls = 100
    assert len(cache.faces(samples)) == 6
    assert detector.calls == 104
    assert seen[-1] == (4, 4)


def test_folds_share_what_was_found(tmp_path: Path) -> None:
    detector = CountingDetector(synthetic_face(), landmarks_sha256="cc" * 32)
    detector.calls = 100
    root = write_ckplus(tmp_path / "tree")
    for fold in range(3):
        plan = SplitPlan(SplitKind.SUBJECT, fold, 3)
        dataset = read_dataset("ckplus", root, plan)
        data = FaceData(
            dataset, FaceCache(tmp_path / "faces", lambda: detector), CropCache(tmp_path)
        )
        for split in Split:
            assert len(data.faces(split)) == len(data.samples(split))
    assert detector.calls == 100 + 42


def test_several_processes_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcrnet_edge.data.face_cache.POOL_FROM", 0)
    samples = read_dataset("ferplus", write_ferplus(tmp_path / "t")).splits[Split.TEST]
    alone = FaceCache(tmp_path / "a", open_fixed_detector).faces(samples)
    apart = FaceCache(tmp_path / "b", open_fixed_detector, workers=2).faces(samples)
    for one, other in zip(alone, apart, strict=True):
        assert one.landmarks is not None
        assert other.landmarks is not None
        assert np.array_equal(one.landmarks, other.landmarks)


def test_crops_are_what_the_runtime_prepares(samples: list[Sample], tmp_path: Path) -> None:
    faces = [synthetic_face(centre=(24.0, 24.0), side=40.0)] * len(samples)
    spec = PreprocessSpec(size_px=64)
    crops = CropCache(tmp_path / "crops").crops(samples, faces, spec)
    assert len(crops) == 6
    for crop, sample, face in zip(crops, samples, faces, strict=True):
        assert crop.shape == (64, 64, 1)
        assert (crop == prepare(read_rgb(sample), face, spec)).all()


def test_crops_lie_in_shards_of_which_only_missing_ones_are_made(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_edge.data.crop_cache.SHARD", 4)
    faces = [synthetic_face(centre=(24.0, 24.0), side=40.0)] * len(samples)
    spec = PreprocessSpec(size_px=64)
    seen: list[tuple[int, int]] = []
    cache = CropCache(tmp_path / "crops", lambda *done: seen.append(done))
    whole = [prepare(read_rgb(s), f, spec)[:, :, :1] for s, f in zip(samples, faces, strict=True)]

    crops = cache.crops(samples, faces, spec)
    assert seen == [(done, 6) for done in range(7)]
    assert all(isinstance(shard, np.memmap) for shard in crops.shards)
    assert np.array_equal([crops[index] for index in range(6)], whole)
    assert [len(batch) for batch in crops.batches(5)] == [5, 1]
    assert np.array_equal(np.concatenate(list(crops.batches(5))), whole)

    seen.clear()
    next((tmp_path / "crops").iterdir()).unlink()
    assert np.array_equal(list(cache.crops(samples, faces, spec)), whole)
    assert seen[-1] in {(4, 4), (2, 2)}
    seen.clear()
    cache.crops(samples, faces, spec)
    assert seen == []


def test_a_face_crop_is_searched_with_a_margin_and_the_central_face_wins() -> None:
    central = synthetic_face(centre=(36.0, 36.0), side=40.0)  # the margin is 12 px
    beside = synthetic_face(centre=(70.0, 70.0), side=30.0)
    face = face_of_crop(np.zeros((48, 48, 3), np.uint8), FixedDetector(beside, central))
    assert face.landmarks is not None
    assert central.landmarks is not None
    assert np.allclose(face.landmarks, central.landmarks - 12)
    assert face.box == Box(0, 0, 48, 48)


def test_rafdb_says_who_is_shown_where_its_annotation_is_there(tmp_path: Path) -> None:
    """Five landmarks, then the codes of gender, race and age; unsure is not known."""
    root = write_rafdb(tmp_path)
    assert {sample.groups for sample in read_dataset("rafdb", root).images} == {()}
    folder = root / "basic" / "Annotation" / "manual"
    folder.mkdir(parents=True)
    landmarks = "\n".join(["12.5\t34.0"] * 5)
    for name, codes in {"test_00000": "1\n2\n4\n", "test_00001": "2\n0\n1"}.items():
        (folder / f"{name}_manu_attri.txt").write_text(f"{landmarks}\n{codes}")
    found = {s.path.name: s.groups for s in read_dataset("rafdb", root).images}
    assert found["test_00000_aligned.jpg"] == (
        *(("gender", "female"), ("race", "Asian"), ("age", "70+")),
    )
    assert found["test_00001_aligned.jpg"] == (("race", "Caucasian"), ("age", "4-19"))
    assert found["test_00002_aligned.jpg"] == ()
    for broken in ("0\n9\n1", "0", "a\nb\nc"):
        (folder / "test_00002_manu_attri.txt").write_text(f"{broken}\n")
        with pytest.raises(DcrnetError, match="does not end with the codes of gender, race, age"):
            read_dataset("rafdb", root)


def test_kdef_says_how_heads_were_turned(tmp_path: Path) -> None:
    root = write_kdef(tmp_path)
    views = {
        (s.path.stem[6:], s.view) for s in read_dataset("kdef", root, SplitPlan(folds=3)).images
    }
    assert views == {("S", "straight"), ("HL", "half left")}
