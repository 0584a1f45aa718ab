"""What a loaded model is, whatever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError

INPUT_NAME = "rgb"

OUTPUT_NAME = "probabilities"

FEATURES_NAME = "features"
"""The second output of a file that has one."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model says of N crops.

    Attributes:
        probabilities: (N, labels) float32, rows sum to 1.
        features: (N, C) float32, what the dense head reads: the last maps, pooled over space.
    """

    probabilities: NDArray[np.float32]
    features: NDArray[np.float32]


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


@runtime_checkable
class FeatureModel(Model, Protocol):
    """A loaded model that can give features, if its file has them: ``card.feature_count``."""

    def answers(self, crops: NDArray[np.uint8]) -> Answers:
        """Like :meth:`Model.probabilities`, with the features beside them.

        Raises:
            DcrnetError: the file has none.
        """
        ...


def feature_model(model: Model) -> FeatureModel:
    """The model as one that gives features.

    Raises:
        DcrnetError: it gives none.
    """
    if not (isinstance(model, FeatureModel) and model.card.feature_count):
        raise no_features("the model")
    return model


def no_features(model: str) -> DcrnetError:
    """The error of a model that gives probabilities alone."""
    return DcrnetError(
        f"{model} gives no features, its file has none: dcrnet-export accurate --int8 --size 128"
        " --features writes the shipped one with them, and dcrnet-export CHECKPOINT --features"
        " your own; then name that file as `model`"
    )
