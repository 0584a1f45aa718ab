"""Cameras, video files and network streams, read by OpenCV."""

from __future__ import annotations

import logging
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command
from dcrnet_runtime.video.capture import CaptureFacts, CaptureRequest
from dcrnet_runtime.video.images import MAX_PIXELS
from dcrnet_runtime.video.kind import Source

_PACED = ("rtsp://", "rtsps://", "rtmp://", "udp://", "rtp://", "srt://")
FOLLOWS_SIZES = tuple(map(int, cv2.__version__.split(".")[:2])) >= (4, 13)
"""Whether OpenCV notices that a stream's frames have another size than the first one; before
4.13 it then repeats or mixes old pictures (its issue 27116), which nothing tells from new ones."""
_log = logging.getLogger(__name__)


class OpenCVCapture:
    """A source that OpenCV can open.

    Args:
        source: for people.
        capture: OpenCV's own.
        is_recording: whether it is a file, which waits and ends.

    Raises:
        DcrnetError: it cannot be opened, or its frames are absurdly large.
    """

    def __init__(
        self, source: Source, capture: cv2.VideoCapture, *, is_recording: bool = False
    ) -> None:
        self._capture = capture
        try:
            if not self._capture.isOpened():
                raise DcrnetError(source.unreadable)
            self.facts = self._facts(source, is_recording)
            width, height = self.facts.size
            if width * height > MAX_PIXELS:
                raise DcrnetError(
                    f"{source.name} has frames of {width}x{height} px:"
                    f" at most {MAX_PIXELS / 1e6:.0f} megapixels are read, scale it down"
                )
        except DcrnetError:
            self._capture.release()
            raise

    def _facts(self, source: Source, is_recording: bool) -> CaptureFacts:
        get = self._capture.get
        count = max(0, int(get(cv2.CAP_PROP_FRAME_COUNT)))
        is_paced = source.address.lower().startswith(_PACED)
        is_live = not is_recording and (is_paced or count == 0)
        fps = get(cv2.CAP_PROP_FPS)
        return CaptureFacts(
            name=source.name,
            is_live=is_live,
            is_endless=is_live,
            size=(int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))),
            fps=fps if 0 < fps <= 1000 else 0.0,
            frame_count=0 if is_live else count,
        )

    def grab(self) -> bool:
        return bool(self._capture.grab())

    def retrieve(self) -> NDArray[np.uint8] | None:
        try:
            is_whole, pixels = self._capture.retrieve()
            if not is_whole or pixels is None or pixels.size == 0:
                return None
            if pixels.dtype == np.uint16:  # depth and thermal cameras
                pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
            is_grey = pixels.ndim == 2 or pixels.shape[2] == 1
            return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB if is_grey else cv2.COLOR_BGR2RGB)
        except cv2.error:
            return None

    def position_s(self) -> float | None:
        if self.facts.is_live:
            return None
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    def close(self) -> None:
        self._capture.release()


def open_camera(source: Source, request: CaptureRequest) -> OpenCVCapture:
    """A camera, set to what is asked for; a read of it ends after 10 s in OpenCV.

    Raises:
        DcrnetError: it cannot be opened.
    """
    address = source.address
    capture = cv2.VideoCapture(int(address) if address.isdecimal() else address)
    for field, asked in (
        (cv2.CAP_PROP_FRAME_WIDTH, request.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, request.height),
        (cv2.CAP_PROP_FPS, request.fps),
    ):
        if asked is not None:
            capture.set(field, asked)
    return OpenCVCapture(source, capture)


def open_stream(source: Source, open_s: float, read_s: float) -> OpenCVCapture:
    """A network stream, or a file by a URL.

    Args:
        source: which.
        open_s: time to open it, 0 for OpenCV's own limit.
        read_s: time for each read, likewise.

    Raises:
        DcrnetError: it cannot be opened.
    """
    limits: list[int] = []
    for field, seconds in (
        (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_s),
        (cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_s),
    ):
        limits += [field, round(1000 * seconds)] if seconds else []
    if not FOLLOWS_SIZES:
        _warn_of_sizes()
    return OpenCVCapture(source, cv2.VideoCapture(source.address, cv2.CAP_FFMPEG, limits))


def open_video(source: Source) -> OpenCVCapture:
    """A video file.

    Raises:
        DcrnetError: it cannot be decoded.
    """
    return OpenCVCapture(source, cv2.VideoCapture(source.address), is_recording=True)


def stated_fps(address: str) -> float:
    """Frames a second that a video file states; 0 where nothing is stated."""
    capture = cv2.VideoCapture(address)
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    capture.release()
    return fps


@cache  # once, not at each reconnect
def _warn_of_sizes() -> None:
    _log.warning(
        "OpenCV %s shows wrong pictures when a network stream changes its frame size: restart"
        " after such a change, or %s",
        cv2.__version__,
        package_command("opencv-python-headless>=4.13,<5"),
    )
