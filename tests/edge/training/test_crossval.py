"""Cross-validation on a generated CK+ tree: cut off, gone on with, and recomputed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edge.runs import FERPLUS, SMALL, open_fixed_detector
from edge.toy import TOY
from generated_trees import write_ckplus
from typer.testing import CliRunner

from dcrnet_edge.cli import eval as eval_cli
from dcrnet_edge.data.crop_cache import CropCache
from dcrnet_edge.data.face_cache import FaceCache
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.reading import read_dataset
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.datasets.splits import SplitPlan
from dcrnet_edge.evaluation.answers import evaluate
from dcrnet_edge.evaluation.predictions import read_predictions
from dcrnet_edge.training.cross_validation import cross_validate
from dcrnet_edge.training.hardware import Hardware
from dcrnet_edge.training.initialization import Initialization, InitializationKind
from dcrnet_edge.training.module import TrainingModule
from dcrnet_edge.training.run_config import RunConfig
from dcrnet_runtime.errors import DcrnetError

FOLDS = 2
ONE_EPOCH: dict[str, Any] = {
    "dataset": "ckplus",
    "split": {"folds": FOLDS},
    "recipe": {"epochs": 1, "batch_size": 8, "augment": {"camera": 0.0}},
}
CrossValidate = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def data_of(tmp_path: Path) -> Callable[[SplitPlan], FaceData]:
    root = write_ckplus(tmp_path / "ckplus", subjects=21)

    def read(plan: SplitPlan) -> FaceData:
        dataset = read_dataset("ckplus", root, plan)
        cache = FaceCache(tmp_path / "faces", open_fixed_detector)
        return FaceData(dataset, cache, CropCache(tmp_path / "crops"))

    return read


@pytest.fixture
def validate(data_of: Callable[[SplitPlan], FaceData], tmp_path: Path) -> CrossValidate:
    def run(
        *changes: dict[str, Any], initialization: Initialization | None = None, **hardware: Any
    ) -> Path:
        return cross_validate(
            data_of,
            RunConfig.of(FERPLUS, SMALL, TOY, ONE_EPOCH, *changes),
            initialization or Initialization(InitializationKind.SCRATCH),
            tmp_path / "runs",
            tmp_path / "ckplus",
            hardware=Hardware(checkpoint_minutes=0, **hardware),
        )

    return run


def test_every_image_is_predicted_once_also_after_an_interruption(
    validate: CrossValidate,
    data_of: Callable[[SplitPlan], FaceData],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step, folders = TrainingModule.training_step, tmp_path / "runs"

    def interrupted(self: TrainingModule, *batch: Any) -> Any:
        if (folders / "fold-0" / "model.safetensors").is_file() and self.global_step == 1:
            raise OSError("pulled out")
        return step(self, *batch)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", interrupted)
        with pytest.raises(DcrnetError, match=r"fold 1 of 2: .*the same command with `all_folds`"):
            validate()
    done = (folders / "fold-0" / "model.safetensors").stat().st_mtime_ns
    assert (folders / "fold-1" / "resume.ckpt").is_file()
    path = validate()
    assert (folders / "fold-0" / "model.safetensors").stat().st_mtime_ns == done

    predictions = read_predictions(path)
    images = {p.relative_to(tmp_path / "ckplus").as_posix() for p in tmp_path.rglob("S*.png")}
    assert len(predictions.images) == len(images) == 63
    assert set(predictions.images) == images
    parts, subjects = np.array(predictions.parts), np.array(predictions.subjects)
    for subject in set(subjects):
        assert len(set(parts[subjects == subject])) == 1

    plan = SplitPlan(RunConfig.of({"split": {"kind": "subject"}}).split.kind, 1, FOLDS)
    model, tree = folders / "fold-1" / "model.safetensors", tmp_path / "ckplus"
    fold = evaluate(model, data_of(plan), Split.TEST, tree)
    rows = [predictions.images.index(image) for image in fold.images]
    assert set(parts[rows]) == {"fold-1"}
    assert np.abs(predictions.probabilities[rows] - fold.probabilities).max() < 1e-3

    report = tmp_path / "figures.json"
    result = CliRunner().invoke(eval_cli.app, [str(path), "--json", str(report)])
    assert result.exit_code == 0, result.output
    assert "95 % bootstrap over 21 subjects" in result.stderr
    [found] = json.loads(report.read_text())["models"].values()
    assert found["accuracy"] == predictions.correct.mean()
    assert np.sum(found["confusion"]) == 63

    with pytest.raises(DcrnetError, match=r"another config\.recipe\.seed \(0, now 9\)"):
        validate({"recipe": {"seed": 9}})
    with pytest.raises(DcrnetError, match=r"first weights had another kind \(scratch, now"):
        validate(initialization=Initialization())


def test_folds_that_cannot_be(validate: CrossValidate) -> None:
    with pytest.raises(DcrnetError, match="`protocol` paper is one split and has no folds"):
        validate({"split": {"kind": "paper"}})
    with pytest.raises(DcrnetError, match=r"on one device: train each fold with `protocol` subj"):
        validate(devices=2)
