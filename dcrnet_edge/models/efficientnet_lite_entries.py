"""EfficientNet-Lite's entries in the registry."""

from __future__ import annotations

from functools import partial

from dcrnet_edge.models.efficientnet_lite import (
    INPUT_SIZES,
    EfficientNetLite,
    EfficientNetLite0,
    EfficientNetLite2,
    EfficientNetLiteConfig,
)
from dcrnet_edge.models.efficientnet_lite_weights import fetch_imagenet, load_imagenet
from dcrnet_edge.models.registry import Architecture


def _entry(network: type[EfficientNetLite]) -> Architecture:
    return Architecture(
        name=network.architecture,
        config=EfficientNetLiteConfig,
        build=network,
        input_sizes_px=INPUT_SIZES,
        size_reason="its ImageNet weights are at home between the least and the largest of them",
        fetch_imagenet=partial(fetch_imagenet, network.variant),
        load_imagenet=load_imagenet,
    )


LITE0 = _entry(EfficientNetLite0)
LITE2 = _entry(EfficientNetLite2)
