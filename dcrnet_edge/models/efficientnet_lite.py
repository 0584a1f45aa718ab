"""EfficientNet-Lite0 and -Lite2 with timm's state-dict keys.

Tan and Le, "EfficientNet" (ICML 2019), in the form that TensorFlow's authors published for edge
devices (tensorflow/tpu, models/official/efficientnet/lite): ReLU6 for swish, no
squeeze-and-excitation, stem and head of fixed width, "same" padding as TensorFlow has it. Written
out here because the project needs the keys, not the package: files of timm's
``tf_efficientnet_lite0`` and ``tf_efficientnet_lite2`` load unchanged.

With seven labels Lite0 has 3,379,975 parameters and takes 0.071, 0.106 and 0.125 GMAC at 96, 112
and 128 px; Lite2 4,820,039 parameters and 0.157, 0.188 and 0.294 GMAC at 112, 128 and 160 px.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from dcrnet_edge.models.network import FaceNetwork, NetworkConfig

INPUT_SIZES = (64, 96, 112, 128, 160, 192, 224)
"""Input sides in px; 112 ends in a 4x4 map, the others in sides of S/32."""

STEM = 32
FEATURES = 1280
"""Channels that the convolutions return."""

_EPSILON = 1e-3
_EXPANSION = 6


class Variant(StrEnum):
    """Width and depth, under timm's names."""

    LITE0 = "tf_efficientnet_lite0"
    LITE2 = "tf_efficientnet_lite2"


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one width; the first has the stride, all others 1."""

    kernel: int
    stride: int
    channels: int
    blocks: int


_STAGES = {
    Variant.LITE0: (
        _Stage(kernel=3, stride=1, channels=16, blocks=1),
        _Stage(kernel=3, stride=2, channels=24, blocks=2),
        _Stage(kernel=5, stride=2, channels=40, blocks=2),
        _Stage(kernel=3, stride=2, channels=80, blocks=3),
        _Stage(kernel=5, stride=1, channels=112, blocks=3),
        _Stage(kernel=5, stride=2, channels=192, blocks=4),
        _Stage(kernel=3, stride=1, channels=320, blocks=1),
    ),
    Variant.LITE2: (
        _Stage(kernel=3, stride=1, channels=16, blocks=1),
        _Stage(kernel=3, stride=2, channels=24, blocks=3),
        _Stage(kernel=5, stride=2, channels=48, blocks=3),
        _Stage(kernel=3, stride=2, channels=88, blocks=4),
        _Stage(kernel=5, stride=1, channels=120, blocks=4),
        _Stage(kernel=5, stride=2, channels=208, blocks=5),
        _Stage(kernel=3, stride=1, channels=352, blocks=1),
    ),
}


@dataclass(frozen=True, slots=True)
class EfficientNetLiteConfig(NetworkConfig):
    """Every choice that changes an EfficientNet-Lite.

    Attributes:
        dropout: rate before the classifier; the authors took 0.2 for Lite0 and 0.3 for Lite2.
    """

    input_scale: float = 128.0
    dropout: float = 0.2

    def __post_init__(self) -> None:
        NetworkConfig.__post_init__(self)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {self.dropout}")


def same_padding(side_px: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and behind a side, so that ceil(side / stride) outputs come of it.

    TensorFlow's "same": an odd number of zeros has the greater half behind, so that a stride of
    2 pads even sides unevenly.
    """
    outputs = -(-side_px // stride)
    zeros = max((outputs - 1) * stride + kernel - side_px, 0)
    return zeros // 2, zeros - zeros // 2


class SameConv2d(nn.Conv2d):
    """A convolution of a square map, padded as :func:`same_padding` says; no bias."""

    def __init__(
        self, channels: int, width: int, kernel: int, stride: int = 1, *, groups: int = 1
    ) -> None:
        # Of stride 1 the padding is the same for every side, and even.
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(channels, width, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            ends = same_padding(x.shape[-1], self.kernel_size[0], self.stride[0])
            x = functional.pad(x, (*ends, *ends))
        return super().forward(x)


class DepthwiseSeparable(nn.Module):
    """Depthwise, then pointwise: the first stage's block, which expands nothing."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = SameConv2d(channels, channels, kernel, stride, groups=channels)
        self.bn1 = _norm(channels)
        self.conv_pw = SameConv2d(channels, width, 1)
        self.bn2 = _norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn2(self.conv_pw(functional.relu6(self.bn1(self.conv_dw(x)))))


class InvertedResidual(nn.Module):
    """Pointwise to six times the channels, depthwise, pointwise back, around a skip that fits."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = _EXPANSION * channels
        self.skip = stride == 1 and channels == width
        self.conv_pw = SameConv2d(channels, hidden, 1)
        self.bn1 = _norm(hidden)
        self.conv_dw = SameConv2d(hidden, hidden, kernel, stride, groups=hidden)
        self.bn2 = _norm(hidden)
        self.conv_pwl = SameConv2d(hidden, width, 1)
        self.bn3 = _norm(width)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.relu6(self.bn1(self.conv_pw(x)))
        hidden = functional.relu6(self.bn2(self.conv_dw(hidden)))
        y = self.bn3(self.conv_pwl(hidden))
        return y + x if self.skip else y


class EfficientNetLite(FaceNetwork):
    """One of the variants; S is one of :data:`INPUT_SIZES`."""

    variant: ClassVar[Variant]
    feature_channels = FEATURES
    classifier_path = "classifier"
    observed = (*FaceNetwork.observed, InvertedResidual)

    def __init__(self, config: EfficientNetLiteConfig) -> None:
        super().__init__(config)
        self.conv_stem = SameConv2d(3, STEM, 3, 2)
        self.bn1 = _norm(STEM)
        stages: list[nn.Module] = []
        channels = STEM
        for stage in _STAGES[self.variant]:
            stages.append(_stage(channels, stage, first=not stages))
            channels = stage.channels
        self.blocks = nn.Sequential(*stages)
        self.conv_head = SameConv2d(channels, FEATURES, 1)
        self.bn2 = _norm(FEATURES)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(FEATURES, len(config.labels))
        self.apply(_initialise)

    def embed(self, codes: Tensor) -> Tensor:
        """The convolutions' features, (N, 1280, ceil(S/32), ceil(S/32)) from 0 to 6."""
        x = functional.relu6(self.bn1(self.conv_stem(self.normalise(codes))))
        return functional.relu6(self.bn2(self.conv_head(self.blocks(x))))

    def classify(self, features: Tensor) -> Tensor:
        """Logits (N, labels) from :meth:`embed`'s features."""
        return self.classifier(self.dropout(features.mean(dim=(2, 3))))


class EfficientNetLite0(EfficientNetLite):
    """3.4 M parameters: for the edge."""

    architecture = Variant.LITE0.value
    variant = Variant.LITE0


class EfficientNetLite2(EfficientNetLite):
    """4.8 M parameters: a teacher's size."""

    architecture = Variant.LITE2.value
    variant = Variant.LITE2


def _stage(channels: int, stage: _Stage, *, first: bool) -> nn.Sequential:
    block = DepthwiseSeparable if first else InvertedResidual
    blocks = [block(channels, stage.channels, stage.kernel, stage.stride)]
    blocks += [
        block(stage.channels, stage.channels, stage.kernel, 1) for _ in range(stage.blocks - 1)
    ]
    return nn.Sequential(*blocks)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


def _initialise(module: nn.Module) -> None:
    """He's normal initialisation over a kernel's outputs, as the authors'; logits near 0."""
    match module:
        case nn.Conv2d():
            outputs = module.out_channels // module.groups * module.kernel_size[0] ** 2
            nn.init.normal_(module.weight, std=(2.0 / outputs) ** 0.5)
        case nn.Linear():
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
