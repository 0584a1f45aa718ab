"""The models that come with the package, by what they are for."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import repair_command


class Shipped(StrEnum):
    """A choice that needs no file: int8 ONNX models inside the package."""

    ACCURATE = "accurate"
    FAST = "fast"

    @property
    def path(self) -> Path:
        """Where it lies in an installation that is whole."""
        match self:
            case Shipped.ACCURATE:
                file = "dcrnet-int8.onnx"
            case Shipped.FAST:
                file = "efficientnet-lite0-int8.onnx"
        return Path(str(resources.files(__name__) / file))


def shipped_model(name: str = Shipped.ACCURATE) -> Path:
    """An int8 ONNX model inside the package.

    Args:
        name: ``accurate``, which is DCRNet and what ``dcrnet-run`` uses unless told otherwise, or
            ``fast``, an EfficientNet-Lite0.

    Raises:
        DcrnetError: another name, or the installation lacks the file.
    """
    if name not in tuple(Shipped):
        raise DcrnetError(f"no shipped model is called {name!r}: take {' or '.join(Shipped)}")
    path = Shipped(name).path
    if not path.is_file():
        raise DcrnetError(
            f"this installation has no model at {path}: {repair_command()},"
            " or name a file that dcrnet-export wrote"
        )
    return path


def model_path(text: str) -> Path:
    """The file that a command line means: a shipped model's, or the one of that path.

    A file that is called like a shipped model is named with its folder, as in ``./fast``.
    """
    return Shipped(text).path if text in tuple(Shipped) else Path(text)
