"""Attention modules: CBAM (Woo et al., ECCV 2018; paper eqs. 2-4) and SE (paper section 3)."""

from __future__ import annotations

from enum import StrEnum

import torch
from torch import Tensor, nn


class Attention(StrEnum):
    """The attention module behind each stage: the paper's CBAM, its SE ablation, or none."""

    CBAM = "cbam"
    SE = "se"
    NONE = "none"


class ChannelMLP(nn.Sequential):
    """The shared two-layer MLP of channel attention; both layers have biases."""

    def __init__(self, channels: int, reduction: int) -> None:
        hidden = channels // reduction
        super().__init__(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))


class SqueezeExcitation(nn.Module):
    """Channel attention from the average alone; (N, C, H, W) in and out."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.mlp = ChannelMLP(channels, reduction)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.mlp(x.mean(dim=(2, 3))))[:, :, None, None]


class CBAM(nn.Module):
    """Channel attention, then spatial attention; (N, C, H, W) in and out.

    The spatial kernel is 7x7 without bias, over the channels' mean and maximum.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.mlp = ChannelMLP(channels, reduction)
        self.spatial = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.mlp(x.mean(dim=(2, 3))) + self.mlp(x.amax(dim=(2, 3)))
        x = x * torch.sigmoid(gate)[:, :, None, None]
        maps = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.spatial(maps))


def build_attention(kind: Attention, channels: int, reduction: int) -> nn.Module:
    """The module that ``kind`` names, for ``channels`` channels."""
    match kind:
        case Attention.CBAM:
            return CBAM(channels, reduction)
        case Attention.SE:
            return SqueezeExcitation(channels, reduction)
        case Attention.NONE:
            return nn.Identity()
