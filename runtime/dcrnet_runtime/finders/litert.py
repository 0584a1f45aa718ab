"""MediaPipe's face networks run directly by LiteRT: no mediapipe wheel needed on the board."""

from __future__ import annotations

import importlib.util
import math
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime import geometry
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import LANDMARKS, Box, Face
from dcrnet_runtime.finders import blazeface
from dcrnet_runtime.interpreter import load_interpreter

_ROI_SCALE = 1.5
_BUNDLE_DETECTOR = "face_detector.tflite"
_BUNDLE_LANDMARKS = "face_landmarks_detector.tflite"


@dataclass(frozen=True, slots=True)
class FaceNetworks:
    """The two networks' bytes."""

    detector: bytes
    landmarks: bytes

    @property
    def landmarks_sha256(self) -> str:
        """Hash of the landmark network."""
        return sha256(self.landmarks).hexdigest()

    @classmethod
    def from_task(cls, path: Path) -> FaceNetworks:
        """Out of a ``face_landmarker.task`` bundle (a zip).

        Raises:
            DcrnetError: the file is no such bundle.
        """
        try:
            with zipfile.ZipFile(path) as bundle:
                return cls(bundle.read(_BUNDLE_DETECTOR), bundle.read(_BUNDLE_LANDMARKS))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise DcrnetError(
                f"{path} is not a MediaPipe face_landmarker.task bundle ({error}): download it"
                " again with dcrnet-run --fetch-landmarks"
            ) from error

    @classmethod
    def from_mediapipe_wheel(cls) -> FaceNetworks | None:
        """Out of an installed mediapipe wheel that carries them; it is not imported."""
        spec = importlib.util.find_spec("mediapipe")
        if spec is None or spec.origin is None:
            return None
        modules = Path(spec.origin).parent / "modules"
        detector = modules / "face_detection" / "face_detection_short_range.tflite"
        landmarks = modules / "face_landmark" / "face_landmark.tflite"
        if not (detector.is_file() and landmarks.is_file()):
            return None
        return cls(detector.read_bytes(), landmarks.read_bytes())


class LiteRTFinder:
    """BlazeFace, then the face mesh on each detection.

    Args:
        networks: the models.
        max_faces: at most so many faces a frame, best first.
        min_score: detections and meshes below this confidence are not faces.
        threads: threads of each interpreter.
    """

    name = "MediaPipe networks on LiteRT"

    def __init__(
        self,
        networks: FaceNetworks,
        *,
        max_faces: int = 10,
        min_score: float = 0.5,
        threads: int = 1,
    ) -> None:
        self.landmarks_sha256 = networks.landmarks_sha256
        self._detector = _Network(networks.detector, threads)
        self._mesh = _Network(networks.landmarks, threads)
        self._max_faces = max_faces
        self._min_score = min_score

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame, best first."""
        height, width = rgb.shape[:2]
        # Letterbox: the frame's longer side fills the detector's input.
        side = max(height, width)
        frame = geometry.box_transform(
            Box((width - side) / 2, (height - side) / 2, side, side), 1.0, blazeface.INPUT_PX
        )
        square = _sample(rgb, frame, blazeface.INPUT_PX)
        outputs = self._detector(square.astype(np.float32) / 127.5 - 1.0)
        regressors = next(o for o in outputs if o.shape[-1] == 16).reshape(-1, 16)
        logits = next(o for o in outputs if o.shape[-1] == 1).reshape(-1)
        faces: list[Face] = []
        for detection in blazeface.decode(regressors, logits, self._min_score):
            if len(faces) == self._max_faces:
                break
            face = self._mesh_of(rgb, detection, frame)
            if face is not None:
                faces.append(face)
        return faces

    def _mesh_of(
        self, rgb: NDArray[np.uint8], detection: blazeface.Detection, frame: geometry.Matrix
    ) -> Face | None:
        eyes = detection.keypoints[[blazeface.RIGHT_EYE, blazeface.LEFT_EYE]]
        right, left = _to_frame(frame, eyes * blazeface.INPUT_PX - 0.5)
        low, high = _to_frame(frame, detection.corners.reshape(2, 2) * blazeface.INPUT_PX - 0.5)
        side = float((high - low).max()) * _ROI_SCALE
        if not math.isfinite(side) or side < 2:
            return None
        angle = math.atan2(left[1] - right[1], left[0] - right[0])
        size_px = self._mesh.size_px
        roi = _rotated_square((low + high) / 2, side, angle, size_px)
        outputs = self._mesh(_sample(rgb, roi, size_px).astype(np.float32) / 255.0)
        mesh = max(outputs, key=lambda output: output.size).reshape(-1, 3)[:LANDMARKS, :2]
        # The bundle's network has a third, unused output; presence comes second in both.
        presence = 1.0 / (1.0 + math.exp(-float(outputs[1].reshape(-1)[0])))
        if presence < self._min_score:
            return None
        landmarks = _to_frame(roi, mesh - 0.5).astype(np.float32)
        return Face(Box.around(landmarks), landmarks, detection.score)


class _Network:
    """A one-input float network held by an interpreter."""

    def __init__(self, content: bytes, threads: int) -> None:
        self._interpreter: Any = load_interpreter(content, threads)
        detail = self._interpreter.get_input_details()[0]
        self.size_px = int(detail["shape"][1])
        self._input = detail["index"]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]

    def __call__(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self._interpreter.set_tensor(self._input, values[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def _rotated_square(
    centre: geometry.Points, side: float, angle: float, size_px: int
) -> geometry.Matrix:
    """The transform that shows a square turned by ``angle`` upright in ``size_px``."""
    zoom = size_px / side
    cos, sin = zoom * math.cos(angle), zoom * math.sin(angle)
    rotation = np.array([[cos, sin], [-sin, cos]])
    middle = (size_px - 1) / 2
    return np.column_stack([rotation, np.array([middle, middle]) - rotation @ centre])


def _to_frame(matrix: geometry.Matrix, points: geometry.Points) -> NDArray[np.float64]:
    return geometry.apply(geometry.inverse(matrix), points)


def _sample(rgb: NDArray[np.uint8], matrix: geometry.Matrix, size_px: int) -> NDArray[np.uint8]:
    return cv2.warpAffine(rgb, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR)
