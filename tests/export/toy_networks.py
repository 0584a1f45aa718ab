"""Small networks of what DCRNet has none of, under names of their own in the registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from generated import LABELS
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dcrnet_edge.models import registry
from dcrnet_edge.models.activation_ranges import activation_ranges
from dcrnet_edge.models.checkpoint import Checkpoint, save_checkpoint
from dcrnet_edge.models.network import FaceNetwork, NetworkConfig
from dcrnet_edge.models.registry import Architecture
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.preprocess.spec import PreprocessSpec


@dataclass(frozen=True, slots=True)
class ToyConfig(NetworkConfig):
    """Labels and scale alone."""


class UnevenConv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: a stride of 2 pads below and right."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(channels, width, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        side, stride = x.shape[-1], self.stride[0]
        zeros = max((-(-side // stride) - 1) * stride + self.kernel_size[0] - side, 0)
        ends = (zeros // 2, zeros - zeros // 2)
        return super().forward(functional.pad(x, (*ends, *ends)))


class InvertedResidual(nn.Module):
    """Pointwise, depthwise, pointwise, around a skip where it fits."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = 3 * channels
        self.has_skip = stride == 1 and channels == width
        self.expand = UnevenConv(channels, hidden, 1)
        self.norm1 = nn.BatchNorm2d(hidden)
        self.depthwise = UnevenConv(hidden, hidden, kernel, stride, groups=hidden)
        self.norm2 = nn.BatchNorm2d(hidden)
        self.project = UnevenConv(hidden, width, 1)
        self.norm3 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self.norm1(self.expand(x)), inplace=True)
        y = functional.relu6(self.norm2(self.depthwise(y)))
        y = self.norm3(self.project(y))
        return x + y if self.has_skip else y


class SeparableNet(FaceNetwork):
    """Depthwise convolutions, ReLU6, sums, uneven padding: an edge network in small."""

    architecture = "toy_separable"
    feature_channels = 48
    classifier_path = "classifier"
    observed = (*FaceNetwork.observed, InvertedResidual)

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.stem = nn.Sequential(UnevenConv(3, 16, 3, 2), nn.BatchNorm2d(16), nn.ReLU6())
        self.blocks = nn.Sequential(
            InvertedResidual(16, 16, 3, 1),
            InvertedResidual(16, 16, 5, 1),
            InvertedResidual(16, 24, 5, 2),
            InvertedResidual(24, 24, 3, 1),
        )
        self.head = nn.Sequential(UnevenConv(24, 48, 1), nn.BatchNorm2d(48), nn.ReLU6())
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(48, len(config.labels))

    def embed(self, codes: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(self.normalise(codes))))

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(self.dropout(features.mean(dim=(2, 3))))


class Excitation(nn.Module):
    """Squeeze and excitation by 1x1 convolutions, as MobileNetV3 has it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, channels // 4, 1)
        self.expand = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.reduce(self.pool(x)))
        return torch.sigmoid(self.expand(hidden)) * x


class GatedBlock(nn.Module):
    """Depthwise convolution, gate, pointwise convolution, around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.gate = Excitation(channels)
        self.project = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.gate(torch.relu(self.norm1(self.depthwise(x))))
        return self.norm2(self.project(y)) + x


class GatedNet(FaceNetwork):
    """Sigmoid gates between depthwise convolutions; the second gate's range is not observed."""

    architecture = "toy_gated"
    feature_channels = 32
    classifier_path = "classifier"
    observed = (*FaceNetwork.observed, GatedBlock)

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        self.blocks = nn.Sequential(GatedBlock(32), GatedBlock(32))
        self.classifier = nn.Linear(32, len(config.labels))

    def embed(self, codes: Tensor) -> Tensor:
        return torch.relu(self.blocks(torch.relu(self.stem(self.normalise(codes)))))

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(functional.adaptive_avg_pool2d(features, 1).flatten(1))


class BranchedNet(FaceNetwork):
    """What needs care: branches of different ranges joined, pools of what is below 0, and so on.

    ImageNet's normalisation shifts the codes before a padded convolution.
    """

    architecture = "toy_branched"
    feature_channels = 24
    classifier_path = "classifier"
    mean: Tensor

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.register_buffer("mean", torch.tensor([124.0, 116.0, 104.0])[None, :, None, None])
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.wide = nn.Conv2d(16, 16, 3, padding=1, groups=4)
        self.narrow = nn.Conv2d(16, 8, 1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.norm = nn.BatchNorm2d(24)
        self.mix = nn.Conv2d(24, 24, 3, padding=1, bias=False)
        self.clip = nn.Hardtanh(-0.7, 0.9)
        self.average = nn.AvgPool2d(3, 2)
        self.twofold = nn.Conv2d(24, 48, 3, groups=24)
        self.last = nn.Conv2d(48, 24, 1)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, len(config.labels))
        )

    def normalise(self, codes: Tensor) -> Tensor:
        return (codes.float() - self.mean) / 58.0

    def embed(self, codes: Tensor) -> Tensor:
        x = self.pool(self.stem(self.normalise(codes)))
        x = torch.cat([0.2 * self.wide(x), torch.relu(self.narrow(x))], dim=1)
        x = self.clip(self.mix(self.norm(x)))
        x = self.twofold(self.average(x))
        return torch.relu(self.last(torch.clamp(x, min=-0.5)))

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(functional.adaptive_avg_pool2d(features, (1, 1)))


def _none(*_: object) -> NoReturn:
    raise NotImplementedError


def register(build: type[FaceNetwork]) -> None:
    """Make a toy known by its name, at 32 and 64 px."""
    entry = Architecture(
        build.architecture, ToyConfig, build, (32, 64), "it is a toy", _none, _none
    )
    registry.register(entry)


def save_toy(build: type[FaceNetwork], path: Path, faces: NDArray[np.uint8]) -> None:
    """Write a checkpoint of a registered toy with random weights and the ranges of some faces."""
    register(build)
    torch.manual_seed(5)
    network = registry.create_model(build.architecture, labels=LABELS).eval()
    side = faces.shape[1]
    ranges = activation_ranges(network, [torch.from_numpy(faces).permute(0, 3, 1, 2)])
    card = ModelCard(LABELS, PreprocessSpec(size_px=side), license="none: random weights")
    save_checkpoint(path, Checkpoint(network, card, {side: ranges}))


TOYS: tuple[type[FaceNetwork], ...] = (SeparableNet, GatedNet, BranchedNet)
