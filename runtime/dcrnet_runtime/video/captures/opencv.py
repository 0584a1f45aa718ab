"""Local cameras, read by OpenCV."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureFacts, CaptureRequest
from dcrnet_runtime.video.captures.jpeg_warnings import JpegWarnings
from dcrnet_runtime.video.images import MAX_PIXELS
from dcrnet_runtime.video.kind import Source

_SLOW_FPS = 10.0
_JPEG_FORMATS = ("MJPG", "JPEG")
_LOG_LEVEL, _SILENT = "OPENCV_LOG_LEVEL", 0
_log = logging.getLogger(__name__)

# FFmpeg within OpenCV, which reads this when it opens something for the first time.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class OpenCVCapture:
    """A camera that OpenCV can open.

    Args:
        source: for people.
        capture: OpenCV's own.

    Raises:
        DcrnetError: it cannot be opened, or its frames are absurdly large.
    """

    def __init__(self, source: Source, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        try:
            if not self._capture.isOpened():
                raise DcrnetError(source.unreadable)
            self.facts = self._facts(source)
            width, height = self.facts.size
            if width * height > MAX_PIXELS:
                raise DcrnetError(
                    f"{source.name} has frames of {width}x{height} px:"
                    f" at most {MAX_PIXELS / 1e6:.0f} megapixels are read, scale it down"
                )
        except DcrnetError:
            self._capture.release()
            raise
        is_jpeg = _format_of(capture) in _JPEG_FORMATS
        self._warnings = JpegWarnings(source.name) if is_jpeg else None

    def _facts(self, source: Source) -> CaptureFacts:
        get = self._capture.get
        fps = get(cv2.CAP_PROP_FPS)
        return CaptureFacts(
            name=source.name,
            is_live=True,
            is_endless=True,
            size=(int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))),
            fps=fps if 0 < fps <= 1000 else 0.0,
        )

    def grab(self) -> bool:
        return bool(self._capture.grab())

    def retrieve(self) -> NDArray[np.uint8] | None:
        try:
            with self._decoding():
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
        return None

    def close(self) -> None:
        self._capture.release()
        if self._warnings is not None:
            self._warnings.close()

    def _decoding(self) -> AbstractContextManager[None]:
        return nullcontext() if self._warnings is None else self._warnings.kept()


def open_camera(source: Source, request: CaptureRequest) -> OpenCVCapture:
    """A camera, set to what is asked for; a read of it ends after 10 s in OpenCV.

    Raises:
        DcrnetError: it cannot be opened, or the pixel format that is asked for is none.
    """
    address = source.address
    code = None if request.pixel_format is None else _fourcc(request.pixel_format)
    with _opening():
        capture = cv2.VideoCapture(int(address) if address.isdecimal() else address)
    for field, asked in (
        (cv2.CAP_PROP_FOURCC, code),  # first: it decides which sizes and rates there are
        (cv2.CAP_PROP_FRAME_WIDTH, request.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, request.height),
        (cv2.CAP_PROP_FPS, request.fps),
    ):
        if asked is not None:
            capture.set(field, asked)
    opened = OpenCVCapture(source, capture)
    _judge(opened.facts, _format_of(capture), request.pixel_format)
    return opened


@contextmanager
def _opening() -> Generator[None]:
    """Without what OpenCV logs of each back end that it tries, unless its variable asks for it."""
    if _LOG_LEVEL in os.environ:
        yield
        return
    before = cv2.utils.logging.setLogLevel(_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


def _judge(facts: CaptureFacts, given: str, asked: str | None) -> None:
    """Say what of the pixel format is not as people want it."""
    if asked is not None and given and given.lower() != asked.lower():
        _log.warning("camera %s gives %s, not %s: it has no such format", facts.name, given, asked)
    elif given == "YUYV" and 0 < facts.fps < _SLOW_FPS:
        _log.warning(
            "camera %s gives YUYV, which is not compressed, at %.3g frames a second: ask it for"
            " the pixel format mjpg, or for a smaller size",
            facts.name,
            facts.fps,
        )


def _format_of(capture: cv2.VideoCapture) -> str:
    """The four letters of the pixel format; empty where there are none."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    letters = (max(code, 0) & 0xFFFFFFFF).to_bytes(4, "little")
    return letters.decode("ascii").strip() if letters.isalnum() else ""


def _fourcc(name: str) -> int:
    """A pixel format's code.

    Raises:
        DcrnetError: it has no four letters or digits.
    """
    if len(name) != 4 or not (name.isascii() and name.isalnum()):
        raise DcrnetError(
            f"`pixel_format` {name} is none of a camera's: give four letters, mjpg or yuyv say"
            " (v4l2-ctl --list-formats-ext)"
        )
    return int(cv2.VideoWriter.fourcc(*name.upper()))
