"""An ONNX model of one matrix product, written without the onnx package.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_IR_VERSION = 8
_OPSET = 17
_ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6}
_VARINT, _BYTES = 0, 2


def product_model(
    operator: str, right: NDArray[np.generic], left_dtype: str, output_dtype: str
) -> bytes:
    """``y = x @ right`` for square matrices.

    Args:
        operator: ``MatMul`` or ``MatMulInteger``.
        right: (N, N), constant.
        left_dtype: of ``x``, (N, N).
        output_dtype: of ``y``.
    """
    names = _text(1, "x") + _text(1, "right") + _text(2, "y")
    graph = [
        _message(1, names + _text(4, operator)),
        _text(2, "product"),
        _message(5, _constant("right", right)),
        _message(11, _value("x", left_dtype, right.shape)),
        _message(12, _value("y", output_dtype, right.shape)),
    ]
    opset = _text(1, "") + _number(2, _OPSET)
    return _number(1, _IR_VERSION) + _message(8, opset) + _message(7, b"".join(graph))


def _constant(name: str, values: NDArray[np.generic]) -> bytes:
    dims = b"".join(_number(1, side) for side in values.shape)
    element = _number(2, _ELEMENTS[values.dtype.name])
    return dims + element + _text(8, name) + _message(9, values.tobytes())


def _value(name: str, dtype: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_message(1, _number(1, side)) for side in shape)
    tensor = _number(1, _ELEMENTS[dtype]) + _message(2, dims)
    return _text(1, name) + _message(2, _message(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
