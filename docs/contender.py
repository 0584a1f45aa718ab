"""One way to read expressions from a video, run and measured in a process of its own.

``comparison.py`` starts it; nothing but OpenCV, NumPy and what the contender itself needs has
to be installed. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import cv2
import numpy as np

WARM_UP_FRAMES = 25
Seen = Iterator[tuple[int, bool]]
"""Of each frame that was answered: its number in the clip, and whether a face was in it."""


class Camera:
    """The clip as a camera gives it: each frame when it is due, late ones overtaken.

    Its time begins with the first frame that is asked for, when all is loaded. Without
    ``is_paced`` it is the file: every frame, as soon as it is asked for.
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
        while self.due_s(self.index + 1) <= time.perf_counter() and self._capture.grab():
            self.index += 1
        time.sleep(max(0.0, self.due_s(self.index) - time.perf_counter()))
        return True

    def bgr(self) -> Any:
        return self._capture.retrieve()[1]


def ours(camera: Camera, clip: str, threads: int, _: str) -> Seen:
    """The live loop of dcrnet-run with no output: every face followed, smoothed, classified."""
    from dcrnet_runtime import Recognizer, Stream, load_model, open_detector, shipped_model
    from dcrnet_runtime.video.capture import CaptureFacts

    numbers: list[int] = []

    class Live:
        facts = CaptureFacts(clip, is_live=True, is_endless=False, fps=camera.fps)

        def grab(self) -> bool:
            return camera.grab()

        def retrieve(self) -> Any:
            numbers.append(camera.index)
            return cv2.cvtColor(camera.bgr(), cv2.COLOR_BGR2RGB)

        def position_s(self) -> None:
            return None

        def close(self) -> None:
            pass

    recognizer = Recognizer(load_model(shipped_model(), threads=threads), open_detector())
    with Stream(recognizer, Live if camera.is_paced else clip) as stream:
        for observation in stream:
            index = observation.frame.index
            yield numbers[index] if camera.is_paced else index, bool(observation.faces)


def by_hand(camera: Camera, _: str, threads: int, model: str) -> Seen:
    """MediaPipe's face mesh in video mode, PIL's crop and resize, the float model."""
    import mediapipe
    import onnxruntime
    from PIL import Image

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    side_px = session.get_inputs()[0].shape[1]
    name = session.get_inputs()[0].name
    mesh = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1)
    while camera.grab():
        rgb = cv2.cvtColor(camera.bgr(), cv2.COLOR_BGR2RGB)
        found = mesh.process(rgb).multi_face_landmarks
        if found:
            size = rgb.shape[1::-1]
            points = np.array([(point.x, point.y) for point in found[0].landmark]) * size
            box = (*points.min(axis=0), *points.max(axis=0))
            face = Image.fromarray(rgb).crop(tuple(map(int, box))).resize((side_px, side_px))
            session.run(None, {name: np.asarray(face)[None]})
        yield camera.index, bool(found)


def fer(camera: Camera, _: str, __: int, ___: str) -> Seen:
    """PyPI's fer as its documentation has it, with its default, OpenCV's cascade."""
    from fer.fer import FER

    detector = FER(mtcnn=False)
    while camera.grab():
        faces = detector.detect_emotions(camera.bgr())
        yield camera.index, bool(faces)


CONTENDERS: dict[str, Callable[[Camera, str, int, str], Seen]] = {
    "ours": ours,
    "by hand": by_hand,
    "fer": fer,
}


def cpu_s() -> float:
    """Of all threads of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(name: str, clip: str, is_paced: bool, frames: int, threads: int, model: str) -> Any:
    """Run a contender over the clip's first frames; figures of those behind the warm-up."""
    camera = Camera(clip, is_paced)
    seen = CONTENDERS[name](camera, clip, threads, model)
    delays_ms, with_face, started_s, started_cpu_s = [], 0, 0.0, 0.0
    for count, (index, has_face) in enumerate(islice(seen, WARM_UP_FRAMES + frames)):
        now_s = time.perf_counter()
        if count >= WARM_UP_FRAMES:
            delays_ms.append(1000 * (now_s - camera.due_s(index)))
            with_face += has_face
        if count == WARM_UP_FRAMES - 1:
            started_s, started_cpu_s = now_s, cpu_s()
    wall_s, used_s = time.perf_counter() - started_s, cpu_s() - started_cpu_s
    return {
        "contender": name,
        "is_paced": is_paced,
        "frames": len(delays_ms),
        "fps": len(delays_ms) / wall_s,
        "delay_ms": float(np.median(delays_ms)) if is_paced else None,
        "delay_p90_ms": float(np.percentile(delays_ms, 90)) if is_paced else None,
        "cpu_ms": 1000 * used_s / len(delays_ms),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "with_face": with_face / len(delays_ms),
    }


if __name__ == "__main__":
    NAME, CLIP, PACE, FRAMES, THREADS, MODEL = sys.argv[1:]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(THREADS)])
    cv2.setNumThreads(int(THREADS))
    result = measure(NAME, CLIP, PACE == "paced", int(FRAMES), int(THREADS), MODEL)
    sys.stdout.write(json.dumps(result) + "\n")
