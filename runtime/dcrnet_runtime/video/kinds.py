"""The kinds of source that come with the package; each reader is loaded when one is opened."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.redaction import redacted
from dcrnet_runtime.video.capture import Capture, CaptureRequest
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.files.listing import Listing, listing_of, matches
from dcrnet_runtime.video.files.recording import FileKind, kind_of_file
from dcrnet_runtime.video.files.unreadable import unreadable
from dcrnet_runtime.video.frame import DEFAULT_FPS
from dcrnet_runtime.video.kind import Source, SourceKind, with_pyav

_NO_PICTURE = "{name} is no image or video that can be decoded: convert it to MP4"


def _is_camera(address: str) -> bool:
    """A number, or a device; also by a link of udev's, which stays with its camera."""
    if address.isdecimal() and len(address) < 4:
        return True
    return address.startswith("/dev/") and Path(os.path.realpath(address)).name.startswith("video")


def _is_file(address: str) -> bool:
    """A file, whose name can be written in answers.

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


def _is_file_of(*kinds: FileKind) -> Callable[[str], bool]:
    return lambda address: _is_file(address) and kind_of_file(Path(address)) in kinds


def _is_folder(address: str) -> bool:
    return bool(address) and os.path.isdir(address)  # noqa: PTH112


def _is_pattern(address: str) -> bool:
    return glob.has_magic(address) and not os.path.isfile(address)  # noqa: PTH113


def list_folder(address: str) -> Listing:
    """What a folder holds.

    Raises:
        DcrnetError: no photo and no recording, or it cannot be read.
    """
    try:
        return _listed("folder", address, Path(address).iterdir())
    except OSError as error:
        raise DcrnetError(unreadable(address, error, "folder")) from error


def list_pattern(address: str) -> Listing:
    """What a pattern names.

    Raises:
        DcrnetError: no file, or no photo and no recording.
    """
    failures: list[OSError] = []
    found = list(matches(address, failures.append))
    if not found:
        raise DcrnetError(
            f"no file matches {redacted(address)}: name another pattern, a file or a folder"
        )
    listing = _listed("pattern", address, found)
    for error in failures:
        folder = Path(os.fsdecode(error.filename))
        listing.paths.append(folder)
        listing.unreadable[folder] = unreadable(folder, error, "folder")
    return listing


def _listed(kind: str, address: str, candidates: Iterable[Path]) -> Listing:
    listing = listing_of(candidates)
    if not listing.paths:
        skipped = f", but {listing}" if str(listing) else ""
        raise DcrnetError(
            f"{kind} {address} holds no image and no video{skipped}: name another one"
        )
    return listing


def _open_stdin(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    from dcrnet_runtime.video.captures.stdin import open_stdin

    return open_stdin(request)


def _stdin_feed(address: str) -> Feed:
    from dcrnet_runtime.video.captures.stdin import standard_input

    return Feed.RECORDING if standard_input().is_recording else Feed.LIVE


def _open_camera(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    from dcrnet_runtime.video.captures.opencv import open_camera

    return open_camera(source, request)


def _open_stream(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    scheme = source.address.partition("://")[0].lower()
    if scheme in ("http", "https"):
        from dcrnet_runtime.video.captures.web import open_web

        return open_web(source, request, open_s, read_s)
    container = with_pyav(source.name)
    if scheme not in container.PROTOCOLS:
        allowed = ", ".join(("http", "https", *container.PROTOCOLS))
        raise DcrnetError(
            f"stream {source.name} gave no frame: {scheme}:// is not read; {allowed} are, and a"
            " file by its path"
        )
    opened: Capture = container.open_network(source.address, source.name, open_s, read_s)
    return opened


def _open_video(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    opened: Capture = with_pyav(source.name).open_file(source.address, source.name)
    return opened


def _open_animation(
    source: Source, request: CaptureRequest, open_s: float, read_s: float
) -> Capture:
    from dcrnet_runtime.video.captures.animation import AnimationCapture
    from dcrnet_runtime.video.images import read_content

    return AnimationCapture(read_content(Path(source.address)), source.name)


def _open_jpegs(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    from dcrnet_runtime.video.capture import CaptureFacts
    from dcrnet_runtime.video.captures.jpegs import JpegCapture

    fps = request.fps or DEFAULT_FPS
    facts = CaptureFacts(source.name, is_live=False, is_endless=False, fps=fps)
    file = Path(source.address).open("rb")  # noqa: SIM115  (closed with the capture)
    return JpegCapture(facts, file.read, file.close)


def _video_fps(address: str) -> float:
    return float(with_pyav(address).stated_fps(address))


def _alone(address: str) -> tuple[Path, ...]:
    return (Path(address),)


STDIN = SourceKind(
    "stdin",
    Feed.LIVE,
    claims=lambda address: address == "-",
    unreadable="{name} gave no frame: pipe pictures or video into it",
    open=_open_stdin,
    feed_of=_stdin_feed,
    name_of=lambda address: "standard input",
)
CAMERA = SourceKind(
    "camera",
    Feed.LIVE,
    claims=_is_camera,
    unreadable="camera {name} gave no frame: is it plugged in, free, and may this user read it?"
    " (ls /dev/video*) A CSI camera (Raspberry Pi) is read through its own program:"
    " rpicam-vid -t 0 --codec mjpeg -o - | dcrnet-run --source -",
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
    "folder",
    Feed.PHOTOS,
    claims=_is_folder,
    unreadable=_NO_PICTURE,
    files=lambda address: tuple(list_folder(address).paths),
)
PATTERN = SourceKind(
    "glob",
    Feed.PHOTOS,
    claims=_is_pattern,
    unreadable=_NO_PICTURE,
    files=lambda address: tuple(list_pattern(address).paths),
)
IMAGE = SourceKind(
    "image",
    Feed.PHOTO,
    claims=_is_file_of(FileKind.PHOTO),
    unreadable=_NO_PICTURE,
    files=_alone,
)
ANIMATION = SourceKind(
    "animation",
    Feed.RECORDING,
    claims=_is_file_of(FileKind.ANIMATION),
    unreadable=_NO_PICTURE,
    open=_open_animation,
    files=_alone,
)
JPEGS = SourceKind(
    "jpegs",
    Feed.RECORDING,
    claims=_is_file_of(FileKind.JPEGS),
    unreadable=_NO_PICTURE,
    open=_open_jpegs,
    files=_alone,
    stated_fps=lambda address: DEFAULT_FPS,
)
VIDEO = SourceKind(
    "video",
    Feed.RECORDING,
    claims=_is_file_of(FileKind.VIDEO),
    unreadable=_NO_PICTURE,
    open=_open_video,
    files=_alone,
    stated_fps=_video_fps,
)
