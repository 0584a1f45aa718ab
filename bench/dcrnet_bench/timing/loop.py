"""What the live loop itself costs: everything but finding the face and inference."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.clock import Latency
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.face import Face
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream
from dcrnet_runtime.video.capture import CaptureFacts

_WARM_UP_FRAMES = 30


def time_loop(rgb: NDArray[np.uint8], face: Face, model: Model, frames: int) -> Latency:
    """The time a frame in a stream that finds ``face`` and classifies it at no cost.

    Left are capture with its conversion to RGB and its thread, preparation of the face,
    tracking and smoothing.

    Args:
        rgb: (H, W, 3) uint8, each frame.
        face: in each frame.
        model: whose card says how the face is prepared; it is not run.
        frames: timed ones.
    """
    labels = len(model.card.labels)
    even = np.full((1, labels), 1 / labels, np.float32)
    stub: Any = SimpleNamespace(card=model.card, probabilities=lambda _: even)
    detector: Any = SimpleNamespace(name="", landmarks_sha256="", find=lambda _: [face])
    memory = _Memory(rgb, frames + _WARM_UP_FRAMES + 1)
    with Stream(Recognizer(stub, detector), lambda: memory) as stream:
        times_ns = np.array([time.perf_counter_ns() for _ in stream])
    return Latency.of(np.diff(times_ns)[_WARM_UP_FRAMES:])


class _Memory:
    """One frame over and over, in the order of colours that OpenCV's devices give."""

    def __init__(self, rgb: NDArray[np.uint8], frames: int) -> None:
        self.facts = CaptureFacts("memory", is_live=False, is_endless=False)
        self._bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        self._left = frames

    def grab(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def retrieve(self) -> NDArray[np.uint8] | None:
        rgb: NDArray[np.uint8] = cv2.cvtColor(self._bgr, cv2.COLOR_BGR2RGB)
        return rgb

    def position_s(self) -> float | None:
        return None

    def close(self) -> None:
        pass
