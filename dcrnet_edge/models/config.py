"""What decides the shape of a DCRNet: the part of a checkpoint that is not weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

INPUT_SIZES = (64, 128, 192, 224)
"""Input sides in px whose map survives the 2x2 max-pool whole (224 as the paper's 7 -> 3)."""


class Attention(StrEnum):
    """The attention module behind each stage: the paper's CBAM, its SE ablation, or none."""

    CBAM = "cbam"
    SE = "se"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Every choice that changes DCRNet's tensors; the defaults are the paper's network.

    Attributes:
        labels: class names in the order of the logits.
        attention: module after each conv stage and each residual module (ablation, table 8).
        attention_reduction: channel reduction of the attention MLP.
        residual_widths: bottleneck width of each residual module; empty switches them off.
        residual_blocks: blocks in each residual module.
        input_scale: ``s`` of the normalisation ``(x - 128) / s``, one for all channels.
    """

    labels: tuple[str, ...]
    attention: Attention = Attention.CBAM
    attention_reduction: int = 8
    residual_widths: tuple[int, ...] = (32, 64)
    residual_blocks: int = 3
    input_scale: float = 64.0

    def __post_init__(self) -> None:
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must be two or more different names, got {self.labels}")
        if self.input_scale <= 0:
            raise ValueError(f"input_scale must be positive, got {self.input_scale}")
