"""An ONNX model whose values go between floats and codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_export.emitters.onnx_writer import OnnxWriter
from dcrnet_export.ir.graph import Array
from dcrnet_export.passes.quantization import INT8_OFFSET, Coding


class CodingWriter(OnnxWriter):
    """Writes what is common to the integer and the QDQ form.

    Args:
        codings: of the values, by name.
        signed: write codes minus 128 as int8, in place of uint8.
    """

    def __init__(self, codings: Mapping[str, Coding], *, signed: bool = False) -> None:
        super().__init__()
        self._codings = codings
        self._signed = signed

    def encode(self, exact: str, value: str, output: str) -> str:
        """Floats to the codes of a value."""
        return self.add("QuantizeLinear", [exact, *self.coding(value)], output)

    def decode(self, codes: str, value: str, output: str) -> str:
        """Codes of a value to floats."""
        return self.add("DequantizeLinear", [codes, *self.coding(value)], output)

    def coding(self, value: str) -> tuple[str, str]:
        """The tensors of a value's scale and zero point."""
        coding = self._codings[value]
        zero = self._stored(np.array(coding.zero_point, np.uint8))
        return (
            self.constant(f"scale_{coding.scale!r}", np.array(coding.scale, np.float32)),
            self.constant(f"zero_{coding.zero_point}", zero),
        )

    def limit(self, name: str, limit: Array, value: str) -> str:
        """A clamp's (C,) limit as codes of a value, (1, C, 1, 1); infinite ones become the
        ends."""
        codes = self._stored(self._codings[value].encode(limit))
        return self.constant(name, codes[None, :, None, None])

    def _stored(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        return (codes.astype(np.int16) - INT8_OFFSET).astype(np.int8) if self._signed else codes
