"""A network of milliseconds, for tests of what is done with a network rather than of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from dcrnet_edge.models import registry
from dcrnet_edge.models.network import FaceNetwork, NetworkConfig
from dcrnet_runtime.errors import DcrnetError

TOY = {"architecture": "toy"}
"""The change of a run's settings that trains it."""


@dataclass(frozen=True, slots=True)
class ToyConfig(NetworkConfig):
    width: int = 4


class Toy(FaceNetwork):
    """Batch norm, a scale that has a floor, dropout and dense kernels, as the large ones have."""

    architecture = "toy"
    feature_channels = 8
    classifier_path = "classifier"

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.conv = nn.Conv2d(3, config.width, 3, stride=16, bias=False)
        self.norm = nn.BatchNorm2d(config.width)
        self.mix = nn.Conv2d(config.width, self.feature_channels, 1)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(self.feature_channels, len(config.labels))

    def embed(self, codes: Tensor) -> Tensor:
        return torch.relu(self.mix(torch.relu(self.norm(self.conv(self.normalise(codes))))))

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(self.dropout(features.mean(dim=(2, 3))))

    def pre_activation_norms(self) -> list[nn.BatchNorm2d]:
        return [self.norm]


def register_toy() -> None:
    """For a process that ends; tests have the fixture ``toy``, which takes it back."""
    registry.register(
        registry.Architecture(
            name="toy",
            config=ToyConfig,
            build=Toy,
            input_sizes_px=(32, 48, 64, 128),
            size_reason="a toy takes no others",
            fetch_imagenet=_published,
            load_imagenet=lambda network, path: None,
        )
    )


def _published() -> Path:
    raise DcrnetError("the toy was never trained on ImageNet")
