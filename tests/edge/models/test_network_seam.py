"""A second network is one file and one registration: a toy one, trained and kept by its name."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from edge.runs import FERPLUS, face_data, small_run
from generated_trees import write_folders
from torch import Tensor, nn

from dcrnet_edge import create_model, load_checkpoint
from dcrnet_edge.models import registry
from dcrnet_edge.models.network import FaceNetwork, NetworkConfig
from dcrnet_edge.training.initialization import Initialization, InitializationKind
from dcrnet_runtime.errors import DcrnetError


@dataclass(frozen=True, slots=True)
class ToyConfig(NetworkConfig):
    width: int = 4


class Toy(FaceNetwork):
    architecture = "toy"
    feature_channels = 4
    classifier_path = "classifier"

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.conv = nn.Conv2d(3, config.width, 3, stride=16, bias=False)
        self.norm = nn.BatchNorm2d(config.width)
        self.classifier = nn.Linear(config.width, len(config.labels))

    def embed(self, codes: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(self.normalise(codes))))

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features.mean(dim=(2, 3)))


def published() -> Path:
    raise DcrnetError("the toy was never trained on ImageNet")


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_NETWORKS", copy.deepcopy(registry._NETWORKS))
    registry.register(
        registry.Architecture(
            name="toy",
            config=ToyConfig,
            build=Toy,
            input_sizes_px=(32, 48),
            size_reason="a toy takes no others",
            fetch_imagenet=published,
            load_imagenet=lambda network, path: None,
        )
    )


def test_it_is_trained_and_comes_back_by_its_name(tmp_path: Path) -> None:
    data = face_data(write_folders(tmp_path / "tree", 8, ("train", "valid", "test")), tmp_path)
    toy = {"architecture": "toy", "network": {"width": 4}, "preprocess": {"size_px": 48}}
    recipe = {"batch_size": 8, "auxiliary_weight": 0.5, "dense_l2": 1e-3, "mixed_sizes": [32]}
    path = small_run(data, tmp_path / "run", FERPLUS, toy, {"recipe": recipe}).train()
    checkpoint = load_checkpoint(path)
    network = checkpoint.network
    assert isinstance(network, Toy)
    assert network.config == ToyConfig(("happiness", "neutral"), width=4)
    assert checkpoint.card.provenance["config"]["architecture"] == "toy"
    assert checkpoint.trained_px == (48, 32)
    assert set(checkpoint.ranges[48]) == {"conv", "classifier"}
    with pytest.raises(DcrnetError, match="not one of 32, 48: a toy takes no others"):
        checkpoint.at(64)

    kind = InitializationKind.CHECKPOINT
    entry = registry.architecture("toy")
    again, _ = Initialization(kind, path).network(entry, ToyConfig(("neutral", "fear")))
    kept = network.get_parameter("classifier.weight")[1]
    assert torch.equal(again.get_parameter("classifier.weight")[0], kept)
    other = registry.architecture("dcrnet")
    with pytest.raises(DcrnetError, match="holds a toy, and the run asks for a dcrnet"):
        Initialization(kind, path).network(other, other.configure({"labels": ("a", "b")}))


def test_its_settings_are_its_own() -> None:
    assert isinstance(create_model("toy", labels=["a", "b"], width=6), Toy)
    with pytest.raises(ValueError, match="unknown attention"):
        create_model("toy", labels=["a", "b"], attention="se")
    with pytest.raises(DcrnetError, match=r"`network` tiny is unknown: choose dcrnet, .*toy"):
        create_model("tiny", labels=["a", "b"])
