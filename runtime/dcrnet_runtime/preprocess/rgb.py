"""What people hand in as a picture, as the (H, W, 3) uint8 RGB array that all else takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import MAX_SIDE_PX, read_image

Picture = ArrayLike | str | os.PathLike[str]
"""An array, or the path of an image file; :func:`as_rgb` says which are taken."""

_WANTED = "`rgb` wants an (H, W, 3) uint8 array in RGB order, or the path of an image file"
_LOWEST_PEAK = 16.0  # of floats that are taken as 0 to 255


def as_rgb(picture: Picture) -> NDArray[np.uint8]:
    """Convert what can be meant in one way only, and refuse the rest.

    Args:
        picture: (H, W, 3) RGB, or (H, W) or (H, W, 1) grey. Numbers are uint8; other integers
            (but uint16) within 0 to 255; or floats, of 0 to 1 where none is above 1, of 0 to 255
            where one is above 16. Or the path of an image file. A tensor on the CPU or a Pillow
            image counts as an array.

    Returns:
        (H, W, 3) uint8 RGB; the array itself where it is one.

    Raises:
        DcrnetError: it is none of these; says what it is and what to write instead.
    """
    if isinstance(picture, np.ndarray) and _is_rgb(picture):
        return np.ascontiguousarray(picture)
    if isinstance(picture, str | os.PathLike):
        return read_image(Path(picture))
    if picture is None:
        raise DcrnetError(
            f"the picture is None, as cv2.imread's answer to a file that it cannot read: {_WANTED}"
        )
    array = _array(picture)
    return np.ascontiguousarray(_three_channels(_codes(array)))


def _is_rgb(array: NDArray[Any]) -> bool:
    is_shaped = array.ndim == 3 and array.shape[2] == 3 and min(array.shape[:2]) > 0
    return array.dtype == np.uint8 and is_shaped and max(array.shape[:2]) <= MAX_SIDE_PX


def _array(picture: Any) -> NDArray[Any]:
    if getattr(picture, "mode", "RGB") not in ("RGB", "L") and hasattr(picture, "convert"):
        picture = picture.convert("RGB")  # Pillow's palettes, transparency and CMYK
    try:
        array = np.asarray(picture)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DcrnetError(f"a {type(picture).__name__} is no picture: {_WANTED}") from error
    if array.dtype.kind not in "uif" or array.ndim not in (2, 3):
        raise DcrnetError(f"{_told(array)} is no picture: {_WANTED}{_of_batch(array)}")
    _check_shape(array)
    return array


def _check_shape(array: NDArray[Any]) -> None:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.size == 0:
        raise DcrnetError(f"{_told(array)} has no pixel: {_WANTED}")
    if channels not in (1, 3):
        if array.shape[0] in (1, 3):
            remedy = "with the channels first: give image.transpose(1, 2, 0)"
        elif channels == 4:
            remedy = (
                "of four channels, in which order it does not say: give image[..., :3] of RGBA,"
                " image[..., 2::-1] of BGRA"
            )
        else:
            remedy = f"of {channels} channels"
        raise DcrnetError(f"the picture is {_told(array)} {remedy}. {_WANTED}")
    if max(array.shape[:2]) > MAX_SIDE_PX:
        raise DcrnetError(f"{_told(array)} has a side beyond {MAX_SIDE_PX:,} px: scale it down")


def _codes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The values as 0 to 255."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        raise DcrnetError(
            "a uint16 picture does not say whether its values are of 10, 12 or 16 bits: give"
            " (image >> 8).astype(np.uint8) where they are of 16"
        )
    low, high = float(array.min()), float(array.max())
    is_whole = array.dtype.kind != "f"
    if not is_whole and low >= 0.0 and high <= 1.0:
        return np.rint(array * 255.0).astype(np.uint8)
    if low >= 0.0 and high <= 255.0 and (is_whole or high > _LOWEST_PEAK):
        return np.rint(array).astype(np.uint8)
    raise DcrnetError(
        f"the picture is {_told(array)} with values from {low:.4g} to {high:.4g}, neither of 0 to"
        " 1 nor of 0 to 255: give np.clip(image, 0, 255).astype(np.uint8) of its own scale"
    )


def _three_channels(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = codes[..., None] if codes.ndim == 2 else codes
    return np.repeat(grey, 3, axis=2) if grey.shape[2] == 1 else grey


def _told(array: NDArray[Any]) -> str:
    return f"a {array.dtype} array of shape {array.shape}"


def _of_batch(array: NDArray[Any]) -> str:
    return "; several go one by one" if array.ndim == 4 else ""
