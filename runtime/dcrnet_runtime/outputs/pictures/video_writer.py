"""Frames encoded as a video file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.frame import DEFAULT_FPS
from dcrnet_runtime.video.images import letterboxed

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi"})
"""Endings that :class:`VideoWriter` can write."""


class VideoWriter:
    """Encodes frames as MPEG-4 Part 2, which OpenCV's wheels can always write.

    Args:
        path: where to write; its ending is one of ``VIDEO_SUFFIXES``.
        fps: frames a second; 25 where it is not known.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps if 1.0 <= fps <= 240.0 else DEFAULT_FPS
        self._size = (0, 0)
        self._writer: cv2.VideoWriter | None = None

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Append an (H, W, 3) RGB frame; the first one sets the size, others are fitted in.

        Raises:
            DcrnetError: the file cannot be created.
        """
        if self._writer is None:
            height, width = rgb.shape[:2]
            self._size = width, height
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), code, self._fps, (width, height))
            if not self._writer.isOpened():
                raise DcrnetError(
                    f"no video could be created at {self._path}: name a writable place with room"
                )
        # OpenCV drops a frame of another size without a word.
        self._writer.write(cv2.cvtColor(letterboxed(rgb, *self._size), cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
