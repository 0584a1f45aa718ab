"""Frames encoded as a video file that browsers play."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from dcrnet_runtime.outfile import unwritable
from dcrnet_runtime.outputs.pictures.video_formats import FORMATS
from dcrnet_runtime.video.frame import DEFAULT_FPS
from dcrnet_runtime.video.images import letterboxed

_TICK_S = Fraction(1, 90_000)
_THREADS = 2  # the others are for the model
_BT601, _LIMITED = 6, 1  # FFmpeg's AVCOL_SPC_SMPTE170M and AVCOL_RANGE_MPEG
_OPTIONS = {
    # What keeps up on a board; docs/outputs.md has the figures.
    "libx264": {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0"},
}


class VideoWriter:
    """Encodes frames as H.264, or VP9 in WebM, each shown at its own time.

    Args:
        path: where to write; its ending is one of ``FORMATS``.
        fps: frames a second, after which the last frame ends; 25 where it is not known.

    Raises:
        DcrnetError: the file cannot be created.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._format = FORMATS[path.suffix.lower()]
        self._fps = fps if 1.0 <= fps <= 240.0 else DEFAULT_FPS
        # AVI has no times: what is not the next frame's is filled in.
        is_even = self._format.is_constant_rate
        self._tick_s = Fraction(1, round(self._fps)) if is_even else _TICK_S
        self._size = (0, 0)
        self._last = -1
        self._stream: VideoStream | None = None
        try:
            # Not by its name: FFmpeg forgets what kept it from writing.
            self._file = path.open("wb")
        except OSError as error:
            raise unwritable(path, error) from error
        self._container = av.open(self._file, "w", format=self._format.muxer)

    def write(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        """Append an (H, W, 3) RGB frame; the first one sets the size, others are fitted in.

        Odd sizes grow by a pixel, which H.264 needs.

        Args:
            rgb: the frame.
            time_s: when it is shown, from the video's start; later than the one before.

        Raises:
            OSError: the file cannot be written.
        """
        if self._stream is None:
            self._size = rgb.shape[1], rgb.shape[0]
            self._stream = self._begin()
        width, height = self._size
        rgb = letterboxed(rgb, width, height)
        if width % 2 or height % 2:
            rgb = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU601")
        self._last = max(self._last + 1, round(time_s / self._tick_s))
        frame.pts, frame.time_base = self._last, self._tick_s
        self._mux(frame)

    def close(self) -> None:
        """Finish the file.

        Raises:
            OSError: it cannot be written.
        """
        try:
            if self._stream is not None:
                self._mux(None)
            self._container.close()
        finally:
            self._file.close()

    def _begin(self) -> VideoStream:
        codec, rate = self._format.codec, Fraction(self._fps).limit_denominator(1001)
        stream = self._container.add_stream(codec, rate=rate)
        assert isinstance(stream, VideoStream)  # both codecs are for video
        stream.width, stream.height = (side + side % 2 for side in self._size)
        stream.pix_fmt = "yuv420p"
        stream.options = dict(_OPTIONS[codec])
        context = stream.codec_context
        context.time_base = self._tick_s
        context.thread_count = _THREADS
        context.colorspace, context.color_range = _BT601, _LIMITED
        return stream

    def _mux(self, frame: av.VideoFrame | None) -> None:
        assert self._stream is not None
        for packet in self._stream.encode(frame):
            # Of the last one; the others end where the next begins.
            packet.duration = max(1, round(1 / self._fps / packet.time_base))
            self._container.mux(packet)
