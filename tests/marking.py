"""Photos, and a recognizer for a cluster's workers that notes which of them looks at which."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.detectors.detector import Detector
from dcrnet_runtime.face import Face
from dcrnet_runtime.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class MarkingSpec(RecognizerSpec):
    """Answers as the real one, and no faster than it is told.

    Attributes:
        marks: folder with a file for each worker, a line a picture.
        least_s: that a picture takes.
    """

    marks: Path = Path()
    least_s: float = 0.0

    def open(self, model: Model | None = None) -> Recognizer:
        import ray

        own = RecognizerSpec.open(self, model)
        node = ray.get_runtime_context().get_node_id()
        path = self.marks / f"{node}-{os.getpid()}"
        return Recognizer(own.model, _Marking(own.detector, path, self.least_s))


class _Marking:
    def __init__(self, detector: Detector, path: Path, least_s: float) -> None:
        self.name, self.landmarks_sha256 = detector.name, detector.landmarks_sha256
        self._detector: Any = detector  # which may look beside known faces, too
        self._path, self._least_s = path, least_s

    def find(self, rgb: NDArray[np.uint8], known: Any = ()) -> list[Face]:
        with self._path.open("a") as marks:
            marks.write(f"{picture_mark(rgb)}\n")
        time.sleep(self._least_s)
        found: list[Face] = self._detector.find(rgb, known)
        return found


def picture_mark(rgb: NDArray[np.uint8]) -> str:
    """What tells a picture from all others."""
    return sha256(rgb.tobytes()).hexdigest()


def write_marked_photos(folder: Path, portrait: NDArray[np.uint8], count: int) -> set[str]:
    """Photos of which no two are alike, with a face but for one in eight; and their marks."""
    folder.mkdir()
    marks = set()
    rng = np.random.default_rng(5)
    for number in range(count):
        noise = rng.integers(-20, 20, portrait.shape)
        rgb = np.clip(portrait * 1.0 - number + noise, 0, 255).astype(np.uint8)
        if number % 8 == 7:
            rgb[:] = number
        assert cv2.imwrite(str(folder / f"{number:03}.png"), rgb[:, :, ::-1])
        marks.add(picture_mark(rgb))
    return marks
