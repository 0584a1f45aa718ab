"""Where frames come from: photos, and the addresses of videos, streams and cameras."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import IMAGE_SUFFIXES


class SourceKind(StrEnum):
    """What ``--source`` was given."""

    CAMERA = "camera"
    STREAM = "stream"
    STDIN = "stdin"
    IMAGE = "image"
    FOLDER = "folder"
    GLOB = "glob"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Source:
    """A place that frames come from.

    Attributes:
        kind: how it is read.
        address: camera index or device path, URL, path, pattern or ``-``, as given.
    """

    kind: SourceKind
    address: str

    @classmethod
    def parse(cls, address: str) -> Source:
        """Tell what ``address`` is.

        A number or a path below ``/dev`` that ends in a video device is a camera, ``x://`` a
        stream, ``-`` standard input, and what is no path but has ``*``, ``?`` or ``[`` in it a
        pattern.

        Raises:
            DcrnetError: the path is no file or folder, or its name is not UTF-8.
        """
        if address == "-":
            return cls(SourceKind.STDIN, address)
        if (address.isdecimal() and len(address) < 4) or _is_camera_path(address):
            return cls(SourceKind.CAMERA, address)
        if "://" in address:
            return cls(SourceKind.STREAM, address)
        path = Path(address)
        if address and os.path.isdir(path):  # noqa: PTH112  (pathlib's raises on long names)
            return cls(SourceKind.FOLDER, address)
        if not os.path.isfile(path):  # noqa: PTH113
            if glob.has_magic(address):
                return cls(SourceKind.GLOB, address)
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
    def name(self) -> str:
        """For people and outputs: the address, without the password that it may hold."""
        if self.kind is SourceKind.STDIN:
            return "standard input"
        scheme, sign, rest = self.address.partition("://")
        if self.kind is not SourceKind.STREAM or "@" not in rest:
            return self.address
        host, slash, path = rest.partition("/")
        return f"{scheme}{sign}{host.rpartition('@')[2]}{slash}{path}"

    @property
    def is_still(self) -> bool:
        """Whether its frames are photos that have nothing to do with each other."""
        return self.kind in (SourceKind.IMAGE, SourceKind.FOLDER, SourceKind.GLOB)


def _is_camera_path(address: str) -> bool:
    """Also by a link of udev's, which is named after the camera and stays with it."""
    return address.startswith("/dev/") and Path(os.path.realpath(address)).name.startswith("video")


def photos(source: Source) -> list[Path]:
    """The image files of a photo, a folder or a pattern, by name.

    Raises:
        DcrnetError: there is none.
    """
    path = Path(source.address)
    if source.kind is SourceKind.IMAGE:
        return [path]
    if source.kind is SourceKind.GLOB:
        candidates = [Path(name) for name in glob.glob(source.address, recursive=True)]  # noqa: PTH207
    else:
        candidates = list(path.iterdir())
    found = sorted(p for p in candidates if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not found:
        raise DcrnetError(
            f"{source.kind} {source.address} holds no image"
            f" ({', '.join(sorted(IMAGE_SUFFIXES))}): name another one"
        )
    return found


def video_fps(source: Source) -> float:
    """Frames a second that a video file states; 0 where nothing is stated."""
    if source.kind is not SourceKind.VIDEO:
        return 0.0
    capture = cv2.VideoCapture(source.address)
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    capture.release()
    return fps
