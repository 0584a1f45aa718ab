"""Every checkpoint's card says what it was made from, on which terms, and how."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from edge.runs import open_fixed_detector
from generated import synthetic_frame
from generated_trees import write_folders
from safetensors.torch import save_file
from typer.testing import CliRunner

from dcrnet_edge.cli import train as train_cli
from dcrnet_edge.cli.command_line import command_line
from dcrnet_edge.datasets.layouts.folders import ADAPTER
from dcrnet_edge.distillation.sources import Source, joined, sources_of, terms
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.registry import create_model
from dcrnet_edge.training.initialization import IMAGENET
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.preprocess.spec import PreprocessSpec

PICTURES = "More faces (Somebody 2021), CC BY 4.0."


def test_a_students_card_names_all_that_is_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A teacher from ImageNet's weights; a student from the teacher's, with more pictures."""
    import cv2

    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: open_fixed_detector()
    )
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    tree = write_folders(tmp_path / "tree", 4, ("train", "valid", "test"))
    network = create_model("tf_efficientnet_lite0", labels=list(map(str, range(1000))))
    imagenet = tmp_path / "imagenet.safetensors"
    save_file({name: tensor.clone() for name, tensor in network.state_dict().items()}, imagenet)
    (tmp_path / "more").mkdir()
    for index in range(4):
        cv2.imwrite(str(tmp_path / "more" / f"{index}.png"), synthetic_frame(72, 72, index))

    arguments = ["--data", tree, "--dataset", "folders", "--size", 64, "--batch-size", 4]
    arguments += ["--network", "tf_efficientnet_lite0", "--epochs", 1, "--seed", 5]
    for name in ("recipe.progressive", "recipe.mixed_sizes", "range_sizes"):
        arguments += ["--set", f"{name}=[]"]
    first = ["--backbone-weights", imagenet, "--out", tmp_path / "teacher"]
    weights = tmp_path / "teacher" / "model.safetensors"
    second = ["--start-from", weights, "--teacher", weights, "--out", tmp_path / "student"]
    second += ["--unlabelled", tmp_path / "more", "--unlabelled-license", PICTURES]
    second += ["--set", "recipe.unlabelled_confidence=0"]
    for more in (first, second):
        given = list(map(str, [*arguments, *more]))
        monkeypatch.setattr(sys, "argv", ["/usr/bin/dcrnet-train", *given])
        result = CliRunner().invoke(train_cli.app, given)
        assert result.exit_code == 0, result.output

    card = load_checkpoint(weights).card
    assert card.license == f"{ADAPTER.license} {IMAGENET.license}"
    student = load_checkpoint(tmp_path / "student" / "model.safetensors").card
    assert student.license == f"{ADAPTER.license} {IMAGENET.license} {PICTURES}"
    assert sources_of(student, "student") == (
        Source("folders", ADAPTER.license),
        IMAGENET,
        Source("more", PICTURES),
    )
    told = student.provenance
    assert told["machine"]["cores"] >= 1
    assert told["machine"]["cpu"]
    assert told["hours"] >= 0  # to a thousandth
    assert told["config"]["recipe"]["seed"] == 5
    assert told["command"].startswith("dcrnet-train --data tree --dataset folders --size 64")
    assert str(tmp_path) not in student.to_json()


def test_a_command_is_told_without_the_folders_around() -> None:
    argv = ["/opt/bin/dcrnet-train", "--data", "/home/me/fer plus", "--set=split.fold=2"]
    argv += ["--out=runs/a", "--set", "recipe.progressive=[[64, 3]]", "--seed", "1"]
    argv += ["--on", "ckplus:/home/me/CK+48", "--on=ferplus:data/fer"]
    assert command_line(argv) == (
        "dcrnet-train --data 'fer plus' --set=split.fold=2 --out=a --set"
        " 'recipe.progressive=[[64, 3]]' --seed 1 --on ckplus:CK+48 --on=ferplus:fer"
    )


def test_files_that_are_called_alike_keep_their_folders() -> None:
    argv = ["dcrnet-study", "/home/me/a/model.safetensors", "/home/me/b/model.safetensors"]
    argv += ["--data", "/home/me/ferplus", "--out", "/home/you/ferplus"]
    assert command_line(argv) == (
        "dcrnet-study a/model.safetensors b/model.safetensors --data ferplus --out ferplus"
    )


def test_an_older_cards_terms_are_one_source() -> None:
    spec = PreprocessSpec(size_px=64)
    older = ModelCard(("a", "b"), spec, license="Old terms.")
    assert sources_of(older, "old.safetensors") == (Source("old.safetensors", "Old terms."),)
    assert sources_of(ModelCard(("a", "b"), spec), "old.safetensors") == ()
    both = joined([Source("a", "One."), Source("b", "Two."), Source("a", "One.")])
    assert both == (Source("a", "One."), Source("b", "Two."))
    assert terms([*both, Source("c", "One."), Source("d", "")]) == "One. Two."
