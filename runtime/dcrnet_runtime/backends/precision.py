"""What an exported model computes in."""

from __future__ import annotations

from enum import StrEnum


class Precision(StrEnum):
    """As the card's ``provenance.export.precision`` names it.

    Attributes:
        FP32: float32 throughout.
        FP16: ONNX computes in float16; TFLite stores float16 and computes in what its
            interpreter has.
        INT8: integer arithmetic on 8-bit activations and weights.
        INT8_QDQ: the same integers, written as float operations between QuantizeLinear and
            DequantizeLinear, which compilers for NPUs and GPUs read.
        DYNAMIC_RANGE: int8 weights; float activations, quantized anew at each convolution.
    """

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    INT8_QDQ = "int8-qdq"
    DYNAMIC_RANGE = "dynamic-range"

    @property
    def has_ranges(self) -> bool:
        """Whether activations are quantized by ranges that calibration saw."""
        return self in (Precision.INT8, Precision.INT8_QDQ)
