"""Exported models behind one interface, whatever their format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dcrnet_runtime.backends.interpreter import InterpreterPackage
from dcrnet_runtime.backends.model import Backend, Model, ModelFormat
from dcrnet_runtime.backends.onnx_model import OnnxModel
from dcrnet_runtime.backends.provider import Provider
from dcrnet_runtime.backends.tflite_model import TFLiteModel
from dcrnet_runtime.errors import DcrnetError

MAX_MODEL_BYTES = 1 << 29
_TFLITE_MAGIC = slice(4, 8), b"TFL3"


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
