"""The model that comes with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import repair_command

MODEL_FILE = "dcrnet-int8.onnx"


def shipped_model() -> Path:
    """The int8 ONNX model inside the package: what ``dcrnet-run`` uses unless told otherwise.

    Raises:
        DcrnetError: the installation lacks it.
    """
    path = Path(str(resources.files("dcrnet_runtime") / "models" / MODEL_FILE))
    if not path.is_file():
        raise DcrnetError(
            f"this installation has no model at {path}: {repair_command()},"
            " or name a file that dcrnet-export wrote"
        )
    return path
