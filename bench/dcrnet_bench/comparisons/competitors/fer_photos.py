"""PyPI's fer as its documentation has it, with its default, OpenCV's cascade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2


def faces(photos: Sequence[str], variant: str) -> Iterator[int]:
    """How many faces each photo has."""
    from fer.fer import FER

    detector = FER(mtcnn=False)
    for path in photos:
        yield len(detector.detect_emotions(cv2.imread(path)))
