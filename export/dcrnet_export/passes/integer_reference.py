"""A numpy executor of the quantized graph: the arithmetic that ONNX Runtime is held to.

Sums are exact integers; each result is scaled in float32 and rounded to even, as QLinearConv
defines it. LiteRT scales by a fixed-point multiplier instead and may differ by one code.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dcrnet_export.ir.graph import (
    Add,
    Affine,
    Array,
    AvgPool,
    Clamp,
    Concat,
    Conv,
    Input,
    MaxPool,
    Node,
)
from dcrnet_export.ir.reference import compute, convolve, max_pool
from dcrnet_export.passes.quantization import Coding, QuantizedGraph

Codes = NDArray[np.uint8]


class IntegerExecutor:
    """Runs a quantized graph on one image after the other."""

    def __init__(self, quantized: QuantizedGraph) -> None:
        self._quantized = quantized
        self._codings = quantized.codings

    def run(self, image: Codes) -> tuple[dict[str, Codes], dict[str, Array]]:
        """All values for one (S, S, 3) uint8 image.

        Returns:
            the codes of the values that have a coding, and every value as float64, both
            (C, side, side) by name. A value computed in float is encoded only where it has a
            coding.
        """
        codes: dict[str, Codes] = {}
        floats: dict[str, Array] = {}
        for node in self._quantized.graph.nodes:
            coding = self._codings.get(node.name)
            if isinstance(node.op, Input):
                codes[node.name] = image.transpose(2, 0, 1)
            elif self._quantized.on_codes(node):
                codes[node.name] = self.step(node, [codes[name] for name in node.inputs])
            else:
                floats[node.name] = compute(node.op, [floats[name] for name in node.inputs])
                if coding is not None:
                    codes[node.name] = coding.encode(floats[node.name])
                continue
            assert coding is not None
            floats[node.name] = coding.decode(codes[node.name])
        return codes, floats

    def step(self, node: Node, inputs: list[Codes]) -> Codes:
        """One operation on codes, given its inputs' codes; (C, side, side) uint8 each."""
        match node.op:
            case Conv() | Affine():
                return self._convolve(node, node.op, inputs[0])
            case Clamp():
                limits = (node.op.low[:, None, None], node.op.high[:, None, None])
                return np.clip(inputs[0], *map(self._codings[node.name].encode, limits))
            case Concat():
                return np.concatenate(inputs)
            case MaxPool():
                return max_pool(inputs[0].astype(np.float64), node.op).astype(np.uint8)
            case AvgPool():
                return np.rint(compute(node.op, [inputs[0].astype(np.float64)])).astype(np.uint8)
            case Add():
                given = [self._codings[name] for name in node.inputs]
                first, second = (c.decode(x) for c, x in zip(given, inputs, strict=True))
                return self._codings[node.name].encode(first + second)
            case _:
                raise TypeError(f"{type(node.op).__name__} does not compute on codes")

    def _convolve(self, node: Node, op: Conv | Affine, codes: Codes) -> Codes:
        given, result = self._codings[node.inputs[0]], self._codings[node.name]
        weights = self._quantized.weights[node.name]
        x = codes.astype(np.float64) - given.zero_point
        kernel = weights.codes.astype(np.float64)
        sums = convolve(x, kernel, op) if isinstance(op, Conv) else kernel[:, :, 0] * x
        sums += weights.bias[:, None, None]
        multiplier = _multiplier(given, weights.scale, result)[:, None, None]
        rounded = np.rint(sums.astype(np.float32) * multiplier) + result.zero_point
        return np.clip(rounded, *self._quantized.activation_codes(node)).astype(np.uint8)


def _multiplier(given: Coding, scale: NDArray[np.float32], result: Coding) -> NDArray[np.float32]:
    return np.float32(given.scale) * scale / np.float32(result.scale)
