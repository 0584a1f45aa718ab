"""Image files as arrays, decoded by Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command, package_command
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.video.files.image_size import declared_size
from dcrnet_runtime.video.files.signature import HEAD_BYTES, Media, Signature, signature_of
from dcrnet_runtime.video.files.unreadable import unreadable

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
)

MAX_PIXELS = 1 << 26
"""Of a picture that is decoded. Images that declare more are refused before they are decoded, or,
where a photo is a JPEG, decoded at a part of their size."""

MAX_SIDE_PX = 32_000
"""Of a picture; a side beyond 32,766 px breaks OpenCV's warps."""

MAX_FILE_BYTES = 1 << 28
"""Of an image file."""

# Named one by one and called without Image.open, so that no other reader of Pillow's is loaded,
# and none refuses a size that is read at a part of it here.
_READERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "PNM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pillow_heif", "HeifImageFile"),
}
# Pixels leave Pillow in pieces of so many bytes, which are then joined: a frame of 640x360 px is
# one piece, not eleven, which saves 0.1 ms.
_PIECE_BYTES = 1 << 20
_ORIENTATION, _SUBFILE_TYPE, _DNG_VERSION = 274, 254, 50706  # tags of TIFF's and EXIF's


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo.

    Attributes:
        rgb: (H, W, 3) uint8 RGB, upright.
        scale: how many of the photo's own pixels a side of one in ``rgb`` is: 1, 2, 4 or 8.
        is_too_large: whether it could not have been decoded at its own size.
    """

    rgb: NDArray[np.uint8]
    scale: int = 1
    is_too_large: bool = False


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode an image as (H, W, 3) uint8 RGB.

    Its bytes tell the format: JPEG, PNG, WebP, BMP, TIFF, PNM, AVIF, the first picture of a GIF,
    and HEIC where pillow-heif is installed. Grey is replicated, 16 bits are scaled to 8,
    transparency is ignored, the orientation that the file states is applied.

    Raises:
        DcrnetError: the file cannot be read, is no whole image, or has more than ``MAX_PIXELS``.
    """
    return decode_image(read_content(path), str(path))


def read_photo(path: Path, enough_px: int | None = None) -> Photo:
    """Like :func:`read_image`, but a JPEG of more than ``MAX_PIXELS`` is decoded scaled down.

    Args:
        path: of the photo.
        enough_px: a JPEG is decoded at the least of its half, quarter and eighth whose longer
            side still has so many; None for its own size.

    Raises:
        DcrnetError: like :func:`read_image`.
    """
    return decode_photo(read_content(path), str(path), enough_px)


def read_content(path: Path) -> bytes:
    """An image file's bytes.

    Raises:
        DcrnetError: it cannot be read, or is larger than any photo.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DcrnetError(
                f"{path} has more than {MAX_FILE_BYTES >> 20} MB, as no photo has: remove it"
            )
        return path.read_bytes()
    except OSError as error:
        raise DcrnetError(unreadable(path, error, "image")) from error


def decode_image(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an image's bytes as (H, W, 3) uint8 RGB, like :func:`read_image`.

    Raises:
        DcrnetError: they are no image, or one that declares more than ``MAX_PIXELS``.
    """
    return decode_frame(content, name).copy()


def decode_frame(content: bytes, name: str) -> NDArray[np.uint8]:
    """Like :func:`decode_image`, an array that must not be written to: a copy less.

    Raises:
        DcrnetError: like :func:`decode_image`.
    """
    return upright_rgb(open_image(content, name), name)


def decode_photo(content: bytes, name: str, enough_px: int | None = None) -> Photo:
    """Decode a photo's bytes, like :func:`read_photo`.

    Raises:
        DcrnetError: like :func:`read_image`.
    """
    image = open_image(content, name, may_scale=True)
    least = _divisor(image)
    divisor = least if enough_px is None else max(least, _ample_divisor(image, enough_px))
    if divisor > 1:
        image.draft(image.mode, (image.size[0] // divisor, image.size[1] // divisor))
    return Photo(upright_rgb(image, name).copy(), divisor, is_too_large=least > 1)


def open_image(content: bytes, name: str, *, may_scale: bool = False) -> ImageFile:
    """An image of a format that is read, of which nothing but the header is decoded yet.

    Args:
        content: its bytes.
        name: for people.
        may_scale: whether a JPEG may be larger than ``MAX_PIXELS``.

    Raises:
        DcrnetError: it is none, or too large.
    """
    size = declared_size(content)
    signature = signature_of(content[:HEAD_BYTES])
    if size is not None and not (may_scale and signature.format == "JPEG"):
        check_size(size, name)  # before it is opened, since some readers make room then
    reader = _reader(signature, name, content[:HEAD_BYTES])
    try:
        image: ImageFile = reader(BytesIO(content))
        is_raw = signature.format == "TIFF" and _is_raw(image)
    except Exception as error:  # whatever a parser meets in hostile bytes
        raise DcrnetError(_undecodable(name, signature.format, error)) from error
    if is_raw:
        raise DcrnetError(
            f"{name} is a camera's raw file, of which only the thumbnail could be read: develop"
            " it to JPEG"
        )
    return image


def upright_rgb(image: ImageFile, name: str) -> NDArray[np.uint8]:
    """The present picture of an opened image, (H, W, 3) uint8 RGB, turned as it states.

    It may not be writable.

    Raises:
        DcrnetError: it is broken, or too large.
    """
    from PIL import ImageOps

    check_size(image.size, name)
    try:
        image.load()
        is_turned = image.getexif().get(_ORIENTATION, 1) != 1
        return _codes(ImageOps.exif_transpose(image) if is_turned else image)
    except MemoryError as error:
        raise DcrnetError(f"{name} needs more memory than there is: scale it down") from error
    except Exception as error:  # whatever a decoder meets in hostile bytes
        raise DcrnetError(_undecodable(name, image.format or "", error)) from error


def check_size(size: tuple[int, int], name: str) -> None:
    """Refuse what would take gigabytes once it is decoded.

    Raises:
        DcrnetError: (width, height) is too large.
    """
    if size[0] * size[1] > MAX_PIXELS or max(size) > MAX_SIDE_PX:
        raise DcrnetError(
            f"{name} declares more than {MAX_PIXELS / 1e6:.0f} megapixels or a side beyond"
            f" {MAX_SIDE_PX:,} px: scale it down, or remove it"
        )


def _reader(signature: Signature, name: str, head: bytes) -> Any:
    """What opens an image of a format.

    Raises:
        DcrnetError: it is none that is read, or its reader is not installed.
    """
    if signature.media is Media.UNREAD:
        raise DcrnetError(f"{name} is {signature.format}, which is not read: convert it to JPEG")
    if signature.media is Media.EMPTY:
        raise DcrnetError(f"{name} is no image that can be decoded, since it is empty: remove it")
    if signature.format not in _READERS:
        raise DcrnetError(
            f"{name} is no image that can be decoded, since {_content_of(signature, head)}: copy"
            " the image there again, or remove the file"
        )
    return _loaded_reader(signature.format, name)


def _loaded_reader(format: str, name: str) -> Any:
    try:
        return _load_reader(format)
    except ImportError as error:
        remedy = extra_command("heic") if format == "HEIC" else package_command("pillow>=11.3")
        raise DcrnetError(
            f"{name} is {format}, whose reader is not installed: {remedy}, or convert it to JPEG"
        ) from error


@cache
def _load_reader(format: str) -> Any:
    """A reader's class.

    Raises:
        ImportError: Pillow was built without it, or its package is missing.
    """
    from PIL import ImageFile

    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, _PIECE_BYTES)  # of the process, as Pillow has it
    module, name = _READERS[format]
    if format == "AVIF":
        from PIL import features

        if not features.check("avif"):
            raise ImportError("this Pillow was built without AVIF")
    return getattr(import_module(module), name)


def _divisor(image: ImageFile) -> int:
    """At which part of its size an image is to be decoded; 1 where it cannot be scaled so.

    A progressive JPEG is held whole as coefficients, whatever it is scaled to.
    """
    if image.format != "JPEG" or "progressive" in image.info:
        return 1
    width, height = image.size
    for divisor in (1, 2, 4):
        if width * height <= MAX_PIXELS * divisor**2 and max(width, height) <= (
            MAX_SIDE_PX * divisor
        ):
            return divisor
    return 8


def _ample_divisor(image: ImageFile, enough_px: int) -> int:
    """At which part of its size a JPEG may be decoded that is then still as large as is enough."""
    if image.format != "JPEG":
        return 1
    return next((d for d in (8, 4, 2) if max(image.size) >= enough_px * d), 1)


def _is_raw(image: ImageFile) -> bool:
    """Whether a TIFF is a camera's, whose first picture is a thumbnail."""
    tags = getattr(image, "tag_v2", {})
    return _DNG_VERSION in tags or bool(int(tags.get(_SUBFILE_TYPE, 0)) & 1)


def _codes(image: Any) -> NDArray[np.uint8]:
    """Decoded pixels as (H, W, 3) uint8 RGB.

    Raises:
        ValueError: they are no colours.
    """
    if image.mode == "F":
        raise ValueError("floating-point numbers are no colours")
    if image.mode.startswith("I"):  # 16 bits of grey
        grey = np.asarray(image)
        codes = np.clip(grey >> 8, 0, 255).astype(np.uint8)
        return np.repeat(codes[:, :, None], 3, axis=2)
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    return np.frombuffer(rgb.tobytes(), np.uint8).reshape(rgb.height, rgb.width, 3)


def _undecodable(name: str, format: str, error: Exception) -> str:
    """What is said of a file that begins as an image of a format that is read."""
    told = f"{name} is no image that can be decoded"
    if "truncated" in str(error).lower():
        return f"{told}, since it is cut off: copy it again"
    return (
        f"{told}, since it is damaged or a rare kind of {format}: copy it again, or convert it to"
        " JPEG or PNG"
    )


def _content_of(signature: Signature, head: bytes) -> str:
    """What a file holds that begins as no image does."""
    if signature.format:
        return f"it holds {signature.format}"
    is_text = all(byte >= 0x20 or byte in b"\t\n\f\r" for byte in head)
    return "it holds text" if is_text else "it begins as no image does"


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
