"""The kinds of source that come with the package; each reader is loaded when one is opened."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.redaction import redacted
from dcrnet_runtime.video.capture import Capture, CaptureRequest
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.images import IMAGE_SUFFIXES
from dcrnet_runtime.video.kind import Source, SourceKind

_NO_PICTURE = "{name} is no image or video that can be decoded: convert it to MP4"


def _is_camera(address: str) -> bool:
    """A number, or a device; also by a link of udev's, which stays with its camera."""
    if address.isdecimal() and len(address) < 4:
        return True
    return address.startswith("/dev/") and Path(os.path.realpath(address)).name.startswith("video")


def _is_file(address: str) -> bool:
    """A file, whose name OpenCV can take: it crashes on others.

    Raises:
        DcrnetError: the name is not UTF-8.
    """
    if not os.path.isfile(address):  # noqa: PTH113  (pathlib's raises on long names)
        return False
    try:
        address.encode()
    except UnicodeEncodeError as error:
        raise DcrnetError(
            f"source {address!r} has a name that is not UTF-8: rename the file"
        ) from error
    return True


def _is_image(address: str) -> bool:
    if not _is_file(address):
        return False
    import cv2

    return Path(address).suffix.lower() in IMAGE_SUFFIXES or bool(cv2.haveImageReader(address))


def _is_folder(address: str) -> bool:
    return bool(address) and os.path.isdir(address)  # noqa: PTH112


def _is_pattern(address: str) -> bool:
    return glob.has_magic(address) and not os.path.isfile(address)  # noqa: PTH113


def _photos_in_folder(address: str) -> tuple[Path, ...]:
    return _photos(FOLDER, address, list(Path(address).iterdir()))


def _photos_by_pattern(address: str) -> tuple[Path, ...]:
    found = glob.glob(address, recursive=True)  # noqa: PTH207
    if not found:
        raise DcrnetError(
            f"no file matches {redacted(address)}: name another pattern, a file or a folder"
        )
    return _photos(PATTERN, address, [Path(name) for name in found])


def _photos(kind: SourceKind, address: str, candidates: list[Path]) -> tuple[Path, ...]:
    """The image files among them, by name."""
    found = sorted(p for p in candidates if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not found:
        raise DcrnetError(
            f"{kind} {address} holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}): name another"
            " one"
        )
    return tuple(found)


def _open_stdin(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    from dcrnet_runtime.video.captures.jpegs import JpegCapture

    return JpegCapture.standard_input(source.name)


def _open_camera(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    from dcrnet_runtime.video.captures.opencv import open_camera

    return open_camera(source, request)


def _open_stream(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    if source.address.lower().startswith(("http://", "https://")):
        from dcrnet_runtime.video.captures.mjpeg import open_mjpeg

        camera = open_mjpeg(source, read_s)
        if camera is not None:
            return camera
    from dcrnet_runtime.video.captures.opencv import open_stream

    return open_stream(source, open_s, read_s)


def _open_video(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    from dcrnet_runtime.video.captures.opencv import open_video

    return open_video(source)


def _video_fps(address: str) -> float:
    from dcrnet_runtime.video.captures.opencv import stated_fps

    return stated_fps(address)


STDIN = SourceKind(
    "stdin",
    Feed.LIVE,
    claims=lambda address: address == "-",
    unreadable="{name} gave no frame: pipe MJPEG or length-prefixed JPEG into it",
    open=_open_stdin,
    name_of=lambda address: "standard input",
)
CAMERA = SourceKind(
    "camera",
    Feed.LIVE,
    claims=_is_camera,
    unreadable="camera {name} gave no frame: is it plugged in, free, and may this user read it?"
    " (ls /dev/video*)",
    open=_open_camera,
)
STREAM = SourceKind(
    "stream",
    Feed.LIVE,
    claims=lambda address: "://" in address,
    unreadable="stream {name} gave no frame: is the address right and reachable?",
    open=_open_stream,
    name_of=redacted,
)
FOLDER = SourceKind(
    "folder", Feed.PHOTOS, claims=_is_folder, unreadable=_NO_PICTURE, files=_photos_in_folder
)
PATTERN = SourceKind(
    "glob", Feed.PHOTOS, claims=_is_pattern, unreadable=_NO_PICTURE, files=_photos_by_pattern
)
IMAGE = SourceKind(
    "image",
    Feed.PHOTO,
    claims=_is_image,
    unreadable=_NO_PICTURE,
    files=lambda address: (Path(address),),
)
VIDEO = SourceKind(
    "video",
    Feed.RECORDING,
    claims=_is_file,
    unreadable=_NO_PICTURE,
    open=_open_video,
    files=lambda address: (Path(address),),
    stated_fps=_video_fps,
)
