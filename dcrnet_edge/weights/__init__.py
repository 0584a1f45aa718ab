"""The weights that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import repair_command

WEIGHTS_FILE = "dcrnet.safetensors"


def shipped_checkpoint() -> Path:
    """The checkpoint inside the package: what ``dcrnet-export`` exports unless told otherwise.

    Raises:
        DcrnetError: the installation lacks it.
    """
    path = Path(str(resources.files(__name__) / WEIGHTS_FILE))
    if not path.is_file():
        raise DcrnetError(
            f"this installation has no weights at {path}: {repair_command()}, or name a checkpoint"
        )
    return path
