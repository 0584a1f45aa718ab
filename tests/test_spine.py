"""The whole chain by its commands: train, export, run, bench, each on what the last one wrote."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import LABELS
from numpy.typing import NDArray
from typer import Typer
from typer.testing import CliRunner, Result

from dcrnet_runtime.cli import run as run_cli

pytest.importorskip("torch", reason="needs the train and export extras")


def call(app: Typer, *arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The shipped weights, trained on for an epoch on views of a portrait, and exported.

    At the size that the weights are for: a network fresh from one epoch, or at another size,
    magnifies rounding beyond the exporter's budget, and ranges recorded on anything but faces do
    not hold a portrait's.
    """
    from dcrnet_edge.cli import train as train_cli
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export.cli import export as export_cli

    root = tmp_path_factory.mktemp("spine")
    _write_views(root / "data")
    settings: tuple[object, ...] = ("--dataset", "folders", "--start-from", shipped_checkpoint())
    settings += ("--epochs", 1, "--batch-size", 8, "--size", 128, "--learning-rate", 1e-5)
    settings += ("--set", "recipe.progressive=[]", "--set", "recipe.mixed_sizes=[]")
    call(train_cli.app, "--data", root / "data", "--out", root / "run", *settings)
    checkpoint = root / "run" / "model.safetensors"
    call(export_cli.app, checkpoint, "--int8", "--out", root / "out")
    found = sorted(p for p in (root / "out").iterdir() if p.suffix in (".onnx", ".tflite"))
    assert len(found) == 4
    return found


def _write_views(root: Path) -> None:
    """A head in other places and light for each split, label and index."""
    data = pytest.importorskip("skimage.data", reason="needs the demo extra")
    grey = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)
    for part, split in enumerate(("train", "valid", "test")):
        for label, name in enumerate(LABELS):
            for index in range(3):
                head = grey[10 + 4 * label : 250 + 4 * label, 100:340] * (0.5 + 0.1 * part)
                lit = np.clip(head * (1 + 0.3 * index), 0, 255).astype(np.uint8)
                path = root / split / name / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(path), cv2.resize(lit, (96, 96)))


def test_every_artefact_runs_on_a_photo(
    artifacts: list[Path], portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    photo = tmp_path / "portrait.png"
    assert cv2.imwrite(str(photo), cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR))
    answers = {}
    for artifact in artifacts:
        result = call(run_cli.app, "--source", photo, "--model", artifact)
        (face,) = json.loads(result.stdout)["faces"]
        answers[artifact.name] = list(face["probabilities"].values())
        assert sum(answers[artifact.name]) == pytest.approx(1, abs=1e-3)
    one, other = (answers[name] for name in answers if "fp32" in name)
    assert np.abs(np.subtract(one, other)).max() < 2e-4


def test_every_artefact_is_benched(artifacts: list[Path]) -> None:
    from dcrnet_bench.cli import bench as bench_cli

    result = call(bench_cli.app, *artifacts, "--runs", 2)
    metrics = json.loads(result.stdout.splitlines()[-1])
    assert [model["name"] for model in metrics["models"]] == [path.name for path in artifacts]
    for model in metrics["models"]:
        assert 8e8 < model["macs"] < 1e9
        assert model["latency_ms"]["median"] > 0
