"""Where frames come from: images, folders, video files, streams and cameras."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
)


class SourceKind(StrEnum):
    """What ``--source`` was given."""

    CAMERA = "camera"
    STREAM = "stream"
    IMAGE = "image"
    FOLDER = "folder"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Source:
    """A place that frames come from.

    Attributes:
        kind: how it is read.
        address: camera index, URL or path, as given.
    """

    kind: SourceKind
    address: str

    @classmethod
    def parse(cls, address: str) -> Source:
        """Tell what ``address`` is: a number is a camera, ``x://`` a stream, else a path.

        Raises:
            DcrnetError: the path is no file or folder, or its name is not UTF-8.
        """
        if address.isdecimal() and len(address) < 4:
            return cls(SourceKind.CAMERA, address)
        if "://" in address:
            return cls(SourceKind.STREAM, address)
        path = Path(address)
        if address and os.path.isdir(path):  # noqa: PTH112  (pathlib's raises on long names)
            return cls(SourceKind.FOLDER, address)
        if not os.path.isfile(path):  # noqa: PTH113
            raise DcrnetError(
                f"source {address!r} does not exist or is no file: give a camera number, a file, a"
                " folder or a URL"
            )
        try:
            address.encode()
        except UnicodeEncodeError as error:  # OpenCV crashes on such a name
            raise DcrnetError(
                f"source {address!r} has a name that is not UTF-8: rename the file"
            ) from error
        is_image = path.suffix.lower() in IMAGE_SUFFIXES or cv2.haveImageReader(address)
        return cls(SourceKind.IMAGE if is_image else SourceKind.VIDEO, address)

    @property
    def is_still(self) -> bool:
        """Whether its frames are photos that have nothing to do with each other."""
        return self.kind in (SourceKind.IMAGE, SourceKind.FOLDER)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        rgb: (H, W, 3) uint8 RGB.
        index: from 0.
        time_s: position in a video file, else seconds since the source was opened.
        name: file name of a photo, else the source's address.
    """

    rgb: NDArray[np.uint8]
    index: int
    time_s: float
    name: str


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode an image as (H, W, 3) uint8 RGB.

    Grey is replicated, 16 bits are scaled to 8, transparency is ignored, EXIF orientation is
    applied.

    Raises:
        DcrnetError: the file cannot be read or is no image.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DcrnetError(f"image {path} cannot be read: {error.strerror}") from error
    bgr = None
    if content.size:
        try:
            bgr = cv2.imdecode(content, cv2.IMREAD_COLOR)
        except cv2.error:  # absurd dimensions
            bgr = None
    if bgr is None:
        raise DcrnetError(
            f"{path} is no image that can be decoded: convert it to JPEG or PNG, or remove it"
        )
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def photos(source: Source) -> list[Path]:
    """The image files of a photo or of a folder, by name.

    Raises:
        DcrnetError: a folder without images.
    """
    path = Path(source.address)
    if source.kind is SourceKind.IMAGE:
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not found:
        raise DcrnetError(
            f"folder {path} holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}): name another one"
        )
    return found


def video_frames(source: Source) -> Generator[Frame, None, None]:
    """The frames of a video file, a stream or a camera, until it ends.

    Raises:
        DcrnetError: it cannot be opened, or not one frame could be read.
    """
    is_camera = source.kind is SourceKind.CAMERA
    capture = cv2.VideoCapture(int(source.address) if is_camera else source.address)
    started = time.monotonic()
    index = 0
    try:
        while capture.isOpened():
            is_read, bgr = capture.read()
            if not is_read:
                break
            if source.kind is SourceKind.VIDEO:
                time_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            else:
                time_s = time.monotonic() - started
            yield Frame(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), index, time_s, source.address)
            index += 1
    finally:
        capture.release()
    if index == 0:
        raise DcrnetError(_unreadable(source))


def video_fps(source: Source) -> float:
    """Frames a second that a video file states; 0 where nothing is stated."""
    if source.kind is not SourceKind.VIDEO:
        return 0.0
    capture = cv2.VideoCapture(source.address)
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    capture.release()
    return fps


def _unreadable(source: Source) -> str:
    match source.kind:
        case SourceKind.CAMERA:
            return (
                f"camera {source.address} gave no frame: is it plugged in, free, and may this user"
                " read it? (ls /dev/video*)"
            )
        case SourceKind.STREAM:
            return f"stream {source.address} gave no frame: is the address right and reachable?"
        case _:
            return f"{source.address} is no image or video that can be decoded: convert it to MP4"
