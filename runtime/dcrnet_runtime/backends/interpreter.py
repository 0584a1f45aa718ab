"""A TFLite interpreter from whichever package is installed."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module
from typing import Any

import numpy as np

from dcrnet_runtime.backends.failure import load_error
from dcrnet_runtime.backends.provider import Provider
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command, package_command

MAX_TENSOR_BYTES = 1 << 30
"""Of all tensors together: DCRNet's are a quarter of that at 224 px in fp32."""


class InterpreterPackage(StrEnum):
    """Who runs TFLite models, by the name of the package to install; the best first."""

    LITERT = "ai-edge-litert"
    TFLITE_RUNTIME = "tflite-runtime"


_MODULES = {
    InterpreterPackage.LITERT: "ai_edge_litert.interpreter",
    InterpreterPackage.TFLITE_RUNTIME: "tflite_runtime.interpreter",
}


def load_interpreter(
    content: bytes,
    threads: int,
    package: InterpreterPackage | None = None,
    delegates: Sequence[Provider] = (),
    what: str = "the TFLite model",
) -> Any:
    """An interpreter with its tensors allocated.

    Args:
        content: the model.
        threads: of its operators; XNNPACK, which is built in, uses them as well.
        package: whose, None for the first that is installed.
        delegates: shared libraries, by path, with their options.
        what: the model, for people.

    Raises:
        DcrnetError: no such package is installed, a delegate does not load, or the model cannot
            be read or states tensors of more than :data:`MAX_TENSOR_BYTES`.
    """
    module = _module(package)
    loaded = [_delegate(module, delegate) for delegate in delegates]
    try:
        interpreter = module.Interpreter(
            model_content=content, num_threads=threads, experimental_delegates=loaded or None
        )
        _check_size(interpreter, what)
        interpreter.allocate_tensors()
        # Whoever asks for these later would meet names that are no text.
        interpreter.get_input_details(), interpreter.get_output_details()
    except (ValueError, RuntimeError, MemoryError) as error:
        raise load_error(what, package or InterpreterPackage.LITERT, error) from error
    return interpreter


def _check_size(interpreter: Any, what: str) -> None:
    tensor_bytes = sum(
        math.prod(map(int, tensor["shape"])) * np.dtype(tensor["dtype"]).itemsize
        for tensor in interpreter.get_tensor_details()
    )
    if tensor_bytes > MAX_TENSOR_BYTES:
        raise DcrnetError(
            f"{what} states tensors of {tensor_bytes >> 20} MB, where {MAX_TENSOR_BYTES >> 20} are"
            " allowed: it is damaged or no network for faces; export or copy it again"
        )


def is_installed(package: InterpreterPackage) -> bool:
    """Whether the package's interpreter can be imported."""
    try:
        import_module(_MODULES[package])
    except ImportError:
        return False
    return True


def _module(package: InterpreterPackage | None) -> Any:
    candidates = list(InterpreterPackage) if package is None else [package]
    # That of tflite-runtime has a numpy that it can use.
    is_older = candidates[0] is InterpreterPackage.TFLITE_RUNTIME
    command = extra_command(candidates[0]) if is_older else package_command(candidates[0])
    why = None
    for candidate in candidates:
        try:
            return import_module(_MODULES[candidate])
        except ModuleNotFoundError:
            continue
        except (ImportError, OSError, MemoryError) as error:  # for want of memory, mostly
            why = why or f"{candidate} cannot be loaded ({str(error) or type(error).__name__})"
    if why is not None:
        raise DcrnetError(f"{why}: free some memory, or install it again ({command})")
    raise DcrnetError(f"no TFLite interpreter is installed: {command}")


def _delegate(module: Any, wanted: Provider) -> Any:
    try:
        ctypes.CDLL(wanted.name)  # LiteRT's own failure here leaves a half-made object behind
        return module.load_delegate(wanted.name, wanted.options)
    except (ValueError, OSError) as error:
        raise DcrnetError(
            f"delegate {wanted.name} does not load ({error}): name a TFLite delegate's shared"
            " library, such as libQnnTFLiteDelegate.so"
        ) from error
