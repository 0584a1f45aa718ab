"""Hours of video in one run: memory and open files stay where they are."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from conftest import TinyModel
from generated import FixedDetector, synthetic_face, write_clip
from numpy.typing import NDArray

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.detectors.detector import Detector, open_detector
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.video.capture import CaptureFacts

WARM_UP = 1000
MAX_GROWTH = 0.05
CLIP = os.environ.get("DCRNET_CLIP", "")


class LoopedClip:
    """A video file from its beginning whenever it ends; the file is opened anew each time."""

    def __init__(self, path: Path, frames: int) -> None:
        self.facts = CaptureFacts(path.name, is_live=False, is_endless=False)
        self._path = path
        self._left = frames
        self._capture = cv2.VideoCapture(str(path))

    def grab(self) -> bool:
        self._left -= 1
        if not self._capture.grab():
            self._capture.release()
            self._capture = cv2.VideoCapture(str(self._path))
            self._capture.grab()
        return self._left >= 0

    def retrieve(self) -> NDArray[np.uint8] | None:
        return cv2.cvtColor(self._capture.retrieve()[1], cv2.COLOR_BGR2RGB)

    def position_s(self) -> float | None:
        return None

    def close(self) -> None:
        self._capture.release()


class ComingAndGoing(FixedDetector):
    """One face stays, another one is there half of the time and gets a new number each time."""

    def __init__(self) -> None:
        super().__init__(synthetic_face())
        self._calls = 0

    def find(self, rgb: NDArray[np.uint8]) -> list:  # type: ignore[type-arg]
        self._calls += 1
        other = synthetic_face(centre=(50.0, 60.0), side=50.0)
        return self.faces + [other] * (self._calls % 80 < 40)


def footprint() -> tuple[float, int]:
    """Resident memory in MB, and open file descriptors."""
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6, len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def soak(model: Model, detector: Detector, clip: Path, frames: int, warm_up: int) -> float:
    """Run, and return the growth of memory behind the warm-up as a fraction."""
    options = StreamOptions(memory_s=0.02)
    stream = Stream(Recognizer(model, detector), lambda: LoopedClip(clip, frames), options)
    before_mb, before_files = 0.0, 0
    with stream:
        for observation in stream:
            if observation.counters.frames == warm_up:
                before_mb, before_files = footprint()
    after_mb, after_files = footprint()
    assert observation.counters.frames == frames
    assert after_files <= before_files
    return after_mb / before_mb - 1


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.avi", 40, fps=25)


def test_a_short_soak(tiny_model: TinyModel, clip: Path) -> None:
    growth = soak(load_model(tiny_model()), ComingAndGoing(), clip, frames=600, warm_up=200)
    assert growth < MAX_GROWTH


@pytest.mark.slow
def test_a_soak_with_a_stubbed_model(tiny_model: TinyModel, clip: Path) -> None:
    growth = soak(load_model(tiny_model()), ComingAndGoing(), clip, 100_000, WARM_UP)
    assert growth < MAX_GROWTH


@pytest.mark.slow
@pytest.mark.skipif(not CLIP, reason="set DCRNET_CLIP to a video of a face")
def test_a_soak_with_the_real_detector_and_model() -> None:
    growth = soak(load_model(shipped_model()), open_detector(), Path(CLIP), 10_000, WARM_UP)
    assert growth < MAX_GROWTH
