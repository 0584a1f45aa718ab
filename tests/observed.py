"""Generated observations: what the live loop would publish."""

from __future__ import annotations

from functools import cache

import numpy as np
from generated import LABELS, synthetic_face, synthetic_frame
from numpy.typing import NDArray

from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.observation import Counters, Observation, Stage, TrackedFace
from dcrnet_runtime.recognizer import Recognition
from dcrnet_runtime.video.frame import Frame

LATENCY_MS = {
    Stage.CAPTURE: 1.25,
    Stage.PUBLISH: 0.5,
    Stage.FIND: 4.5,
    Stage.PREPARE: 0.7,
    Stage.INFER: 4.75,
}


def tracked(
    track_id: int = 1, label: str = "happiness", face: Face | None = None, age_s: float = 2.0
) -> TrackedFace:
    """A face whose smoothed label is ``label`` (80 %), while this frame's own is neutral."""
    own = np.full(len(LABELS), 0.05, np.float32)
    own[LABELS.index("neutral")] = 0.7
    smoothed = np.full(len(LABELS), 0.2 / (len(LABELS) - 1), np.float32)
    smoothed[LABELS.index(label)] = 0.8
    recognition = Recognition(face or synthetic_face(), LABELS, own)
    return TrackedFace(track_id, recognition, label, smoothed, age_s)


def observation(
    index: int = 0,
    *faces: TrackedFace,
    rgb: NDArray[np.uint8] | None = None,
    name: str = "clip.mp4",
    fps: float = 25.0,
    counters: Counters | None = None,
) -> Observation:
    """Frame number ``index`` of a source with ``fps`` frames a second."""
    frame = Frame(_plain() if rgb is None else rgb, index, index / fps, name)
    counters = counters or Counters(frames=index + 1, dropped=3)
    return Observation(frame, faces, LATENCY_MS, 11.5, counters)


def boxed(x: float = 100, y: float = 60, side: float = 80) -> Face:
    """A face without landmarks."""
    return Face(Box(x, y, side, side))


@cache
def _plain() -> NDArray[np.uint8]:
    return synthetic_frame()
