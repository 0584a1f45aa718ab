"""ONNX's attributes of operators."""

from __future__ import annotations

from typing import Any

from dcrnet_export.ir.graph import AvgPool, Conv, MaxPool


def conv_attributes(conv: Conv) -> dict[str, Any]:
    """Of a convolution."""
    before, behind = conv.padding
    groups = {} if conv.groups == 1 else {"group": conv.groups}
    return {
        "kernel_shape": list(conv.weight.shape[2:]),
        "strides": [conv.stride] * 2,
        "pads": [before, before, behind, behind],
        **groups,
    }


def pointwise_attributes(channels: int) -> dict[str, Any]:
    """Of a 1x1 convolution of each channel for itself."""
    return {"kernel_shape": [1, 1], "group": channels}


def max_pool_attributes(pool: MaxPool) -> dict[str, Any]:
    """Of a max-pool."""
    return {**average_attributes(pool), "pads": [pool.padding] * 4}


def average_attributes(pool: AvgPool | MaxPool) -> dict[str, Any]:
    """Of an unpadded pool."""
    return {"kernel_shape": [pool.kernel] * 2, "strides": [pool.stride] * 2}
