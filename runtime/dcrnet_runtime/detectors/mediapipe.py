"""MediaPipe's own package, with this package's landmark networks or a bundle that is named."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.detectors.detector import DetectorOptions
from dcrnet_runtime.detectors.limit import FaceLimit
from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import LANDMARKS, Box, Face
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.landmarks import shipped_landmarks

_MIN_SCORE = 0.5  # MediaPipe's own
_open_landmarkers: WeakSet[Any] = WeakSet()


# Registered before mediapipe is imported, so that it runs when that has stopped its threads: a
# landmarker that is left to itself prints a traceback among a program's last steps.
@atexit.register
def _close_landmarkers() -> None:
    for landmarker in list(_open_landmarkers):
        landmarker.close()


def _outlive_its_profiler() -> None:
    """Ignore SIGPROF, which mediapipe's library goes on sending to the process.

    The library ignores it itself, but not in a way that Python knows of: whoever restores the
    handlers that Python knows, as Lightning does behind a training, would let it end the process.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGPROF) is signal.SIG_DFL:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)


def open_mediapipe(options: DetectorOptions) -> MediaPipeDetector:
    """MediaPipe with the options' ``task``, else with the bundle of this package.

    Raises:
        DcrnetError: mediapipe is missing, or ``task`` is no bundle.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    _outlive_its_profiler()
    try:
        import mediapipe
    except ImportError as error:
        raise DcrnetError(
            f"mediapipe cannot be imported ({error}): {extra_command('mediapipe')}"
        ) from error
    task = options.task or shipped_landmarks()
    digest = FaceNetworks.from_task(task).landmarks_sha256
    min_score = _MIN_SCORE if options.min_detection is None else options.min_detection
    # One more than is answered, to tell that there are more.
    meshes = _Meshes(mediapipe, task, options.max_faces + 1, min_score)
    return MediaPipeDetector(meshes, digest, options)


class MediaPipeDetector:
    """Faces from MediaPipe's graph.

    Args:
        meshes: calls the graph: RGB frame -> list of (>= 468, 2) fractions of the frame.
        landmarks_sha256: of its landmark network.
        options: how many faces are answered, and how large.
    """

    name = "MediaPipe"

    def __init__(self, meshes: Any, landmarks_sha256: str, options: DetectorOptions) -> None:
        self._meshes = meshes
        self._limit = FaceLimit(options.max_faces)
        self._min_face_px = options.min_face_px
        self.landmarks_sha256 = landmarks_sha256

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame, best first."""
        height, width = rgb.shape[:2]
        faces = []
        for mesh in self._meshes(np.ascontiguousarray(rgb)):
            fractions = np.array([(point.x, point.y) for point in mesh[:LANDMARKS]])
            # A pixel's centre lies at its integer coordinate, half a pixel inside its cell.
            landmarks = (fractions * (width, height) - 0.5).astype(np.float32)
            faces.append(Face(Box.around(landmarks), landmarks))
        return self._limit.kept([face for face in faces if face.box.side >= self._min_face_px])


class _Meshes:
    def __init__(self, mediapipe: Any, task: Path, faces: int, min_score: float) -> None:
        tasks = mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=task.read_bytes()),
            num_faces=faces,
            min_face_detection_confidence=min_score,
        )
        self._landmarker = tasks.vision.FaceLandmarker.create_from_options(options)
        _open_landmarkers.add(self._landmarker)
        self._image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB

    def __call__(self, rgb: NDArray[np.uint8]) -> list[Any]:
        image = self._image(image_format=self._format, data=rgb)
        return list(self._landmarker.detect(image).face_landmarks)
