"""PyPI's fer as its documentation has it, with its default, OpenCV's cascade."""

from __future__ import annotations

from collections.abc import Iterator

from dcrnet_bench.comparisons.camera import Camera
from dcrnet_bench.comparisons.trial import Trial


def answers(camera: Camera, trial: Trial) -> Iterator[tuple[int, bool]]:
    from fer.fer import FER

    detector = FER(mtcnn=False)
    while camera.grab():
        faces = detector.detect_emotions(camera.bgr())
        yield camera.index, bool(faces)
