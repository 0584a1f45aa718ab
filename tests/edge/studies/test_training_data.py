"""A model is never tested on what it learned from without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from edge.studies.commands import refused, study
from generated import FixedDetector, TinyModel
from generated_trees import write_ckplus, write_folders

from dcrnet_edge.datasets.reading import read_dataset
from dcrnet_edge.datasets.sample import FaceDataset
from dcrnet_edge.datasets.splits import SplitKind, SplitPlan
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.preprocess.spec import PreprocessSpec

SPEC = PreprocessSpec(size_px=64)
LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
BLUR = ("--family", "blur")


@pytest.fixture
def faces(tmp_path: Path, detector: FixedDetector) -> Path:
    """CK+, which has no split of its own."""
    return write_ckplus(tmp_path / "ckplus", 28)


def provenance(dataset: FaceDataset, plan: SplitPlan) -> dict[str, Any]:
    """As training writes it."""
    kind = {} if plan.kind is None else {"kind": plan.kind.value}
    split = {"fold": plan.fold, "folds": plan.folds, "seed": plan.seed, "validation": 0.1}
    return {
        "dataset": dataset.name,
        "protocol": dataset.protocol,
        "data_sha256": dataset.digest,
        "images": {part.value: len(samples) for part, samples in dataset.splits.items()},
        "repeats_dropped": dataset.repeats,
        "config": {"dataset": dataset.name, "split": {**kind, **split}},
    }


def trained(tiny_model: TinyModel, root: Path, plan: SplitPlan, name: str = "a.onnx") -> Path:
    return carded(tiny_model, provenance(read_dataset("ckplus", root, plan), plan), name)


def carded(tiny_model: TinyModel, told: dict[str, Any], name: str = "a.onnx") -> Path:
    return tiny_model(card_json=ModelCard(LABELS, SPEC, told).to_json(), name=name)


def on(root: Path) -> list[object]:
    return ["--data", root, "--dataset", "ckplus", "--shared-labels", "--workers", 1]


@pytest.mark.parametrize(
    ("plan", "options"),
    [
        (SplitPlan(fold=1), ["--fold", "1"]),
        (SplitPlan(folds=5, seed=2), ["--folds", "5", "--split-seed", "2"]),
        (SplitPlan(SplitKind.RANDOM, 3), ["--protocol", "random", "--fold", "3"]),
    ],
)
def test_another_split_than_that_of_the_training_is_refused(
    plan: SplitPlan, options: list[str], faces: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = trained(tiny_model, faces, plan)
    told = refused("robustness", model, *on(faces), *BLUR, "--out", tmp_path / "out")
    assert "a.onnx was trained on another split of ckplus (" in told
    assert "; here subject-independent fold 0 of 10, seed 0; 10% of Train" in told
    assert f"give {' '.join(options)}, or name another model" in told
    assert not (tmp_path / "out").exists()  # before any work
    study("robustness", model, *on(faces), *BLUR, *options, "--out", tmp_path / "out")


def test_quantization_refuses_it_of_either_form(faces: Path, tiny_model: TinyModel) -> None:
    model = trained(tiny_model, faces, SplitPlan(fold=1))
    told = refused("quantization", "--float", model, "--int8", model, *on(faces))
    assert "float was trained on another split of ckplus" in told


def test_a_default_split_is_asked_for_by_no_options(faces: Path, tiny_model: TinyModel) -> None:
    model = trained(tiny_model, faces, SplitPlan())
    told = refused("robustness", model, *on(faces), *BLUR, "--fold", 2)
    assert "leave out --protocol, --fold, --folds and --split-seed, or name" in told
    assert "--protocol best is unknown: choose official" in refused(
        "robustness", model, *on(faces), "--protocol", "best"
    )


def test_what_was_cut_for_valid_is_no_matter_of_test(
    faces: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    plan = SplitPlan(validation=0.2)
    model = trained(tiny_model, faces, plan)
    study("robustness", model, *on(faces), *BLUR, "--out", tmp_path / "out")
    told = refused("robustness", model, *on(faces), *BLUR, "--split", "valid")
    assert "ask about --split test, or name another model" in told


def test_a_split_by_chance_of_other_images_is_another_one(
    faces: Path, tiny_model: TinyModel
) -> None:
    told = provenance(read_dataset("ckplus", faces), SplitPlan())
    model = carded(tiny_model, {**told, "data_sha256": "of other images"})
    assert "was trained on other images of ckplus, split by the same rule" in refused(
        "robustness", model, *on(faces), *BLUR
    )


def test_the_checkpoint_that_a_training_began_with_counts(
    faces: Path, tiny_model: TinyModel
) -> None:
    plan = SplitPlan(fold=1)
    start = {"provenance": provenance(read_dataset("ckplus", faces, plan), plan)}
    model = carded(tiny_model, {"dataset": "ferplus", "protocol": "official", "start": start})
    assert "another split of ckplus" in refused("robustness", model, *on(faces), *BLUR)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"dataset": "ckplus"},
        {"dataset": "ckplus", "protocol": 3, "start": 1},
        {"dataset": "ferplus", "protocol": "official"},
        {"dataset": "ckplus", "protocol": "subject-independent fold 0 of 10, seed 0"},
    ],
)
def test_what_a_card_does_not_say_is_no_mismatch(
    told: dict[str, Any], faces: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = carded(tiny_model, told)
    study("robustness", model, *on(faces), *BLUR, "--out", tmp_path / "out")


def test_anyones_folders_are_told_apart_by_their_number(
    tmp_path: Path, detector: FixedDetector, tiny_model: TinyModel
) -> None:
    """``folders`` is a layout, not a data set."""
    one, other = write_folders(tmp_path / "one", 12), write_folders(tmp_path / "other", 15)
    plan = SplitPlan(fold=1)
    model = carded(tiny_model, provenance(read_dataset("folders", one, plan), plan))
    asked = ["--dataset", "folders", "--shared-labels", "--workers", 1, *BLUR]
    assert "give --fold 1" in refused("robustness", model, "--data", one, *asked)
    study("robustness", model, "--data", other, *asked, "--out", tmp_path / "out")


def test_training_images_are_named_as_such(
    faces: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = trained(tiny_model, faces, SplitPlan())
    sentence = "accuracy on them says nothing of faces that were not learned"
    kinds = {
        "robustness": ["robustness", model, *BLUR],
        "attention": ["attention", model, "--images", 4],
        "quantization": ["quantization", "--float", model, "--int8", model, "--images", 12],
    }
    for kind, asked in kinds.items():
        out = ["--split", "train", "--out", tmp_path / kind]
        assert sentence in study(*asked, *on(faces), *out)["verdict"][-1]
    found = study(*kinds["robustness"], *on(faces), "--out", tmp_path / "test")
    assert not any(sentence in told for told in found["verdict"])


def test_every_study_of_images_refuses_another_split(
    faces: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, groups = trained(tiny_model, faces, SplitPlan(fold=1)), tmp_path / "groups.csv"
    names = [str(path.relative_to(faces)) for path in sorted(faces.rglob("*.png"))]
    groups.write_text("file,side\n" + "".join(f"{n},{'LR'[i % 2]}\n" for i, n in enumerate(names)))
    for asked in (["attention", model], ["fairness", model, "--groups", groups, "--least", 2]):
        assert "another split of ckplus" in refused(*asked, *on(faces))


def test_cross_asks_about_the_test_split_of_the_training(
    faces: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    plan = SplitPlan(fold=2)
    model, place = trained(tiny_model, faces, plan), f"ckplus:{faces}"
    found = study("cross", model, "--on", place, "--workers", 1, "--out", tmp_path / "out")
    protocol = read_dataset("ckplus", faces, plan).protocol
    assert found["settings"]["datasets"]["ckplus"]["protocol"] == protocol
    other = trained(tiny_model, faces, SplitPlan(fold=3), "b.onnx")
    told = refused("cross", model, other, "--on", place, "--out", tmp_path / "two")
    assert "b.onnx was trained on another split of ckplus" in told
    assert "ask each of these models in a study of its own" in told


def test_cross_takes_no_training_images_as_whole(
    faces: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    asked = ["--on", f"ckplus:{faces}", "--whole", "ckplus", "--workers", 1]
    model = trained(tiny_model, faces, SplitPlan())
    told = refused("cross", model, *asked, "--out", tmp_path / "out")
    assert "a.onnx was trained on ckplus" in told
    assert "leave out --whole ckplus" in told
    foreign = carded(tiny_model, {"dataset": "ferplus", "protocol": "official"}, "b.onnx")
    found = study("cross", foreign, *asked, "--out", tmp_path / "foreign")
    assert found["settings"]["datasets"]["ckplus"]["part"] == "whole"
