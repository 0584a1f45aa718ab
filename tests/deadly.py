"""A recognizer for worker processes that dies of white pictures, as often as it is told."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from generated import synthetic_face
from numpy.typing import NDArray

from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.face import Face
from dcrnet_runtime.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class DeadlySpec(RecognizerSpec):
    """Every picture has the synthetic face; a white one ends the process.

    Attributes:
        deaths: of how many white pictures one dies, all processes together.
        marks: file with a byte for each death.
    """

    deaths: int = 0
    marks: Path = Path()

    def open(self, model: Model | None = None) -> Recognizer:
        return Recognizer(model or self.load_model(), _Detector(self.deaths, self.marks))


class _Detector:
    name, landmarks_sha256 = "deadly", ""

    def __init__(self, deaths: int, marks: Path) -> None:
        self._deaths, self._marks = deaths, marks

    def find(self, rgb: NDArray[np.uint8], known: Any = ()) -> list[Face]:
        if rgb.min() == 255:
            with self._marks.open("ab") as marks:
                marks.write(b"x")
            if self._marks.stat().st_size <= self._deaths:
                os.kill(os.getpid(), signal.SIGKILL)
        return [synthetic_face()]
