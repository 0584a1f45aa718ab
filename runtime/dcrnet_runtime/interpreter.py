"""A TFLite interpreter from whichever package is installed."""

from __future__ import annotations

from typing import Any

from dcrnet_runtime.errors import DcrnetError


def load_interpreter(content: bytes, threads: int) -> Any:
    """An interpreter, its tensors allocated, of ``ai-edge-litert``, else of ``tflite-runtime``.

    Raises:
        DcrnetError: neither package is installed, or the model cannot be read.
    """
    interpreter_class = _interpreter_class()
    try:
        interpreter = interpreter_class(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DcrnetError(
            f"the TFLite model cannot be loaded ({error}): it is damaged, export or download"
            " it again"
        ) from error
    return interpreter


def _interpreter_class() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError as error:
            raise DcrnetError(
                "no TFLite interpreter is installed: pip install ai-edge-litert"
            ) from error
    return Interpreter
