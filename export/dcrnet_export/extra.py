"""What exporting needs beyond the base install."""

from __future__ import annotations

from importlib import import_module

from dcrnet_runtime.errors import DcrnetError

_EXTRA = ("flatbuffers", "onnx", "onnxsim", "safetensors", "torch", "sklearn", "statsmodels")


def export_extra() -> None:
    """Say which extra is missing, rather than which module.

    Raises:
        DcrnetError: the ``export`` extra is not installed.
    """
    try:
        for name in _EXTRA:
            import_module(name)
    except ImportError as error:
        raise DcrnetError(
            f"{error.name} is not installed: pip install 'dcrnet-edge[export]'"
        ) from error
