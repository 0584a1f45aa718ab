"""DCRNet (facial expression recognition, Abdeldayem et al. 2025), sections 2 and 3.

The paper states 11.6 M parameters but leaves details open. The reading below has 11,577,967
parameters, the only one of those tried that meets the figure:

* Conv 3x3 to 256 and to 512, "same" padding, without bias (a BN follows).
* A residual block is a bottleneck 1x1 C->f, 3x3 f->f, 1x1 f->C with a BN behind each and ReLU
  between, around an identity skip: y = F(x) + x (eq. 5), C = 512. "Residual modules of 32 and
  64 filters" are f; two plain 3x3 convolutions of that width could not keep C = 512, and
  projecting C down to f would leave the dense head (512 wide) with 64 inputs.
* One CBAM after each conv stage and after each residual module; reduction 8, MLP with biases,
  7x7 spatial kernel without bias.

The paper's 4.2 GFLOPs match neither convention at 224 px: this network takes 3.01 GMAC
(6.0 GFLOP), of which DenseNet121's convolutions alone are 2.83 GMAC.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from dcrnet_edge.models.attention import (
    CBAM,
    Attention,
    ChannelMLP,
    SqueezeExcitation,
    build_attention,
)
from dcrnet_edge.models.densenet import FEATURES, DenseLayer, DenseNet121, Transition
from dcrnet_edge.models.densenet_weights import fetch_backbone, load_backbone
from dcrnet_edge.models.network import FaceNetwork, NetworkConfig
from dcrnet_edge.models.registry import Architecture
from dcrnet_runtime.backends.card import MODEL_NAME

INPUT_SIZES = (64, 128, 192, 224)
"""Input sides in px whose map survives the 2x2 max-pool whole (224 as the paper's 7 -> 3)."""

CONV_WIDTHS = (256, 512)
HEAD_WIDTHS = (512, 256, 128)


@dataclass(frozen=True, slots=True)
class DCRNetConfig(NetworkConfig):
    """Every choice that changes DCRNet's tensors; the defaults are the paper's network.

    Attributes:
        attention: module after each conv stage and each residual module (ablation, table 8).
        attention_reduction: channel reduction of the attention MLP.
        residual_widths: bottleneck width of each residual module; empty switches them off.
        residual_blocks: blocks in each residual module.
        conv_stages: whether the two convolution stages stand before the head; without them it
            pools the backbone's features (first row of the ablation, table 8).
    """

    attention: Attention = Attention.CBAM
    attention_reduction: int = 8
    residual_widths: tuple[int, ...] = (32, 64)
    residual_blocks: int = 3
    conv_stages: bool = True


class ResidualBlock(nn.Module):
    """y = F(x) + x (eq. 5) with a bottleneck F; (N, C, H, W) in and out."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + x


def _conv_stage(channels: int, width: int, dropout: float, *, pool: bool) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(channels, width, 3, padding=1, bias=False),
        norm=nn.BatchNorm2d(width),
        relu=nn.ReLU(),
    )
    if pool:
        layers["pool"] = nn.MaxPool2d(2)
    layers["dropout"] = nn.Dropout(dropout)
    return nn.Sequential(layers)


def _head(width: int, labels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for units in HEAD_WIDTHS:
        layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(0.4)]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, labels))


class DCRNet(FaceNetwork):
    """DenseNet121, two convolutions, residual modules, all with attention, and a dense head.

    Input (N, 3, S, S) RGB codes 0..255, any dtype, S one of :data:`INPUT_SIZES`;
    output (N, labels) float logits.
    """

    architecture = "dcrnet"
    feature_channels = FEATURES
    classifier_path = f"head.{3 * len(HEAD_WIDTHS)}"
    # Everything else (BN, ReLU, concatenation) follows from these channel by channel.
    observed = (*FaceNetwork.observed, Transition, ResidualBlock, CBAM, SqueezeExcitation)

    config: DCRNetConfig

    def __init__(self, config: DCRNetConfig) -> None:
        super().__init__(config)
        self.backbone = DenseNet121()
        stages: OrderedDict[str, nn.Module] = OrderedDict()
        channels = FEATURES
        convolutions = list(zip(CONV_WIDTHS, (0.3, 0.4), strict=True))
        for i, (width, dropout) in enumerate(convolutions[: 2 * config.conv_stages], start=1):
            stages[f"conv{i}"] = _conv_stage(channels, width, dropout, pool=i == len(CONV_WIDTHS))
            stages[f"conv{i}_attention"] = self._attention(width)
            channels = width
        for i, width in enumerate(config.residual_widths, start=1):
            blocks = [ResidualBlock(channels, width) for _ in range(config.residual_blocks)]
            stages[f"residual{i}"] = nn.Sequential(*blocks)
            stages[f"residual{i}_attention"] = self._attention(channels)
        self.stages = nn.Sequential(stages)
        self.head = _head(channels, len(config.labels))
        self.apply(_initialise)
        self._open_gates()

    def _attention(self, channels: int) -> nn.Module:
        return build_attention(self.config.attention, channels, self.config.attention_reduction)

    def _open_gates(self) -> None:
        """Start the channel gates near 1 and the logits near 0.

        A fresh CBAM halves its input twice, and four of them in a row leave the identity path
        little to say.
        """
        for module in self.modules():
            if isinstance(module, ChannelMLP):
                nn.init.constant_(module[-1].get_parameter("bias"), 1.5)
        nn.init.normal_(self.head[-1].get_parameter("weight"), std=0.01)

    def embed(self, codes: Tensor) -> Tensor:
        """The backbone's features, (N, 1024, S/32, S/32) >= 0."""
        return self.backbone(self.normalise(codes))

    def classify(self, features: Tensor) -> Tensor:
        """Logits (N, labels) from :meth:`embed`'s features."""
        return self.head(self.stages(features).mean(dim=(2, 3)))

    def dense_kernels(self) -> Sequence[nn.Parameter]:
        return [
            module.get_parameter("weight") for module in self.head if isinstance(module, nn.Linear)
        ]

    def pre_activation_norms(self) -> Sequence[nn.BatchNorm2d]:
        norms = []
        for module in self.backbone.modules():
            match module:
                case DenseLayer():
                    norms.append(module.norm1)
                case Transition():
                    norms.append(module.norm)
        return norms


def _initialise(module: nn.Module) -> None:
    match module:
        case nn.Conv2d() | nn.Linear():
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        case nn.BatchNorm2d():
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def _load_imagenet(network: DCRNet, path: Path) -> None:
    load_backbone(network.backbone, path, network.config.input_scale)


ARCHITECTURE = Architecture(
    name=DCRNet.architecture,
    config=DCRNetConfig,
    build=DCRNet,
    input_sizes_px=INPUT_SIZES,
    size_reason=(
        "other sides leave the 2x2 max-pool an odd map whose last row and column it would drop"
    ),
    fetch_imagenet=fetch_backbone,
    load_imagenet=_load_imagenet,
    title=MODEL_NAME,
)
