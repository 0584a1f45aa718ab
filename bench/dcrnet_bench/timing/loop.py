"""What the live loop itself costs: everything but finding the face and inference."""

from __future__ import annotations

import time
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.sampling import SampleRule
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.face import Face
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream
from dcrnet_runtime.video.capture import CaptureFacts

_WARM_UP_FRAMES = 30
_NS_PER_S = 1e9


def time_loop(
    frames: Sequence[NDArray[np.uint8]], face: Face, model: Model, rule: SampleRule
) -> NDArray[np.int64]:
    """The time a frame in a stream that finds ``face`` and classifies it at no cost.

    Left are capture with its conversion to RGB and its thread, preparation of the face,
    tracking and smoothing.

    Args:
        frames: (H, W, 3) uint8 each, over and over.
        face: in each frame.
        model: whose card says how the face is prepared; it is not run.
        rule: one repeat of it is done.

    Returns:
        (frames,) durations in ns, behind the warm-up.
    """
    seen_ns: list[int] = []
    warm_up, started_ns = 0, time.perf_counter_ns()
    capture = _Memory(frames)
    recognizer = Recognizer(_Undecided(model), _Knowing(face))
    with Stream(recognizer, lambda: capture) as stream:
        for _ in stream:
            now_ns = time.perf_counter_ns()
            seen_ns.append(now_ns)
            if warm_up == 0:
                since_ns = now_ns - started_ns
                is_warm = len(seen_ns) > max(_WARM_UP_FRAMES, rule.warm_up_rounds)
                warm_up = len(seen_ns) if is_warm and since_ns >= rule.warm_up_s * _NS_PER_S else 0
            elif (
                len(seen_ns) - warm_up >= rule.samples
                and now_ns - seen_ns[warm_up - 1] >= rule.seconds * _NS_PER_S
            ):
                break
    return np.diff(np.array(seen_ns, np.int64)[warm_up - 1 :])


class _Undecided:
    """A model's card with the same probability for each label, at once."""

    def __init__(self, model: Model) -> None:
        self.card, self.format = model.card, model.format
        self.sha256, self.runs_on = model.sha256, model.runs_on
        labels = len(model.card.labels)
        self._even = np.full((1, labels), 1 / labels, np.float32)

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._even


class _Knowing:
    """A detector that need not look."""

    name = ""
    landmarks_sha256 = ""

    def __init__(self, face: Face) -> None:
        self._faces = [face]

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        return self._faces


class _Memory:
    """Frames over and over, in the order of colours that OpenCV's devices give."""

    def __init__(self, frames: Sequence[NDArray[np.uint8]]) -> None:
        self.facts = CaptureFacts("memory", is_live=False, is_endless=True)
        self._bgr = [cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) for rgb in frames]
        self._index = -1

    def grab(self) -> bool:
        self._index = (self._index + 1) % len(self._bgr)
        return True

    def retrieve(self) -> NDArray[np.uint8] | None:
        rgb: NDArray[np.uint8] = cv2.cvtColor(self._bgr[self._index], cv2.COLOR_BGR2RGB)
        return rgb

    def position_s(self) -> float | None:
        return None

    def close(self) -> None:
        pass
