"""Exported models behind one interface, whatever their format."""

from __future__ import annotations

import io
import zipfile
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.card import CARD_KEY, ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.interpreter import load_interpreter

INPUT_NAME = "rgb"
OUTPUT_NAME = "probabilities"
TFLITE_CARD_FILE = "dcrnet.json"
_TFLITE_MAGIC = slice(4, 8), b"TFL3"


class ModelFormat(StrEnum):
    """The file formats that the runtime runs; told by a file's first bytes."""

    ONNX = "onnx"
    TFLITE = "tflite"


class Model(Protocol):
    """A loaded model.

    Attributes:
        card: its self-description.
        format: of its file.
        sha256: of its file.
    """

    card: ModelCard
    format: ModelFormat
    sha256: str

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, S, S, 3) uint8 RGB crops from ``prepare`` to (N, labels) float32, rows sum to 1."""
        ...


def load_model(path: Path, *, threads: int = 1) -> Model:
    """Load an exported model.

    Args:
        path: a file that ``dcrnet-export`` wrote.
        threads: of the back end.

    Raises:
        DcrnetError: the file is missing, damaged, no model, or describes itself in no way that
            this runtime knows.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DcrnetError(
            f"model {path} cannot be read ({error.strerror}): name a file that dcrnet-export wrote"
        ) from error
    where, magic = _TFLITE_MAGIC
    if content[where] == magic:
        return TFLiteModel(path, content, threads)
    return OnnxModel(path, content, threads)


class OnnxModel:
    """A model run by ONNX Runtime on the CPU."""

    format = ModelFormat.ONNX

    def __init__(self, path: Path, content: bytes, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            metadata = self._session.get_modelmeta().custom_metadata_map
            names = [self._session.get_inputs()[0].name, self._session.get_outputs()[0].name]
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise DcrnetError(
                f"{path} is no whole ONNX or TFLite model ({_first_line(error)}): export or copy"
                " it again"
            ) from error
        self.card = _read_card(path, metadata.get(CARD_KEY))
        self.sha256 = sha256(content).hexdigest()
        if names != [INPUT_NAME, OUTPUT_NAME]:
            raise DcrnetError(
                f"{path} maps {names[0]} to {names[1]}, not {INPUT_NAME} to {OUTPUT_NAME}: the"
                " file was edited, export it again"
            )
        shape = self._session.get_inputs()[0].shape
        _check_input(path, self.card, shape)
        _check_output(path, self.card, self._session.get_outputs()[0].shape)
        self._batch = shape[0] if isinstance(shape[0], int) else None

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = [
            self._session.run([OUTPUT_NAME], {INPUT_NAME: batch})[0]
            for batch in _batches(crops, self._batch)
        ]
        return np.concatenate(rows)


class TFLiteModel:
    """A model run by LiteRT, or by tflite-runtime where that is what is installed."""

    format = ModelFormat.TFLITE

    def __init__(self, path: Path, content: bytes, threads: int) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as appended:
                text = appended.read(TFLITE_CARD_FILE).decode()
        except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
            text = None
        self.card = _read_card(path, text)
        self.sha256 = sha256(content).hexdigest()
        self._interpreter = load_interpreter(content, threads)
        detail = self._interpreter.get_input_details()[0]
        _check_input(path, self.card, list(detail["shape"]))
        self._input = detail["index"]
        self._batch = int(detail["shape"][0])
        output = self._interpreter.get_output_details()[0]
        _check_output(path, self.card, list(output["shape"]))
        self._output = output["index"]

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = []
        for batch in _batches(crops, self._batch):
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            rows.append(self._interpreter.get_tensor(self._output))
        return np.concatenate(rows)


def _batches(crops: NDArray[np.uint8], size: int | None) -> list[NDArray[np.uint8]]:
    """The crops in the batches that the graph takes; a fixed batch must divide them."""
    if size is None:
        return [crops]
    if len(crops) % size:
        raise ValueError(f"the model takes batches of {size}, got {len(crops)} crops")
    return [crops[i : i + size] for i in range(0, len(crops), size)]


def _read_card(path: Path, text: str | None) -> ModelCard:
    if text is None:
        raise DcrnetError(
            f"{path} carries no dcrnet-edge card, so its labels and preprocessing are unknown:"
            " use a model that dcrnet-export wrote"
        )
    return ModelCard.from_json(text)


def _check_input(path: Path, card: ModelCard, shape: list[Any]) -> None:
    side = card.preprocess.size_px
    if list(shape[1:]) != [side, side, 3]:
        raise DcrnetError(
            f"{path} takes {shape}, its card says {side} px: the file was edited, export it again"
        )


def _check_output(path: Path, card: ModelCard, shape: list[Any]) -> None:
    if shape[-1] != len(card.labels):
        raise DcrnetError(
            f"{path} gives {shape[-1]} probabilities, its card has {len(card.labels)} labels: the"
            " file was edited, export it again"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
