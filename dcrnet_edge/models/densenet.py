"""DenseNet121's feature extractor, with torchvision's state-dict keys.

Huang et al., "Densely Connected Convolutional Networks" (CVPR 2017). Written out here because
the project needs the keys, not the package: ImageNet weights of torchvision load unchanged.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

GROWTH = 32
BOTTLENECK = 4 * GROWTH
BLOCKS = (6, 12, 24, 16)
STEM = 64
FEATURES = 1024
"""Channels that the backbone returns."""


class DenseLayer(nn.Module):
    """BN-ReLU-Conv1x1-BN-ReLU-Conv3x3: 32 new channels from all earlier ones."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, BOTTLENECK, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK)
        self.conv2 = nn.Conv2d(BOTTLENECK, GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(torch.relu(self.norm1(x)))
        return self.conv2(torch.relu(self.norm2(x)))


class DenseBlock(nn.Module):
    """Layers whose outputs are concatenated onto their common input."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        for i in range(layers):
            self.add_module(f"denselayer{i + 1}", DenseLayer(channels + i * GROWTH))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(nn.Module):
    """BN-ReLU-Conv1x1-AvgPool2: halves the channels and both sides."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(self.conv(torch.relu(self.norm(x))), 2)


class DenseNet121(nn.Module):
    """``features`` of DenseNet121, norm5 and its ReLU included.

    Input (N, 3, S, S) float, S a multiple of 32; output (N, 1024, S/32, S/32), >= 0.
    """

    def __init__(self) -> None:
        super().__init__()
        features: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, STEM, 7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(STEM),
            relu0=nn.ReLU(),
            pool0=nn.MaxPool2d(3, stride=2, padding=1),
        )
        channels = STEM
        for i, layers in enumerate(BLOCKS, start=1):
            features[f"denseblock{i}"] = DenseBlock(channels, layers)
            channels += layers * GROWTH
            if i < len(BLOCKS):
                features[f"transition{i}"] = Transition(channels)
                channels //= 2
        features["norm5"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential(features)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.features(x))
