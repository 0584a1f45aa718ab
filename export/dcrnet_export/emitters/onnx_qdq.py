"""The quantized graph as ONNX in QDQ form: float operations between codes.

Compilers for NPUs and GPUs take the pairs of QuantizeLinear and DequantizeLinear for the
codings of an integer operation. The codes are those of the integer model; a clamp's limits are
codes of its value's own coding, so that the pair around Max rescales nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from dcrnet_export.emitters.onnx_attributes import conv_attributes, pointwise_attributes
from dcrnet_export.emitters.onnx_codings import CodingWriter
from dcrnet_export.emitters.onnx_float import emit_float, emit_relu
from dcrnet_export.ir.graph import Affine, Clamp, Conv, Input, Node
from dcrnet_export.passes.quantization import INT8_OFFSET, QuantizedGraph


def onnx_qdq(quantized: QuantizedGraph, batch: int | None = 1) -> onnx.ModelProto:
    """The graph between QuantizeLinear and DequantizeLinear.

    Args:
        quantized: where all codings are symmetric the codes are written as int8 with zero
            point 0, else as uint8.
        batch: faces a run; None for any number.
    """
    emitter = _Emitter(quantized)
    for node in quantized.graph.nodes:
        emitter.emit(node)
    model = emitter.writer.model(quantized.graph, batch)
    onnx.checker.check_model(model)
    return model


class _Emitter:
    """Holds each value as floats; as decoded codes too once an operation on codes reads it."""

    def __init__(self, quantized: QuantizedGraph) -> None:
        zeros = {coding.zero_point for coding in quantized.codings.values()}
        self._symmetric = zeros == {INT8_OFFSET}
        self.writer = CodingWriter(quantized.codings, signed=self._symmetric)
        self._quantized = quantized
        self._floats: dict[str, str] = {}
        self._decoded: dict[str, str] = {}

    def emit(self, node: Node) -> None:
        if isinstance(node.op, Input):
            self._decoded[node.name] = self._input(node)
        elif self._quantized.on_codes(node):
            inputs = [self._as_decoded(name) for name in node.inputs]
            result = self._compute(node, inputs)
            self._decoded[node.name] = self._recoded(node.name, result, node.name)
        else:
            inputs = [self._floats.get(name) or self._decoded[name] for name in node.inputs]
            self._floats[node.name] = emit_float(
                self.writer, node, inputs, node.name, compact=True
            )

    def _input(self, node: Node) -> str:
        """The image's codes are the first value's codes; int8 ones have to be made of them."""
        if self._symmetric:
            centred = emit_float(self.writer, node, [], node.name)
            return self._recoded(node.name, centred, node.name)
        planes = f"{node.name}.planes"
        self.writer.add("Transpose", [node.name], planes, perm=[0, 3, 1, 2])
        return self.writer.decode(planes, node.name, f"{node.name}.decoded")

    def _compute(self, node: Node, inputs: list[str]) -> str:
        """The operation's result before it is coded."""
        result = f"{node.name}.exact"
        match node.op:
            case Conv():
                return self._conv(node, inputs[0], conv_attributes(node.op))
            case Affine():
                return self._conv(node, inputs[0], pointwise_attributes(len(node.op.scale)))
            case Clamp():
                return self._clamp(node, node.op, inputs[0])
            case _:
                return emit_float(self.writer, node, inputs, result)

    def _conv(self, node: Node, value: str, attributes: dict[str, Any]) -> str:
        weights = self._quantized.weights[node.name]
        given = np.float32(self._quantized.codings[node.inputs[0]].scale)
        inputs = [
            value,
            self._constant(f"{node.name}.weight", weights.codes, weights.scale),
            self._constant(f"{node.name}.bias", weights.bias, given * weights.scale),
        ]
        result = self.writer.add("Conv", inputs, f"{node.name}.sum", **attributes)
        if isinstance(node.op, Conv | Affine) and node.op.relu:
            ceiling = node.op.ceiling if isinstance(node.op, Conv) else np.inf
            return emit_relu(self.writer, result, f"{node.name}.exact", ceiling)
        return result

    def _constant(self, name: str, codes: NDArray[Any], scale: NDArray[np.float32]) -> str:
        inputs = [
            self.writer.constant(f"{name}.codes", codes),
            self.writer.constant(f"{name}.scale", scale),
        ]
        return self.writer.add("DequantizeLinear", inputs, name, axis=0)

    def _clamp(self, node: Node, clamp: Clamp, value: str) -> str:
        bounds = {
            op: self.writer.decode(codes, node.name, f"{codes}.decoded")
            for op, codes in self.writer.limits(node.name, clamp).items()
        }
        if not bounds:
            return value

        def recoded(name: str, exact: str) -> str:
            return self._recoded(name, exact, node.name)

        return self.writer.clamp(value, f"{node.name}.exact", bounds, recoded)

    def _as_decoded(self, name: str) -> str:
        if name not in self._decoded:
            self._decoded[name] = self._recoded(name, self._floats[name], name)
        return self._decoded[name]

    def _recoded(self, name: str, exact: str, value: str) -> str:
        """The pair around a value: to codes of its coding and back."""
        codes = self.writer.encode(exact, value, f"{name}.codes")
        return self.writer.decode(codes, value, f"{name}.decoded")
