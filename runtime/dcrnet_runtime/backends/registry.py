"""The back ends that there are, by name; the first that takes a file's format runs it."""

from __future__ import annotations

from dcrnet_runtime.backends.backend import InferenceBackend
from dcrnet_runtime.backends.interpreter import InterpreterPackage
from dcrnet_runtime.backends.model import Backend, ModelFormat
from dcrnet_runtime.backends.runners.onnx_model import OnnxRuntimeBackend
from dcrnet_runtime.backends.runners.tflite_model import TFLiteBackend
from dcrnet_runtime.errors import DcrnetError

BACKENDS: dict[str, InferenceBackend] = {}
"""By name, the preferred ones first."""


def register(backend: InferenceBackend) -> None:
    """Add a back end; one of the same name is replaced."""
    BACKENDS[backend.name] = backend


def backend_called(name: str) -> InferenceBackend:
    """The back end of that name.

    Raises:
        DcrnetError: there is none.
    """
    if name not in BACKENDS:
        raise DcrnetError(f"`backend` {name} is unknown: choose {', '.join(BACKENDS)}")
    return BACKENDS[name]


def backend_for(model_format: ModelFormat) -> InferenceBackend:
    """The first installed back end that runs such files, else the first one that would.

    Raises:
        DcrnetError: none does.
    """
    able = [b for b in BACKENDS.values() if model_format in b.capabilities.formats]
    if not able:
        raise DcrnetError(f"no back end runs {model_format} files: export the model as another")
    return next((backend for backend in able if backend.is_installed()), able[0])


register(OnnxRuntimeBackend())
register(TFLiteBackend(Backend.LITERT, InterpreterPackage.LITERT))
register(TFLiteBackend(Backend.TFLITE_RUNTIME, InterpreterPackage.TFLITE_RUNTIME))
