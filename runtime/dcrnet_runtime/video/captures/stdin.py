"""Standard input: pictures in a row, or video, told by the first bytes."""

from __future__ import annotations

import os
import select
import stat
from dataclasses import dataclass
from functools import cache

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import Capture, CaptureFacts, CaptureRequest
from dcrnet_runtime.video.captures.animation import AnimationCapture
from dcrnet_runtime.video.captures.byte_feed import ByteFeed
from dcrnet_runtime.video.captures.jpegs import JpegCapture
from dcrnet_runtime.video.files.signature import HEAD_BYTES, Media, signature_of
from dcrnet_runtime.video.frame import DEFAULT_FPS
from dcrnet_runtime.video.images import MAX_FILE_BYTES
from dcrnet_runtime.video.kind import with_pyav

NAME = "standard input"
_CHUNK = 1 << 16
_SHORT_WAIT_S = 0.01
_LIVE_WAIT_S = 0.25  # such waits together: whoever writes makes pictures at a pace of its own
_MOST_AHEAD = 1 << 24
_FIRST_BYTE_S = 15.0
_WANTED = (
    "MJPEG, JPEG behind its length as 4 big-endian bytes, PNG, H.264, H.265, MPEG-TS, Matroska or"
    " another container; of raw video `pixel_format`, `width` and `height` have to be given"
)


@dataclass(frozen=True, slots=True)
class StandardInput:
    """What was read ahead of standard input.

    Attributes:
        is_recording: whether whoever writes is always ahead, as one who copies a file is.
        begun: the bytes that were read.
    """

    is_recording: bool
    begun: bytes


@cache  # there is one, and what is read of it is read
def standard_input() -> StandardInput:
    """Whether standard input is a recording: a file, or a pipe that never makes its reader wait.

    A camera's pipe does: between two pictures nothing comes.
    """
    if stat.S_ISREG(os.fstat(0).st_mode):
        return StandardInput(is_recording=True, begun=b"")
    begun, waited_s = bytearray(), 0.0
    if not select.select([0], [], [], _FIRST_BYTE_S)[0]:
        return StandardInput(is_recording=False, begun=b"")
    while waited_s < _LIVE_WAIT_S and len(begun) < _MOST_AHEAD:
        if not select.select([0], [], [], _SHORT_WAIT_S)[0]:
            waited_s += _SHORT_WAIT_S
            continue
        chunk = os.read(0, _CHUNK)
        if not chunk:
            return StandardInput(is_recording=True, begun=bytes(begun))
        begun += chunk
    return StandardInput(is_recording=waited_s < _LIVE_WAIT_S, begun=bytes(begun))


def open_stdin(request: CaptureRequest) -> Capture:
    """Read from the descriptor: ``sys.stdin`` waits under a lock that no exit can pass.

    Raises:
        DcrnetError: it is none of what is read.
    """
    ahead = standard_input()
    feed = ByteFeed(lambda size: os.read(0, size), begun=ahead.begun)
    is_live = not ahead.is_recording
    if request.pixel_format is not None:
        return _raw(feed, request, is_live=is_live)
    head = feed.head()
    signature = signature_of(head)
    facts = CaptureFacts(
        NAME,
        is_live=is_live,
        is_endless=False,
        fps=0.0 if is_live else request.fps or DEFAULT_FPS,
    )
    match signature.media:
        case Media.EMPTY:
            raise DcrnetError(f"{NAME} gave no frame: it was empty; pipe into it {_WANTED}")
        case Media.VIDEO:
            container = with_pyav(NAME)
            demuxer = container.DEMUXERS[signature.format]
            is_rate_open = request.fps is not None and demuxer in container.BARE
            options = {"framerate": f"{request.fps:g}"} if is_rate_open else {}
            return container.open_feed(
                feed, NAME, demuxer, is_live=is_live, is_endless=False, options=options
            )
        case Media.PICTURE if signature.format not in ("JPEG", "PNG"):
            return AnimationCapture(feed.read_all(MAX_FILE_BYTES), NAME)
        case Media.PICTURE:
            return JpegCapture(facts, feed.read)
        case Media.OTHER if head[0] == 0 or _is_multipart(head):
            return JpegCapture(facts, feed.read)
    told = f"{signature.format} is" if signature.format else "its first bytes are"
    raise DcrnetError(f"{NAME} gave no frame: {told} not read; pipe into it {_WANTED}")


def _raw(feed: ByteFeed, request: CaptureRequest, *, is_live: bool) -> Capture:
    """Video without any header.

    Raises:
        DcrnetError: its size is not given.
    """
    if request.width is None or request.height is None:
        raise DcrnetError(
            f"{NAME}: raw video ({request.pixel_format}) states no size: give `width` and `height`"
        )
    options = {
        "pixel_format": str(request.pixel_format),
        "video_size": f"{request.width}x{request.height}",
        "framerate": f"{request.fps or DEFAULT_FPS:g}",
    }
    container = with_pyav(NAME)
    return container.open_feed(
        feed, NAME, "rawvideo", is_live=is_live, is_endless=False, options=options
    )


def _is_multipart(head: bytes) -> bool:
    return head.startswith((b"--", b"\r\n--")) or b"\xff\xd8\xff" in head[:HEAD_BYTES]
