"""A cache that cannot be written is computed again each time, and fails no command."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import LABELS, TinyModel
from numpy.typing import NDArray
from typer import Typer
from typer.testing import CliRunner, Result

from dcrnet_runtime import cache

pytest.importorskip("torch", reason="needs the train and export extras")


@pytest.fixture
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of the user's caches is a file, in which not even root can make a folder."""
    place = tmp_path / "blocked"
    place.write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    cache._tell.cache_clear()
    return place


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    from generated_trees import write_folders

    return write_folders(tmp_path / "tree", 8, ("train", "valid", "test"))


def call(app: Typer, *arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


def kept_nothing(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether it was said since the last time that caches keep nothing."""
    said = any("keeps nothing" in record.getMessage() for record in caplog.records)
    caplog.clear()
    cache._tell.cache_clear()
    return said


def test_training_and_evaluation_go_on_without_a_cache(
    blocked: Path, tree: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from dcrnet_edge.cli import eval as eval_cli
    from dcrnet_edge.cli import train as train_cli

    caplog.set_level(logging.WARNING)
    given: list[object] = ["--data", tree, "--dataset", "folders"]
    settings = ["--from-scratch", "--size", 64, "--epochs", 1, "--batch-size", 8]
    settings += ["--set", "recipe.mixed_sizes=[]", "--set", "recipe.progressive=[]"]
    call(train_cli.app, *given, *settings, "--out", tmp_path / "run")
    assert kept_nothing(caplog)
    checkpoint = tmp_path / "run" / "model.safetensors"
    assert "accuracy" in call(eval_cli.app, checkpoint, *given).stdout
    assert kept_nothing(caplog)
    assert blocked.read_text() == "no folder"


def test_an_export_goes_on_without_a_cache(
    blocked: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Faces of a data set are found and prepared for its checks."""
    from export.toy_networks import SeparableNet, save_toy

    from dcrnet_export.cli import export as export_cli

    caplog.set_level(logging.WARNING)
    faces = np.random.default_rng(2).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    save_toy(SeparableNet, tmp_path / "toy.safetensors", faces)
    for split in ("train", "valid", "test"):
        for label, face in zip(LABELS, faces, strict=False):
            place = tmp_path / "seven" / split / label / f"{split}.png"
            place.parent.mkdir(parents=True)
            assert cv2.imwrite(str(place), np.roll(face, len(split), axis=0))
    given = ["--data", tmp_path / "seven", "--dataset", "folders", "--out", tmp_path / "out"]
    call(export_cli.app, tmp_path / "toy.safetensors", *given, "--format", "onnx")
    assert kept_nothing(caplog)
    assert list((tmp_path / "out").glob("*.onnx"))


def test_a_photo_is_answered_without_a_cache(
    blocked: Path, tiny_model: TinyModel, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    from dcrnet_runtime.cli import run as run_cli

    photo = tmp_path / "photo.png"
    assert cv2.imwrite(str(photo), cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR))
    result = call(run_cli.app, "--source", photo, "--model", tiny_model())
    assert json.loads(result.stdout)["faces"]
