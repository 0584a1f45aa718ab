"""The models that come with the package, by what they are for."""

from __future__ import annotations

import difflib
import os
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

    Raises:
        DcrnetError: it is a bare name, but none of a shipped model or a file.
    """
    if text in tuple(Shipped):
        return Shipped(text).path
    return named_file(text, "model", "a file that dcrnet-export wrote")


def named_file(text: str, what: str, else_name: str) -> Path:
    """A path that is given where a shipped name could be.

    Args:
        text: what is given.
        what: it should be.
        else_name: what can be named beside the shipped ones.

    Raises:
        DcrnetError: it is a bare name, and there is no such file.
    """
    path = Path(text)
    is_bare = os.sep not in text and not path.suffix
    if not is_bare or os.path.lexists(text or "."):
        return path
    close = difflib.get_close_matches(text.lower(), list(Shipped), 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise DcrnetError(f"there is no {what} {text}: name {', '.join(Shipped)} or {else_name}{hint}")
