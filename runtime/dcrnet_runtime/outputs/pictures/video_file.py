"""Annotated video in a file."""

from __future__ import annotations

import shutil
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outfile import PendingFile
from dcrnet_runtime.outputs.pictures.annotation import FaceBlur, annotated
from dcrnet_runtime.outputs.pictures.video_writer import VideoWriter
from dcrnet_runtime.video.frame import DEFAULT_FPS

_LONGEST_STILL_S = 1.0
_ROOM_BYTES = 8_000_000
_INDEX_BYTES = 64  # a frame; MP4's index is written at the end


class VideoFile:
    """An annotated video, which is playable when it is there.

    Frames are shown at the times that they have in the source, from the first one on. Of a live
    source a gap of more than a second is cut.

    Args:
        path: ends in one of ``FORMATS``.
        fps: frames a second; 0 for 25.
        is_live: whether gaps are cut.
        blur_faces: whether faces are made unrecognisable.

    Raises:
        DcrnetError: the place cannot be written.
    """

    name = "video"
    takes_pixels = True

    def __init__(self, path: Path, *, fps: float, is_live: bool, blur_faces: bool) -> None:
        self._pending = PendingFile(path)
        self._frame_s = 1 / (fps or DEFAULT_FPS)
        self._writer = VideoWriter(self._pending.beside, fps)
        self._blur = FaceBlur() if blur_faces else None
        self._is_live = is_live
        self._start_s = 0.0
        self._last_s = 0.0
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
        if self._blur is not None:
            self._blur.note(observation)
        time_s = self._shown_s(observation.frame.time_s)
        try:
            self._writer.write(annotated(observation, self._blur), time_s)
        except OSError as error:
            self._frames = 0  # what is there cannot be finished
            raise self._unfinished(error) from error
        self._frames += 1

    def close(self, *, is_whole: bool) -> None:
        """Finish the file, and keep it if all its frames are there.

        Raises:
            DcrnetError: they are not; the file has been removed.
        """
        try:
            self._writer.close()
            if self._frames:
                self._pending.keep()
        except OSError as error:
            if self._frames:
                raise self._unfinished(error) from error
        finally:
            self._pending.discard()

    def _unfinished(self, error: OSError) -> DcrnetError:
        return DcrnetError(
            f"{self._pending.path} could not be finished and was removed ({error.strerror}): make"
            " room"
        )

    def _shown_s(self, time_s: float) -> float:
        """When a frame of the source is shown in the video."""
        if not self._frames:
            self._start_s = time_s
        gap_s = time_s - self._start_s - self._last_s
        if self._frames and (gap_s <= 0 or (self._is_live and gap_s > _LONGEST_STILL_S)):
            self._start_s = time_s - self._last_s - self._frame_s
        self._last_s = time_s - self._start_s
        return self._last_s
