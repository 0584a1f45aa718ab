"""How a TFLite file that computes in float holds convolution kernels."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from dcrnet_export.emitters.tflite_options import Operator
from dcrnet_export.emitters.tflite_writer import TensorIndex, TFLiteWriter
from dcrnet_export.ir.graph import Array, Graph
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


def kernel_tensor(writer: TFLiteWriter, name: str, weight: Array, storage: Storage) -> TensorIndex:
    """An (out, in, k, k) kernel as an (out, k, k, in) tensor that a convolution reads."""
    rows = weight.transpose(0, 2, 3, 1)
    match storage:
        case Storage.FP32:
            return writer.constant(name, rows.astype(np.float32))
        case Storage.FP16:
            stored = writer.constant(f"{name}.fp16", rows.astype(np.float16))
            result = writer.tensor(name, rows.shape, np.float32)
            options = schema.DequantizeOptionsT()
            return writer.add(Operator.DEQUANTIZE, 3, [stored], result, options)
        case Storage.INT8:
            codes, scale = _int8_rows(weight)
            kernel = np.ascontiguousarray(codes.transpose(0, 2, 3, 1))
            return writer.constant(name, kernel, scale)


def _int8_rows(weight: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes and their rows' scales."""
    largest = np.abs(weight).max(axis=(1, 2, 3)) / WeightLimit.FULL
    scale = np.maximum(largest, 1e-12).astype(np.float32)
    return round_rows(weight, scale, WeightLimit.FULL), scale


def _round_int8(weight: Array) -> Array:
    codes, scale = _int8_rows(weight)
    return codes * scale.astype(np.float64)[:, None, None, None]
