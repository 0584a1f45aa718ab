"""TFLite's attributes of operators."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from dcrnet_export.ir.graph import Conv

Operator = schema.BuiltinOperator
RELU = schema.ActivationFunctionType.RELU
NO_ACTIVATION = schema.ActivationFunctionType.NONE
VALID, SAME = schema.Padding.VALID, schema.Padding.SAME


def same_padding(conv: Conv) -> bool:
    """Whether TFLite's SAME or VALID pads as the convolution does.

    With a stride SAME pads less on the left than on the right, so a padded convolution with a
    stride gets its own PAD.
    """
    return conv.stride == 1 or conv.padding == 0


def conv_options(conv: Conv) -> schema.Conv2DOptionsT:
    """TFLite's attributes of a convolution; its input is padded where SAME would not do."""
    options = schema.Conv2DOptionsT()
    options.padding = SAME if conv.padding and conv.stride == 1 else VALID
    options.strideH = options.strideW = conv.stride
    options.fusedActivationFunction = RELU if conv.relu else NO_ACTIVATION
    return options


def depthwise_options(*, stride: int = 1, relu: bool = False) -> schema.DepthwiseConv2DOptionsT:
    """TFLite's attributes of an unpadded depthwise convolution."""
    options = schema.DepthwiseConv2DOptionsT()
    options.padding, options.depthMultiplier = VALID, 1
    options.strideH = options.strideW = stride
    options.fusedActivationFunction = RELU if relu else NO_ACTIVATION
    return options


def pool_options(kernel: int, stride: int) -> schema.Pool2DOptionsT:
    """TFLite's attributes of an unpadded pool."""
    options = schema.Pool2DOptionsT()
    options.padding = VALID
    options.filterHeight = options.filterWidth = kernel
    options.strideH = options.strideW = stride
    return options
