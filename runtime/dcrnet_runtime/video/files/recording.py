"""Whether a picture file is a recording: several pictures, one after the other in time."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.files.image_size import declared_size
from dcrnet_runtime.video.files.listing import read_signature
from dcrnet_runtime.video.files.signature import Media, Signature
from dcrnet_runtime.video.files.unreadable import unreadable
from dcrnet_runtime.video.images import IMAGE_SUFFIXES

_MULTI_PICTURE = b"MPF\0"  # a camera's second view, preview or gain map behind the photo
_HEADERS = 1 << 16


class FileKind(StrEnum):
    """How a file is read.

    Attributes:
        PHOTO: one picture, by Pillow.
        ANIMATION: an animated GIF, WebP or PNG, by Pillow.
        JPEGS: JPEG pictures in a row.
        VIDEO: by PyAV.
    """

    PHOTO = "photo"
    ANIMATION = "animation"
    JPEGS = "jpegs"
    VIDEO = "video"


def kind_of_file(path: Path) -> FileKind:
    """How a file is read, by its bytes.

    Raises:
        DcrnetError: it cannot be read, or is a text that names other files and addresses.
    """
    try:
        signature = read_signature(path)
        return _kind(path, signature)
    except OSError as error:
        raise DcrnetError(unreadable(path, error)) from error


def _kind(path: Path, signature: Signature) -> FileKind:
    is_named_photo = path.suffix.lower() in IMAGE_SUFFIXES  # said to be no photo when it is read
    match signature.media:
        case Media.PLAYLIST:
            raise DcrnetError(
                f"{path} is a playlist ({signature.format}), which names other files or addresses:"
                " a file never opens another one, name the video itself"
            )
        case Media.VIDEO:
            return FileKind.VIDEO
        case Media.OTHER if signature.format != "AppleDouble" and not is_named_photo:
            return FileKind.VIDEO  # PyAV may know it
        case Media.PICTURE if signature.format == "JPEG":
            return FileKind.JPEGS if _has_successor(path) else FileKind.PHOTO
        case Media.PICTURE if signature.format in ("GIF", "WebP", "PNG"):
            return FileKind.ANIMATION if _is_animated(path) else FileKind.PHOTO
    return FileKind.PHOTO


def _is_animated(path: Path) -> bool:
    from dcrnet_runtime.video.captures.animation import is_animated
    from dcrnet_runtime.video.images import read_content

    try:
        return is_animated(read_content(path), str(path))
    except DcrnetError:
        return False  # said when it is read as a photo


def _has_successor(path: Path) -> bool:
    """Whether a JPEG of the same size begins where the first one ends."""
    from dcrnet_runtime.video.capture import CaptureFacts
    from dcrnet_runtime.video.captures.jpegs import JpegCapture

    facts = CaptureFacts(str(path), is_live=False, is_endless=False)
    with path.open("rb") as file:
        if _MULTI_PICTURE in file.read(_HEADERS):
            return False
        file.seek(0)
        pictures = JpegCapture(facts, file.read)
        try:
            first = pictures.next_picture()
            if first is None or pictures.ahead(3) != b"\xff\xd8\xff":
                return False
            second = pictures.next_picture()
        except DcrnetError:
            return False
    return second is not None and declared_size(first) == declared_size(second) is not None
