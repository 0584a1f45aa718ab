"""What every face network is to training, checkpoints and the exporter, whatever it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from dcrnet_runtime.preprocess.spec import ZERO_CODE


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """What all networks' configurations have; each adds every choice that changes its tensors.

    Attributes:
        labels: class names in the order of the logits.
        input_scale: ``s`` of the normalisation ``(x - 128) / s``, one for all channels.
    """

    labels: tuple[str, ...]
    input_scale: float = 64.0

    def __post_init__(self) -> None:
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must be two or more different names, got {self.labels}")
        if self.input_scale <= 0:
            raise ValueError(f"input_scale must be positive, got {self.input_scale}")


class FaceNetwork(nn.Module, ABC):
    """A whole classifier, normalisation included: features by convolutions, then a head.

    Input (N, 3, S, S) RGB codes 0..255, any dtype; output (N, labels) float logits.

    Attributes:
        architecture: its name in the registry.
        feature_channels: C of what :meth:`embed` returns.
        classifier_path: path of the linear layer that gives the logits.
        observed: kinds of module whose output ranges the exporter needs.
    """

    architecture: ClassVar[str]
    feature_channels: ClassVar[int]
    classifier_path: ClassVar[str]
    observed: ClassVar[tuple[type[nn.Module], ...]] = (nn.Conv2d, nn.Linear, nn.MaxPool2d)

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config

    def normalise(self, codes: Tensor) -> Tensor:
        """Codes 0..255 to ``(x - 128) / s``."""
        return (codes.float() - ZERO_CODE) / self.config.input_scale

    @abstractmethod
    def embed(self, codes: Tensor) -> Tensor:
        """The convolutions' features, (N, C, H, W) >= 0."""

    @abstractmethod
    def classify(self, features: Tensor) -> Tensor:
        """Logits (N, labels) from :meth:`embed`'s features."""

    def forward(self, codes: Tensor) -> Tensor:
        return self.classify(self.embed(codes))

    def dense_kernels(self) -> Sequence[nn.Parameter]:
        """Kernels of the linear layers that ``dense_l2`` is put on."""
        return [self.get_submodule(self.classifier_path).get_parameter("weight")]

    def pre_activation_norms(self) -> Sequence[nn.BatchNorm2d]:
        """Batch norms that stand before a ReLU and a 1x1 convolution, on concatenations."""
        return []
