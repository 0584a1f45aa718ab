"""How a TFLite file that computes in float holds convolution kernels."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from dcrnet_export.emitters.tflite_options import Operator
from dcrnet_export.emitters.tflite_writer import TensorIndex, TFLiteWriter
from dcrnet_export.ir.graph import Array, Conv, Graph
from dcrnet_export.passes.bias_correction import correct_biases
from dcrnet_export.passes.fp16 import round_to_fp16
from dcrnet_export.passes.quantization import WeightLimit, round_rows


class Storage(StrEnum):
    """How the file holds convolution kernels."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


def rounded(graph: Graph, storage: Storage) -> Graph:
    """The graph with kernels that the file can hold, and biases that make up for it."""
    match storage:
        case Storage.FP32:
            return graph
        case Storage.FP16:
            return correct_biases(graph, round_to_fp16)
        case Storage.INT8:
            return correct_biases(graph, _round_int8)


def kernel_rows(weight: NDArray[Any], *, depthwise: bool) -> NDArray[Any]:
    """An (out, in / groups, k, k) kernel as TFLite has it.

    Returns:
        (out, k, k, in / groups), or (1, k, k, out) for a depthwise convolution.
    """
    order = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
    return weight.transpose(order)


def kernel_tensor(writer: TFLiteWriter, name: str, conv: Conv, storage: Storage) -> TensorIndex:
    """A convolution's kernel as a tensor that it reads."""
    rows = kernel_rows(conv.weight, depthwise=conv.is_depthwise)
    match storage:
        case Storage.FP32:
            return writer.constant(name, rows.astype(np.float32))
        case Storage.FP16:
            stored = writer.constant(f"{name}.fp16", rows.astype(np.float16))
            result = writer.tensor(name, rows.shape, np.float32)
            options = schema.DequantizeOptionsT()
            return writer.add(Operator.DEQUANTIZE, 3, [stored], result, options)
        case Storage.INT8:
            codes, scale = _int8_rows(conv.weight)
            kernel = kernel_rows(codes, depthwise=conv.is_depthwise)
            axis = 3 if conv.is_depthwise else 0
            return writer.constant(name, np.ascontiguousarray(kernel), scale, axis=axis)


def _int8_rows(weight: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes and their rows' scales."""
    largest = np.abs(weight).max(axis=(1, 2, 3)) / WeightLimit.FULL
    scale = np.maximum(largest, 1e-12).astype(np.float32)
    return round_rows(weight, scale, WeightLimit.FULL), scale


def _round_int8(weight: Array) -> Array:
    codes, scale = _int8_rows(weight)
    return codes * scale.astype(np.float64)[:, None, None, None]
