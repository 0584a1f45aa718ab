"""The weights that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import repair_command
from dcrnet_runtime.models import Shipped, named_file


def _path(name: Shipped) -> Path:
    match name:
        case Shipped.ACCURATE:
            file = "dcrnet.safetensors"
        case Shipped.FAST:
            file = "efficientnet-lite0.safetensors"
    return Path(str(resources.files(__name__) / file))


def shipped_checkpoint(name: str = Shipped.ACCURATE) -> Path:
    """The checkpoint inside the package that a shipped int8 model was exported from.

    Args:
        name: ``accurate``, which is what ``dcrnet-export`` exports unless told otherwise, or
            ``fast``.

    Raises:
        DcrnetError: another name, or the installation lacks the file.
    """
    if name not in tuple(Shipped):
        raise DcrnetError(f"no shipped weights are called {name!r}: take {' or '.join(Shipped)}")
    path = _path(Shipped(name))
    if not path.is_file():
        raise DcrnetError(
            f"this installation has no weights at {path}: {repair_command()}, or name a checkpoint"
        )
    return path


def checkpoint_path(named: str | Path) -> Path:
    """The file that a command line means: shipped weights, or the one of that path.

    Raises:
        DcrnetError: it is a bare name, but none of shipped weights or a file.
    """
    text = str(named)  # a default goes through an option's parser, too
    if text in tuple(Shipped):
        return _path(Shipped(text))
    return named_file(text, "checkpoint", "a .safetensors checkpoint")
