"""What exporting, and looking at what was exported, needs beyond the base install."""

from __future__ import annotations

from dcrnet_runtime.cli.extra import require_extra

_FILES = ("onnx", "flatbuffers", "safetensors")
_EXPORT = (*_FILES, "onnxsim", "torch", "sklearn", "statsmodels")


def export_extra() -> None:
    """Refuse to go on without what exporting needs.

    Raises:
        DcrnetError: the ``export`` extra is not installed.
    """
    require_extra("export", _EXPORT)


def inspection_extra() -> None:
    """Refuse to go on without what reading files needs; no torch is among it.

    Raises:
        DcrnetError: part of the ``inspect`` extra is not installed.
    """
    require_extra("inspect", _FILES)
