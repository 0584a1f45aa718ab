"""MediaPipe's own package: the face mesh that its wheel carries, or Tasks with a bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import LANDMARKS, Box, Face
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.landmarks import shipped_landmarks


def open_mediapipe(task: Path | None, max_faces: int) -> MediaPipeDetector:
    """MediaPipe with ``task``, else with the networks inside its wheel, else with the bundle of
    this package: later wheels carry none.

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
    if task is None and own is not None:
        return MediaPipeDetector(_WheelMeshes(mediapipe, max_faces), own.landmarks_sha256)
    task = task or shipped_landmarks()
    digest = FaceNetworks.from_task(task).landmarks_sha256
    return MediaPipeDetector(_TaskMeshes(mediapipe, task, max_faces), digest)


class MediaPipeDetector:
    """Faces from MediaPipe's graph.

    Args:
        meshes: calls the graph: RGB frame -> list of (>= 468, 2) fractions of the frame.
        landmarks_sha256: of its landmark network.
    """

    name = "MediaPipe"

    def __init__(self, meshes: Any, landmarks_sha256: str) -> None:
        self._meshes = meshes
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
        return faces


class _TaskMeshes:
    def __init__(self, mediapipe: Any, task: Path, max_faces: int) -> None:
        tasks = mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=task.read_bytes()),
            num_faces=max_faces,
        )
        self._landmarker = tasks.vision.FaceLandmarker.create_from_options(options)
        self._image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB

    def __call__(self, rgb: NDArray[np.uint8]) -> list[Any]:
        image = self._image(image_format=self._format, data=rgb)
        return list(self._landmarker.detect(image).face_landmarks)


class _WheelMeshes:
    def __init__(self, mediapipe: Any, max_faces: int) -> None:
        self._mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True, max_num_faces=max_faces
        )

    def __call__(self, rgb: NDArray[np.uint8]) -> list[Any]:
        found = self._mesh.process(rgb).multi_face_landmarks or []
        return [mesh.landmark for mesh in found]
