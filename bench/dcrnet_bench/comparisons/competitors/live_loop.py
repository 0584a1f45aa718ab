"""The live loop of dcrnet-run with no output: every face followed, smoothed, classified."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.comparisons.camera import Camera
from dcrnet_bench.comparisons.trial import Trial


def answers(camera: Camera, trial: Trial) -> Iterator[tuple[int, bool]]:
    from dcrnet_runtime import Recognizer, Stream, load_model, open_detector, shipped_model
    from dcrnet_runtime.video.capture import CaptureFacts

    numbers: list[int] = []

    class Live:
        facts = CaptureFacts(trial.clip, is_live=True, is_endless=False, fps=camera.fps)

        def grab(self) -> bool:
            return camera.grab()

        def retrieve(self) -> NDArray[np.uint8]:
            numbers.append(camera.index)
            rgb: NDArray[np.uint8] = cv2.cvtColor(camera.bgr(), cv2.COLOR_BGR2RGB)
            return rgb

        def position_s(self) -> None:
            return None

        def close(self) -> None:
            pass

    model = load_model(shipped_model(), threads=trial.threads)
    recognizer = Recognizer(model, open_detector())
    with Stream(recognizer, Live if camera.is_paced else trial.clip) as stream:
        for observation in stream:
            index = observation.frame.index
            yield numbers[index] if camera.is_paced else index, bool(observation.faces)
