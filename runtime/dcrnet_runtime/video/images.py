"""Image files as arrays."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.video.image_size import declared_size

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
)

MAX_PIXELS = 1 << 26
"""Of a picture. Images that declare more are refused before they are decoded."""

MAX_SIDE_PX = 32_000
"""Of a picture; a side beyond 32,766 px breaks OpenCV's warps."""

MAX_FILE_BYTES = 1 << 28
"""Of an image file."""


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode an image as (H, W, 3) uint8 RGB.

    Grey is replicated, 16 bits are scaled to 8, transparency is ignored, EXIF orientation is
    applied.

    Raises:
        DcrnetError: the file cannot be read or is no image.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DcrnetError(
                f"{path} has more than {MAX_FILE_BYTES >> 20} MB, as no photo has: remove it"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DcrnetError(f"image {path} cannot be read: {error.strerror}") from error
    return decode_image(content, str(path))


def decode_image(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an image's bytes as (H, W, 3) uint8 RGB, like :func:`read_image`.

    Raises:
        DcrnetError: they are no image, or one that declares more than ``MAX_PIXELS``.
    """
    _check_size(content, name)
    bgr = None
    if content:
        try:
            bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error as error:
            if "CV_IO_MAX_IMAGE" in str(error):
                raise _too_large(name) from error
    if bgr is None:
        raise DcrnetError(_undecodable(name))
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def _check_size(content: bytes, name: str) -> None:
    """Refuse by its header what would take gigabytes once it is decoded.

    OpenCV has limits of its own, but reads them when it is imported: whoever imports it before
    this package has none.

    Raises:
        DcrnetError: it is too large, or has a header that OpenCV alone reads and does not limit.
    """
    size = declared_size(content)
    if size is not None:
        if size[0] * size[1] > MAX_PIXELS or max(size) > MAX_SIDE_PX:
            raise _too_large(name)
    elif not _opencv_has_limits():
        raise DcrnetError(
            f"{_undecodable(name)}; other formats than JPEG, PNG, WebP, BMP, TIFF and PNM are read"
            " where dcrnet_runtime is imported before cv2"
        )


@cache
def _opencv_has_limits() -> bool:
    width = MAX_SIDE_PX + 1
    row = np.frombuffer(b"P5 %d 1 255\n" % width + bytes(width), np.uint8)
    try:
        return cv2.imdecode(row, cv2.IMREAD_GRAYSCALE) is None
    except cv2.error:
        return True


def _undecodable(name: str) -> str:
    return f"{name} is no image that can be decoded: convert it to JPEG or PNG, or remove it"


def _too_large(name: str) -> DcrnetError:
    return DcrnetError(
        f"{name} declares more than {MAX_PIXELS / 1e6:.0f} megapixels or a side beyond"
        f" {MAX_SIDE_PX:,} px: scale it down, or remove it"
    )


def write_image(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) RGB in the format that the path's ending names.

    Raises:
        DcrnetError: the file cannot be written, or the ending names no image format.
    """
    with written_beside(path) as beside:
        try:
            is_written = cv2.imwrite(str(beside), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise DcrnetError(f"{path} names no image format: end it in .jpg or .png") from error
        if not is_written:
            raise DcrnetError(f"{path} could not be written: name a writable place with room")


def letterboxed(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The (H, W, 3) picture as large as fits into (height, width, 3), on black."""
    if rgb.shape[:2] == (height, width):
        return rgb
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(
        rgb, size, interpolation=kernel
    )
    return canvas
