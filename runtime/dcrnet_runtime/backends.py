"""Exported models behind one interface, whatever their format."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.batching import in_batches
from dcrnet_runtime.card import CARD_KEY, ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.interpreter import InterpreterPackage, load_interpreter
from dcrnet_runtime.precision import Precision
from dcrnet_runtime.provider import CPU_PROVIDER, Provider, onnx_providers

INPUT_NAME = "rgb"
OUTPUT_NAME = "probabilities"
TFLITE_CARD_FILE = "dcrnet.json"
MAX_MODEL_BYTES = 1 << 29
_TFLITE_MAGIC = slice(4, 8), b"TFL3"
# How protobuf writes the key "location" of a tensor whose values lie in another file, also with
# needlessly long tags and lengths. An exported model has none, and reading one would let a model
# file name any other file of the device.
_EXTERNAL_DATA = re.compile(rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")
_log = logging.getLogger(__name__)


class Backend(StrEnum):
    """Who runs a model."""

    ONNXRUNTIME = "onnxruntime"
    LITERT = "litert"
    TFLITE_RUNTIME = "tflite-runtime"


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
        runs_on: back end and accelerators, for people.
    """

    card: ModelCard
    format: ModelFormat
    sha256: str
    runs_on: str

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, S, S, 3) uint8 RGB crops from ``prepare`` to (N, labels) float32, rows sum to 1."""
        ...


def load_model(
    path: Path,
    *,
    threads: int = 1,
    backend: Backend | None = None,
    providers: Sequence[Provider] = (),
    is_strict: bool = False,
) -> Model:
    """Load an exported model.

    Args:
        path: a file that ``dcrnet-export`` wrote.
        threads: of the back end.
        backend: who runs it; None chooses by the file, and LiteRT before tflite-runtime.
        providers: accelerators in order of preference, for ONNX Runtime its execution
            providers, for TFLite the shared libraries of delegates. One that is not there is
            reported in a warning, and the CPU takes its place.
        is_strict: refuse that, and also that parts of the graph fall to the CPU.

    Raises:
        DcrnetError: the file is missing, damaged, absurdly large, refers to other files, is no
            model or describes itself in no way that this runtime knows; or the back end does not
            run such files, is not installed, or is not what was asked for.
    """
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise DcrnetError(
                f"model {path} has more than {MAX_MODEL_BYTES >> 20} MB: name a file that"
                " dcrnet-export wrote"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DcrnetError(
            f"model {path} cannot be read ({error.strerror}): name a file that dcrnet-export wrote"
        ) from error
    where, magic = _TFLITE_MAGIC
    is_tflite = content[where] == magic
    if backend is not None and (backend is Backend.ONNXRUNTIME) == is_tflite:
        found = ModelFormat.TFLITE if is_tflite else ModelFormat.ONNX
        raise DcrnetError(
            f"{backend} does not run {path}, an {found} file: leave --backend out, or name"
            " another file"
        )
    if is_tflite:
        package = _PACKAGES.get(backend) if backend else None
        return TFLiteModel(path, content, threads, package, providers)
    return OnnxModel(path, content, threads, providers, is_strict)


_PACKAGES = {
    Backend.LITERT: InterpreterPackage.LITERT,
    Backend.TFLITE_RUNTIME: InterpreterPackage.TFLITE_RUNTIME,
}


# In 2.14, its last version, a dense layer comes out as zeros where its int8 weights have a scale
# a row. The exporter writes such layers as convolutions; other files cannot be told apart.
_NO_DYNAMIC_RANGE = (
    "{path} is a dynamic-range model, whose arithmetic is wrong in tflite-runtime: pip install"
    " ai-edge-litert, or use the int8 file"
)


class OnnxModel:
    """A model run by ONNX Runtime."""

    format = ModelFormat.ONNX

    def __init__(
        self,
        path: Path,
        content: bytes,
        threads: int,
        providers: Sequence[Provider] = (),
        is_strict: bool = False,
    ) -> None:
        if _EXTERNAL_DATA.search(content):
            raise DcrnetError(
                f"{path} refers to tensors in other files, which no exported model does: export"
                " it again"
            )
        self._session = _session(path, content, threads, providers, is_strict)
        metadata = self._session.get_modelmeta().custom_metadata_map
        names = [self._session.get_inputs()[0].name, self._session.get_outputs()[0].name]
        self.card = _read_card(path, metadata.get(CARD_KEY))
        self.sha256 = sha256(content).hexdigest()
        self.runs_on = f"onnxruntime, {', '.join(self._session.get_providers())}"
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
        return in_batches(self._run, crops, self._batch)

    def _run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self._session.run([OUTPUT_NAME], {INPUT_NAME: batch})[0]
        return rows


class TFLiteModel:
    """A model run by LiteRT, or by tflite-runtime where that is what is installed."""

    format = ModelFormat.TFLITE

    def __init__(
        self,
        path: Path,
        content: bytes,
        threads: int,
        package: InterpreterPackage | None = None,
        delegates: Sequence[Provider] = (),
    ) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as appended:
                text = appended.read(TFLITE_CARD_FILE).decode()
        except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
            text = None
        self.card = _read_card(path, text)
        self.sha256 = sha256(content).hexdigest()
        self._interpreter = load_interpreter(content, threads, package, delegates)
        home = type(self._interpreter).__module__.partition(".")[0]
        if self.card.precision is Precision.DYNAMIC_RANGE and home == "tflite_runtime":
            raise DcrnetError(_NO_DYNAMIC_RANGE.format(path=path))
        self.runs_on = ", ".join([home, *(delegate.name for delegate in delegates)])
        detail = self._interpreter.get_input_details()[0]
        _check_input(path, self.card, list(detail["shape"]))
        self._input = detail["index"]
        self._batch = int(detail["shape"][0])
        output = self._interpreter.get_output_details()[0]
        _check_output(path, self.card, list(output["shape"]))
        self._output = output["index"]

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return in_batches(self._run, crops, self._batch)

    def _run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        rows: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return rows


def _session(
    path: Path, content: bytes, threads: int, providers: Sequence[Provider], is_strict: bool
) -> Any:
    import onnxruntime

    chosen, missing = onnx_providers(
        providers, onnxruntime.get_all_providers(), onnxruntime.get_available_providers()
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Where a processor without VNNI would saturate sums over weights beyond 64, ONNX Runtime takes
    # other kernels; smaller weights and other processors are not slowed down.
    options.add_session_config_entry("session.x64quantprecision", "1")
    if is_strict and missing:
        raise DcrnetError(_not_usable(missing))
    if is_strict and providers and not any("cpu" in p.name.lower() for p in providers):
        chosen = [(name, its) for name, its in chosen if name != CPU_PROVIDER]
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=chosen)
    except Exception as error:  # onnxruntime's exceptions share no base class
        if "fallback to CPU EP has been explicitly disabled" in str(error):
            raise DcrnetError(
                f"parts of {path} would run on the CPU: leave --strict out, or name --provider cpu"
                " as well"
            ) from error
        raise DcrnetError(
            f"{path} is no whole ONNX or TFLite model ({_first_line(error)}): export or copy"
            " it again"
        ) from error
    missing += [name for name, _ in chosen if name not in session.get_providers()]
    if is_strict and missing:
        raise DcrnetError(_not_usable(missing))
    if missing:
        _log.warning("%s; now it is %s", _not_usable(missing), ", ".join(session.get_providers()))
    return session


def _not_usable(providers: Sequence[str]) -> str:
    return (
        f"{', '.join(providers)} was asked for and cannot be used by this onnxruntime: install a"
        " build with it and the drivers it needs"
    )


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
