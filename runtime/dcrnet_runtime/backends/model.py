"""What a loaded model is, whatever runs it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.card import ModelCard

INPUT_NAME = "rgb"

OUTPUT_NAME = "probabilities"

TFLITE_CARD_FILE = "dcrnet.json"


class Backend(StrEnum):
    """The back ends that come with the package; the registry may hold more."""

    ONNXRUNTIME = "onnxruntime"
    LITERT = "litert"
    TFLITE_RUNTIME = "tflite-runtime"


class ModelFormat(StrEnum):
    """The file formats that the runtime runs."""

    ONNX = "onnx"
    TFLITE = "tflite"

    @classmethod
    def of(cls, content: bytes) -> ModelFormat:
        """Told by a file's first bytes; ONNX, which has no mark of its own, is all the rest."""
        return cls.TFLITE if content[4:8] == b"TFL3" else cls.ONNX


class Model(Protocol):
    """A loaded model.

    Attributes:
        card: its self-description.
        format: of its file.
        sha256: of its file.
        runs_on: back end and accelerators, for people.
    """

    card: ModelCard
    format: ModelFormat
    sha256: str
    runs_on: str

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, S, S, 3) uint8 RGB crops from ``prepare`` to (N, labels) float32, rows sum to 1."""
        ...
