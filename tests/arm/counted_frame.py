"""What a frame of the live loop, and an inference in it, executes on an emulated core.

    python counted_frame.py PORTRAIT MODEL...

prints one JSON object: instructions by kind of an inference and of a frame, for each model.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.profiling.instruction_counter import InstructionCounter
from dcrnet_bench.profiling.instructions import InstructionCount
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream
from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.images import read_image

WIDTH, HEIGHT = 640, 360
FRAMES = 2
"""Of a turn: the landmark network looks in every second one."""


class _Still:
    """The same picture again and again, as a recording without an end.

    It has times of its own: by the clock an emulated frame takes so long that no motion is told.
    """

    facts = CaptureFacts("still", is_live=False, is_endless=True, fps=30.0)

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self._rgb, self._index = rgb, -1

    def grab(self) -> bool:
        self._index += 1
        return True

    def retrieve(self) -> NDArray[np.uint8]:
        return self._rgb

    def position_s(self) -> float | None:
        return self._index / self.facts.fps

    def close(self) -> None:
        pass


def counted(portrait: Path, models: Sequence[Path]) -> dict[str, Any]:
    """Counts of each model's inference and frame."""
    counter = InstructionCounter.find()
    assert counter is not None
    rgb = framed(read_image(portrait))
    return {path.name: _counts(counter, rgb, load_model(path, threads=1)) for path in models}


def framed(portrait: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The head of the demo portrait in the middle of a frame, (HEIGHT, WIDTH, 3) uint8 RGB."""
    frame = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    left = (WIDTH - HEIGHT) // 2
    head = cv2.resize(portrait[:320, 60:380], (HEIGHT, HEIGHT))
    frame[:, left : left + HEIGHT] = head
    return frame


def _counts(counter: InstructionCounter, rgb: NDArray[np.uint8], model: Model) -> dict[str, Any]:
    size = model.card.preprocess.size_px
    crops = np.full((1, size, size, 3), 128, np.uint8)
    inference = counter.executed_by(lambda: model.probabilities(crops))
    capture = _Still(rgb)
    with Stream(Recognizer(model, open_detector()), lambda: capture) as stream:
        observations = iter(stream)
        faces = [len(next(observations).faces) for _ in range(FRAMES)]
        assert set(faces) == {1}, faces

        def turn() -> None:
            for _ in range(FRAMES):
                next(observations)

        frames = counter.executed_by(turn)
    return {"inference": _of(inference, 1), "frame": _of(frames, FRAMES)}


def _of(count: InstructionCount, parts: int) -> dict[str, Any]:
    by_kind = {kind: number // parts for kind, number in asdict(count)["by_kind"].items()}
    return {"total": sum(by_kind.values()), "by_kind": by_kind}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(counted(Path(sys.argv[1]), [*map(Path, sys.argv[2:])])))
