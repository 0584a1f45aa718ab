"""What leaves the runtime: JSON Lines, and pictures with the answers drawn in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.recognizer import Recognition
from dcrnet_runtime.source import Frame

SCHEMA = 1
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi"})
"""Endings that :class:`VideoWriter` can write."""

_GREEN = (60, 220, 60)
_DEFAULT_FPS = 25.0


def to_json_line(frame: Frame, recognitions: Sequence[Recognition]) -> str:
    """One frame's answers: time, frame, and box, label and probabilities of each face.

    Boxes are [x, y, width, height] in px; ``aligned`` tells whether landmarks were used.
    """
    faces = [
        {
            "box": [round(v, 1) for v in (r.face.box.x, r.face.box.y)]
            + [round(v, 1) for v in (r.face.box.width, r.face.box.height)],
            "aligned": r.face.landmarks is not None,
            "label": r.label,
            "probability": round(r.probability, 4),
            "probabilities": {
                label: round(float(p), 4)
                for label, p in zip(r.labels, r.probabilities, strict=True)
            },
        }
        for r in recognitions
    ]
    return json.dumps(
        {
            "schema": SCHEMA,
            "source": frame.name,
            "frame": frame.index,
            "time_s": round(frame.time_s, 3),
            "faces": faces,
        }
    )


def draw(rgb: NDArray[np.uint8], recognitions: Sequence[Recognition]) -> NDArray[np.uint8]:
    """A copy of the (H, W, 3) RGB frame with a box and a label on each face."""
    canvas = rgb.copy()
    unit = max(rgb.shape[:2]) / 640
    for recognition in recognitions:
        box = recognition.face.box
        corner = int(box.x), int(box.y)
        far = int(box.x + box.width), int(box.y + box.height)
        cv2.rectangle(canvas, corner, far, _GREEN, max(1, round(2 * unit)))
        text = f"{recognition.label} {recognition.probability:.0%}"
        at = max(corner[0], 0), max(corner[1] - round(5 * unit), round(16 * unit))
        weight = max(1, round(2 * unit))
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * unit, (0, 0, 0), 2 * weight)
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * unit, _GREEN, weight)
    return canvas


def write_image(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) RGB in the format that the path's ending names.

    Raises:
        DcrnetError: the file cannot be written, or the ending names no image format.
    """
    with written_beside(path) as beside:
        try:
            is_written = cv2.imwrite(str(beside), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise DcrnetError(f"{path} names no image format: end it in .jpg or .png") from error
        if not is_written:
            raise DcrnetError(f"{path} could not be written: name a writable place with room")


class VideoWriter:
    """Encodes frames as MPEG-4 Part 2, which OpenCV's wheels can always write.

    Args:
        path: where to write; its ending is one of ``VIDEO_SUFFIXES``.
        fps: frames a second; 25 where it is not known.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps if 1.0 <= fps <= 240.0 else _DEFAULT_FPS
        self._writer: cv2.VideoWriter | None = None

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Append an (H, W, 3) RGB frame; the first one sets the size.

        Raises:
            DcrnetError: the file cannot be created.
        """
        if self._writer is None:
            height, width = rgb.shape[:2]
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), code, self._fps, (width, height))
            if not self._writer.isOpened():
                raise DcrnetError(
                    f"no video could be created at {self._path}: name a writable place with room"
                )
        self._writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
