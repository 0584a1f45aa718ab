"""A clip played as a camera gives it."""

from __future__ import annotations

import time

import cv2
import numpy as np
from numpy.typing import NDArray


class Camera:
    """Each frame when it is due, late ones overtaken.

    Its time begins with the first frame that is asked for, when all is loaded. Without
    ``is_paced`` it is the file: every frame, as soon as it is asked for.

    Attributes:
        fps: the clip's frames a second.
        is_paced: see above.
        index: of the frame at hand in the clip, from 0.
    """

    def __init__(self, clip: str, is_paced: bool) -> None:
        self._capture = cv2.VideoCapture(clip)
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.is_paced = is_paced
        self.index = -1
        self._started_s = 0.0

    def due_s(self, index: int) -> float:
        """When a camera would have given that frame."""
        return self._started_s + index / self.fps

    def grab(self) -> bool:
        """Go to the newest frame, at least to the next one; False at the end."""
        if not self._capture.grab():
            return False
        self.index += 1
        if self.index == 0:
            self._started_s = time.perf_counter()
        if not self.is_paced:
            return True
        while self.due_s(self.index + 1) <= time.perf_counter():
            if not self._capture.grab():
                return False  # and with it what was grabbed before cannot be retrieved any more
            self.index += 1
        time.sleep(max(0.0, self.due_s(self.index) - time.perf_counter()))
        return True

    def bgr(self) -> NDArray[np.uint8]:
        """The frame at hand, (H, W, 3) uint8 BGR."""
        frame: NDArray[np.uint8] = self._capture.retrieve()[1]
        return frame
