"""Files of ImageNet weights: safetensors, and those pickles that are known by their hash."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dcrnet_runtime.errors import DcrnetError


def read_imagenet(path: Path, published: Sequence[str], files: str) -> dict[str, Tensor]:
    """A file's tensors by their names in it.

    Args:
        path: safetensors, or a published pickle, which is read without running code.
        published: SHA-256 of each pickle that is read, or its beginning, in hexadecimal.
        files: what those are, for people.

    Raises:
        DcrnetError: the file is missing or cut off, or another pickle.
    """
    if not path.is_file():
        raise DcrnetError(f"ImageNet weights {path} do not exist: name a file")
    if path.suffix != ".safetensors":
        return _read_published(path, published, files)
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DcrnetError(
            f"{path} is no whole safetensors file ({error}): copy it again"
        ) from error


def _read_published(path: Path, published: Sequence[str], files: str) -> dict[str, Tensor]:
    if not sha256(path.read_bytes()).hexdigest().startswith(tuple(published)):
        raise DcrnetError(
            f"{path} is a pickle, and not {files} (sha256"
            f" {', '.join(f'{each[:8]}...' for each in published)}), so it is refused: convert it"
            " to safetensors where you trust it"
        )
    weights: dict[str, Tensor] = torch.load(path, weights_only=True)
    return weights
