"""A TFLite model under construction: tensors, buffers without duplicates, operators."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any, NewType

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from dcrnet_export.ir.graph import Shape
from dcrnet_runtime.backends.content_hash import (
    TFLITE_HASH_FILE,
    content_sha256,
    tflite_metadata,
)
from dcrnet_runtime.backends.model import TFLITE_CARD_FILE

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
DESCRIPTION = "dcrnet-edge"
_BUFFER_ALIGNMENT = 16
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.uint8): schema.TensorType.UINT8,
}

TensorIndex = NewType("TensorIndex", int)
"""Index of a tensor in the subgraph."""


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose data starts at a multiple of 16 bytes, as the schema demands."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802
        data = None
        if self.data is not None:
            content = self.data.tobytes()
            builder.StartVector(1, len(content), _BUFFER_ALIGNMENT)
            builder.head -= len(content)
            builder.Bytes[builder.head : builder.head + len(content)] = content
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


class _SharedQuantization(schema.QuantizationParametersT):  # type: ignore[misc]
    """Scales and zero points that refer to equal ones written before.

    A convolution with a scale for each of its n channels needs n zero points, 8 bytes each, for
    the weights and as many for the bias, all 0: without sharing 2 % of the file.
    """

    def __init__(self, written: dict[bytes, int]) -> None:
        super().__init__()
        self._written = written

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802
        scale, zero_point = (
            self._vector(builder, self.scale),
            self._vector(builder, self.zeroPoint),
        )
        schema.QuantizationParametersStart(builder)
        schema.QuantizationParametersAddScale(builder, scale)
        schema.QuantizationParametersAddZeroPoint(builder, zero_point)
        schema.QuantizationParametersAddQuantizedDimension(builder, self.quantizedDimension)
        return schema.QuantizationParametersEnd(builder)

    def _vector(self, builder: flatbuffers.Builder, values: NDArray[Any]) -> int:
        key = values.dtype.char.encode() + values.tobytes()
        if key not in self._written:
            self._written[key] = builder.CreateNumpyVector(values)
        return self._written[key]


class TFLiteWriter:
    """Collects tensors and operators in order, NHWC.

    Args:
        batch: faces a run.
    """

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch
        self._tensors: list[schema.TensorT] = []
        self._buffers: list[schema.BufferT] = [_AlignedBuffer()]  # number 0 means "no data"
        self._buffer_of: dict[bytes, int] = {}
        self._constants: dict[tuple[Any, ...], TensorIndex] = {}
        self._operators: list[schema.OperatorT] = []
        self._codes: dict[tuple[int, int], int] = {}
        self._written: dict[bytes, int] = {}

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: type[np.generic],
        scale: NDArray[np.float32] | float | None = None,
        zero_point: int = 0,
    ) -> TensorIndex:
        """A tensor that an operator fills.

        Args:
            scale: of its quantization; one, or one for each index of the first axis.
        """
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(shape)
        tensor.type, tensor.buffer = _TYPES[np.dtype(dtype)], 0
        if scale is not None:
            tensor.quantization = self._quantization(np.atleast_1d(scale), zero_point)
        self._tensors.append(tensor)
        return TensorIndex(len(self._tensors) - 1)

    def map(
        self,
        name: str,
        shape: Shape,
        dtype: type[np.generic],
        scale: float | None = None,
        zero_point: int = 0,
    ) -> TensorIndex:
        """A value of the graph, one map for each face of the batch."""
        size = (self.batch, shape.side, shape.side, shape.channels)
        return self.tensor(name, size, dtype, scale, zero_point)

    def constant(
        self,
        name: str,
        values: NDArray[Any],
        scale: NDArray[np.float32] | float | None = None,
        zero_point: int = 0,
        axis: int = 0,
    ) -> TensorIndex:
        """A tensor with data; equal ones are stored once.

        Args:
            axis: the one that a per-channel ``scale`` runs along.
        """
        content = values.tobytes()
        scale_key = None if scale is None else np.atleast_1d(scale).tobytes()
        key = (str(values.dtype), values.shape, content, scale_key, zero_point)
        if key in self._constants:
            return self._constants[key]
        index = self.tensor(name, values.shape, values.dtype.type, scale, zero_point)
        if scale is not None:
            self._tensors[index].quantization.quantizedDimension = axis
        self._tensors[index].buffer = self._buffer(content, values)
        self._constants[key] = index
        return index

    def _quantization(self, scale: NDArray[np.float32], zero_point: int) -> _SharedQuantization:
        quantization = _SharedQuantization(self._written)
        quantization.scale = scale.astype(np.float32)
        quantization.zeroPoint = np.full(len(scale), zero_point, np.int64)
        return quantization

    def _buffer(self, content: bytes, values: NDArray[Any]) -> int:
        if content not in self._buffer_of:
            buffer = _AlignedBuffer()
            buffer.data = values
            self._buffers.append(buffer)
            self._buffer_of[content] = len(self._buffers) - 1
        return self._buffer_of[content]

    def add(
        self,
        code: int,
        version: int,
        inputs: list[TensorIndex],
        output: TensorIndex,
        options: Any = None,
    ) -> TensorIndex:
        """Append an operator with one output; returns it.

        Args:
            code: of :class:`schema.BuiltinOperator`.
            version: the lowest that describes the operator on these types.
            options: the schema's options object; its class names the union's member.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.setdefault((code, version), len(self._codes))
        operator.inputs, operator.outputs = inputs, [output]
        if options is not None:
            member = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, member)
            operator.builtinOptions = options
        self._operators.append(operator)
        return output

    def content(self, given: TensorIndex, results: Sequence[TensorIndex]) -> bytes:
        """The file's bytes, with ``given`` as the input and ``results`` as the outputs."""
        graph = schema.SubGraphT()
        graph.name = "dcrnet"
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = [given], list(results)
        model = schema.ModelT()
        model.version, model.description = SCHEMA_VERSION, DESCRIPTION
        model.subgraphs, model.buffers = [graph], self._buffers
        model.operatorCodes = [_operator_code(code, version) for code, version in self._codes]
        self._written.clear()  # offsets hold for one builder
        builder = flatbuffers.Builder(sum(map(len, self._buffer_of)) + (1 << 20))
        builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
        return bytes(builder.Output())


def append_card(content: bytes, text: str) -> bytes:
    """The model with its card and a hash of both in an appended zip.

    So TFLite metadata's associated files are stored.

    Interpreters ignore what follows the flatbuffer.
    """
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as appended:
        appended.writestr(zipfile.ZipInfo(TFLITE_CARD_FILE, _ZIP_EPOCH), text)
        digest = content_sha256(content, text)
        appended.writestr(zipfile.ZipInfo(TFLITE_HASH_FILE, _ZIP_EPOCH), digest)
    return file.getvalue()


def card_text(content: bytes) -> str | None:
    """What :func:`append_card` appended, or None."""
    return tflite_metadata(content).card


def _operator_code(code: int, version: int) -> schema.OperatorCodeT:
    operator = schema.OperatorCodeT()
    operator.builtinCode, operator.version = code, version
    operator.deprecatedBuiltinCode = min(code, 127)  # where older readers look
    return operator
