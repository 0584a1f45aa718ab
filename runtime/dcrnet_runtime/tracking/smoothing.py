"""One face's probabilities over time: smoothed in seconds, and a label that does not flicker."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class Smoother:
    """An exponential mean whose weights depend on time alone, not on the number of frames.

    Args:
        time_constant_s: after a step, so many seconds bring 63 % of it; 0 switches it off.
        margin: another label takes over when it is more probable by so much, 0..1.
    """

    def __init__(self, time_constant_s: float, margin: float) -> None:
        self._time_constant_s = time_constant_s
        self._margin = margin
        self._mean: NDArray[np.float64] | None = None
        self._time_s = 0.0
        self._label = 0

    def update(
        self, probabilities: NDArray[np.float32], time_s: float
    ) -> tuple[int, NDArray[np.float32]]:
        """Take in (labels,) probabilities seen at ``time_s``.

        Returns:
            index of the label and the (labels,) smoothed probabilities, which sum to 1.
        """
        now = probabilities.astype(np.float64)
        if self._mean is None or self._time_constant_s <= 0:
            weight = 1.0
        else:
            weight = -math.expm1(-max(0.0, time_s - self._time_s) / self._time_constant_s)
        is_first = self._mean is None
        self._mean = now if self._mean is None else self._mean + weight * (now - self._mean)
        self._time_s = time_s
        best = int(self._mean.argmax())
        if is_first or self._mean[best] > self._mean[self._label] + self._margin:
            self._label = best
        return self._label, self._mean.astype(np.float32)
