"""What leaves the runtime: JSON Lines, and pictures with the answers drawn in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.recognizer import Recognition
from dcrnet_runtime.source import Frame

SCHEMA = 1
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi"})
"""Endings that :class:`VideoWriter` can write."""

_GREEN = (60, 220, 60)
_DEFAULT_FPS = 25.0


def to_json_line(frame: Frame, recognitions: Sequence[Recognition]) -> str:
    """One frame's answers as :func:`frame_record`, without a line end."""
    return json.dumps(frame_record(frame, recognitions))


def frame_record(frame: Frame, recognitions: Sequence[Recognition]) -> dict[str, Any]:
    """One frame's answers: time, frame, and box, label and probabilities of each face.

    Boxes are [x, y, width, height] in px; ``aligned`` tells whether landmarks were used. The
    number ``schema`` rises when a field goes or changes its meaning, not when one is added.
    """
    return {
        "schema": SCHEMA,
        "source": frame.name,
        "frame": frame.index,
        "time_s": round(frame.time_s, 3),
        "faces": [
            {
                "box": [round(v, 1) for v in astuple(r.face.box)],
                "aligned": r.face.landmarks is not None,
                "label": r.label,
                "probability": round(r.probability, 4),
                "probabilities": rounded(r.labels, r.probabilities),
            }
            for r in recognitions
        ],
    }


def rounded(labels: Sequence[str], probabilities: NDArray[np.float32]) -> Mapping[str, float]:
    """Label to probability, with four decimals."""
    return {label: round(float(p), 4) for label, p in zip(labels, probabilities, strict=True)}


def draw(rgb: NDArray[np.uint8], recognitions: Sequence[Recognition]) -> NDArray[np.uint8]:
    """A copy of the (H, W, 3) RGB frame with a box and a label on each face."""
    canvas = rgb.copy()
    for r in recognitions:
        draw_face(canvas, r.face.box, f"{r.label} {r.probability:.0%}")
    return canvas


def draw_face(canvas: NDArray[np.uint8], box: Box, text: str) -> None:
    """Draw a box with a line of text above it into an (H, W, 3) RGB picture."""
    unit = max(canvas.shape[:2]) / 640
    edges = box.x, box.y, box.x + box.width, box.y + box.height
    left, top, right, bottom = (int(v) for v in np.nan_to_num(np.clip(edges, -9999, 99999)))
    corner, far = (left, top), (right, bottom)
    cv2.rectangle(canvas, corner, far, _GREEN, max(1, round(2 * unit)))
    at = max(corner[0], 0), max(corner[1] - round(5 * unit), round(16 * unit))
    weight = max(1, round(2 * unit))
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * unit, (0, 0, 0), 2 * weight)
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * unit, _GREEN, weight)


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
        self._writer.write(cv2.cvtColor(fitted(rgb, *self._size), cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()


def fitted(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The (H, W, 3) picture as large as fits into (height, width, 3), on black."""
    if rgb.shape[:2] == (height, width):
        return rgb
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(
        rgb, size, interpolation=cv2.INTER_AREA
    )
    return canvas
