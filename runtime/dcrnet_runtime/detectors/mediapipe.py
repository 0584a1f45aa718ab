"""MediaPipe's own package: the face mesh that its wheel carries, or Tasks with a bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

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


def open_mediapipe(options: DetectorOptions) -> MediaPipeDetector:
    """MediaPipe with the options' ``task``, else with the networks inside its wheel, else with the
    bundle of this package: later wheels carry none.

    Raises:
        DcrnetError: mediapipe is missing, or ``task`` is no bundle.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        import mediapipe
    except ImportError as error:
        raise DcrnetError(
            f"mediapipe cannot be imported ({error}): {extra_command('mediapipe')}"
        ) from error
    own = FaceNetworks.from_mediapipe_wheel() if hasattr(mediapipe, "solutions") else None
    # One more than is answered, to tell that there are more.
    min_score = _MIN_SCORE if options.min_detection is None else options.min_detection
    asked = options.max_faces + 1, min_score
    if options.task is None and own is not None:
        return MediaPipeDetector(_WheelMeshes(mediapipe, *asked), own.landmarks_sha256, options)
    task = options.task or shipped_landmarks()
    digest = FaceNetworks.from_task(task).landmarks_sha256
    return MediaPipeDetector(_TaskMeshes(mediapipe, task, *asked), digest, options)


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


class _TaskMeshes:
    def __init__(self, mediapipe: Any, task: Path, faces: int, min_score: float) -> None:
        tasks = mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=task.read_bytes()),
            num_faces=faces,
            min_face_detection_confidence=min_score,
        )
        self._landmarker = tasks.vision.FaceLandmarker.create_from_options(options)
        self._image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB

    def __call__(self, rgb: NDArray[np.uint8]) -> list[Any]:
        image = self._image(image_format=self._format, data=rgb)
        return list(self._landmarker.detect(image).face_landmarks)


class _WheelMeshes:
    def __init__(self, mediapipe: Any, faces: int, min_score: float) -> None:
        self._mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True, max_num_faces=faces, min_detection_confidence=min_score
        )

    def __call__(self, rgb: NDArray[np.uint8]) -> list[Any]:
        found = self._mesh.process(rgb).multi_face_landmarks or []
        return [mesh.landmark for mesh in found]
