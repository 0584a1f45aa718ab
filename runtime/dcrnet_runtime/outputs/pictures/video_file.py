"""Annotated video in a file."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import cv2

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outfile import PendingFile
from dcrnet_runtime.outputs.pictures.annotation import FaceBlur, annotated
from dcrnet_runtime.outputs.pictures.video_writer import VIDEO_SUFFIXES, VideoWriter
from dcrnet_runtime.video.frame import DEFAULT_FPS

_LONGEST_STILL_S = 1.0
_ROOM_BYTES = 8_000_000
_INDEX_BYTES = 64  # a frame; MP4's index is written at the end


class VideoFile:
    """An annotated video, which is playable when it is there.

    A recording's frames follow one another. A live source's are placed by their time, so that
    the video plays as fast as it happened; a gap of more than a second is cut.

    Args:
        path: ends in one of ``VIDEO_SUFFIXES``.
        fps: frames a second; 0 for 25.
        is_live: whether frames are placed by their time.
        blur_faces: whether faces are made unrecognisable.

    Raises:
        DcrnetError: the ending names no video, or the place cannot be written.
    """

    name = "video"
    takes_pixels = True

    def __init__(self, path: Path, *, fps: float, is_live: bool, blur_faces: bool) -> None:
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            raise DcrnetError(
                f"`save` {path} names no video: end it in {', '.join(sorted(VIDEO_SUFFIXES))}"
            )
        self._pending = PendingFile(path)
        self._fps = fps or DEFAULT_FPS
        self._writer = VideoWriter(self._pending.beside, self._fps)
        self._blur = FaceBlur() if blur_faces else None
        self._is_live = is_live
        self._start_s = -math.inf
        self._frames = 0

    def write(self, observation: Observation, unix_s: float) -> None:
        """Append the frame.

        Raises:
            DcrnetError: the disk is nearly full; what is there can still be finished.
        """
        free = shutil.disk_usage(self._pending.beside.parent).free
        if free < _ROOM_BYTES + _INDEX_BYTES * self._frames:
            raise DcrnetError(
                f"the disk of {self._pending.path} is full: the video ends there; make room"
            )
        frame = observation.frame
        if self._blur is not None:
            self._blur.note(observation)
        picture = annotated(observation, self._blur)
        for _ in range(self._copies(frame.time_s)):
            self._writer.write(picture)
            self._frames += 1

    def close(self, *, is_whole: bool) -> None:
        """Finish the file, and keep it if all its frames are there.

        Raises:
            DcrnetError: they are not; the file has been removed.
        """
        self._writer.close()
        try:
            if self._frames == 0:
                return
            if _frames_in(self._pending.beside) < self._frames:
                raise DcrnetError(
                    f"{self._pending.path} could not be finished and was removed: make room"
                )
            self._pending.keep()
        finally:
            self._pending.discard()

    def _copies(self, time_s: float) -> int:
        """How often a frame is written to bring the video up to its time."""
        if not self._is_live:
            return 1
        lag_s = time_s - (self._start_s + self._frames / self._fps)
        if not 0 <= lag_s + 1 / self._fps <= _LONGEST_STILL_S:
            self._start_s = time_s - self._frames / self._fps
            lag_s = 0.0
        return math.floor(lag_s * self._fps + 1.0)


def _frames_in(path: Path) -> int:
    """Frames that the finished file says it has; 0 for one that cannot be read."""
    capture = cv2.VideoCapture(str(path))
    try:
        return int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    finally:
        capture.release()
