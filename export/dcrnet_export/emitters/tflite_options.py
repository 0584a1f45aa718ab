"""TFLite's attributes of operators."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from dcrnet_export.ir.graph import RELU6 as RELU6_CEILING
from dcrnet_export.ir.graph import Conv, MaxPool, Padding

Operator = schema.BuiltinOperator
RELU = schema.ActivationFunctionType.RELU
VALID, SAME = schema.Padding.VALID, schema.Padding.SAME
_NO_ACTIVATION = schema.ActivationFunctionType.NONE
_RELU6 = schema.ActivationFunctionType.RELU6


def own_padding(padding: Padding, kernel: int, stride: int, side: int) -> int | None:
    """VALID or SAME, where one of them pads a side as ``padding`` says; None where neither does.

    SAME gives ``ceil(side / stride)`` outputs, and of an odd number of zeros the greater half
    stands behind: with a stride it mostly pads unevenly.
    """
    if padding == (0, 0):
        return VALID
    outputs = -(-side // stride)
    zeros = max((outputs - 1) * stride + kernel - side, 0)
    return SAME if padding == (zeros // 2, zeros - zeros // 2) else None


def conv_padding(conv: Conv, side: int) -> int | None:
    """:func:`own_padding` of a convolution that reads a map of ``side``."""
    return own_padding(conv.padding, conv.weight.shape[2], conv.stride, side)


def pool_padding(pool: MaxPool, side: int) -> int | None:
    """:func:`own_padding` of a max-pool that reads a map of ``side``."""
    return own_padding((pool.padding, pool.padding), pool.kernel, pool.stride, side)


def conv_options(
    conv: Conv, padding: int
) -> schema.Conv2DOptionsT | schema.DepthwiseConv2DOptionsT:
    """TFLite's attributes of a convolution.

    Args:
        padding: VALID or SAME.
    """
    if conv.is_depthwise:
        multiplier = len(conv.weight) // conv.groups
        return depthwise_options(conv.stride, padding, multiplier, _activation(conv))
    options = schema.Conv2DOptionsT()
    options.padding = padding
    options.strideH = options.strideW = conv.stride
    options.fusedActivationFunction = _activation(conv)
    return options


def depthwise_options(
    stride: int = 1,
    padding: int = VALID,
    multiplier: int = 1,
    activation: int = _NO_ACTIVATION,
) -> schema.DepthwiseConv2DOptionsT:
    """TFLite's attributes of a depthwise convolution."""
    options = schema.DepthwiseConv2DOptionsT()
    options.padding, options.depthMultiplier = padding, multiplier
    options.strideH = options.strideW = stride
    options.fusedActivationFunction = activation
    return options


def pool_options(kernel: int, stride: int, padding: int = VALID) -> schema.Pool2DOptionsT:
    """TFLite's attributes of a pool."""
    options = schema.Pool2DOptionsT()
    options.padding = padding
    options.filterHeight = options.filterWidth = kernel
    options.strideH = options.strideW = stride
    return options


def _activation(conv: Conv) -> int:
    if not conv.relu:
        return _NO_ACTIVATION
    return _RELU6 if conv.ceiling == RELU6_CEILING else RELU
