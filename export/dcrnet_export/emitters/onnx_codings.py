"""An ONNX model whose values go between floats and codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_export.emitters.onnx_writer import OnnxWriter
from dcrnet_export.ir.graph import Clamp
from dcrnet_export.passes.quantization import CODES, INT8_OFFSET, Coding


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

    def limits(self, name: str, clamp: Clamp) -> dict[str, str]:
        """A clamp's limits as codes (1, C, 1, 1) of a value, for ``Max`` and ``Min``.

        Infinite ones become the first or the last code; a limit that never acts is left out.
        """
        coding = self._codings[name]
        limits = {"Max": (clamp.low, 0), "Min": (clamp.high, CODES)}
        return {
            op: self.constant(f"{name}.{op.lower()}", self._row(coding.encode(limit)))
            for op, (limit, idle) in limits.items()
            if (coding.encode(limit) != idle).any()
        }

    def _row(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        return self._stored(codes)[None, :, None, None]

    def _stored(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        return (codes.astype(np.int16) - INT8_OFFSET).astype(np.int8) if self._signed else codes
