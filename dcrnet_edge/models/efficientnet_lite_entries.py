"""EfficientNet-Lite's entries in the registry."""

from __future__ import annotations

from functools import partial

from dcrnet_edge.models.architecture import Architecture
from dcrnet_edge.models.efficientnet_lite import (
    INPUT_SIZES,
    EfficientNetLite0,
    EfficientNetLite2,
    EfficientNetLiteConfig,
)
from dcrnet_edge.models.efficientnet_lite_weights import fetch_imagenet, load_imagenet

ARCHITECTURES = tuple(
    Architecture(
        name=network.architecture,
        config=EfficientNetLiteConfig,
        build=network,
        input_sizes_px=INPUT_SIZES,
        size_reason="its ImageNet weights are at home between those",
        fetch_imagenet=partial(fetch_imagenet, network.variant),
        load_imagenet=load_imagenet,
    )
    for network in (EfficientNetLite0, EfficientNetLite2)
)
