"""What exporting needs beyond the base install."""

from __future__ import annotations

from dcrnet_runtime.cli.extra import require_extra

_EXTRA = ("flatbuffers", "onnx", "onnxsim", "safetensors", "torch", "sklearn", "statsmodels")


def export_extra() -> None:
    """Refuse to go on without what exporting needs.

    Raises:
        DcrnetError: the ``export`` extra is not installed.
    """
    require_extra("export", _EXTRA)
