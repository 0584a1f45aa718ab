"""What calibration faces are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DARK, _BRIGHT = 85, 170


@dataclass(frozen=True, slots=True)
class FaceStatistics:
    """What calibration faces are like.

    Attributes:
        classes: faces by the float network's answer.
        dark: share of faces of mean code below 85, 0..1.
        bright: share above 170.
    """

    classes: dict[str, int]
    dark: float
    bright: float

    def describe(self) -> str:
        """One line for people."""
        classes = ", ".join(f"{label} {count}" for label, count in self.classes.items())
        medium = 1 - self.dark - self.bright
        return (
            f"predicted {classes}; {self.dark:.0%} dark, {medium:.0%} medium,"
            f" {self.bright:.0%} bright"
        )


def face_statistics(
    answers: NDArray[np.int64], crops: NDArray[np.uint8], labels: Sequence[str]
) -> FaceStatistics:
    """Of (N, S, S, 3) uint8 crops with the float network's (N,) answers."""
    counts = np.bincount(answers, minlength=len(labels))
    means = crops.mean(axis=(1, 2, 3))
    dark, bright = float((means < _DARK).mean()), float((means > _BRIGHT).mean())
    return FaceStatistics(dict(zip(labels, map(int, counts), strict=True)), dark, bright)
