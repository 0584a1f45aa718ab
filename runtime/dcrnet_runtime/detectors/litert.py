"""MediaPipe's face networks run directly by LiteRT: no mediapipe wheel needed on the board."""

from __future__ import annotations

import importlib.util
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.interpreter import load_interpreter
from dcrnet_runtime.detectors import blazeface
from dcrnet_runtime.detectors.tiles import frame_square, search_squares
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import LANDMARKS, LEFT_EYE, RIGHT_EYE, Box, Face
from dcrnet_runtime.preprocess import geometry

ROI_SCALE = 1.5
MIN_SCORE = 0.5
# Intersection over union from which a finding is of a face that is already known: low, since the
# detector frames a face otherwise than its mesh does, and whom it skips it finds again later.
KNOWN_FACE_IOU = 0.3
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
            DcrnetError: the file does not exist, or is no such bundle.
        """
        try:
            with zipfile.ZipFile(path) as bundle:
                return cls(bundle.read(_BUNDLE_DETECTOR), bundle.read(_BUNDLE_LANDMARKS))
        except FileNotFoundError as error:
            raise DcrnetError(
                f"{path} does not exist: name a MediaPipe face_landmarker.task bundle, or none"
                " for the one in this package"
            ) from error
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise DcrnetError(
                f"{path} is not a MediaPipe face_landmarker.task bundle ({error}): name another"
                " one, or none for the one in this package"
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


class LiteRTDetector:
    """BlazeFace, then the face mesh on each detection.

    Args:
        networks: the models.
        max_faces: at most so many faces a frame, best first.
        min_score: detections and meshes below this confidence are not faces.
        threads: threads of each interpreter.
        far: also look at overlapping squares of half the frame's longer side, for faces half as
            large.
    """

    name = "MediaPipe networks on LiteRT"

    def __init__(
        self,
        networks: FaceNetworks,
        *,
        max_faces: int = 10,
        min_score: float = MIN_SCORE,
        threads: int = 1,
        far: bool = False,
    ) -> None:
        self.landmarks_sha256 = networks.landmarks_sha256
        self._detector = _Network(networks.detector, threads)
        self._mesh = _Network(networks.landmarks, threads)
        self.max_faces = max_faces
        self._min_score = min_score
        self._far = far

    def find(self, rgb: NDArray[np.uint8], known: Sequence[Face] = ()) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame that are not ``known``, best first."""
        faces: list[Face] = []
        for detection in self._detections(rgb):
            if len(known) + len(faces) == self.max_faces:
                break
            if _is_among(detection.box, (*known, *faces)):
                continue
            face = self._mesh_in(rgb, detection.box, detection.eyes, detection.score)
            if face is not None and not _is_among(face.box, faces):
                faces.append(face)
        return faces

    def follow(self, rgb: NDArray[np.uint8], face: Face) -> Face | None:
        """The face's mesh where it was in the frame before, or None where none is there."""
        mesh = face.landmarks
        if mesh is None:
            return None
        eyes = np.stack([mesh[list(RIGHT_EYE)].mean(axis=0), mesh[list(LEFT_EYE)].mean(axis=0)])
        return self._mesh_in(rgb, face.box, eyes, score=None)

    def _detections(self, rgb: NDArray[np.uint8]) -> list[_Detection]:
        """Every look's detections, best first."""
        height, width = rgb.shape[:2]
        looks = search_squares(width, height) if self._far else [frame_square(width, height)]
        found = [detection for square in looks for detection in self._detect(rgb, square)]
        return sorted(found, key=lambda detection: -detection.score)

    def _detect(self, rgb: NDArray[np.uint8], square: Box) -> list[_Detection]:
        frame = geometry.box_transform(square, 1.0, blazeface.INPUT_PX)
        codes = _sample(rgb, frame, blazeface.INPUT_PX)
        outputs = self._detector(codes.astype(np.float32) / 127.5 - 1.0)
        regressors = next(o for o in outputs if o.shape[-1] == 16).reshape(-1, 16)
        logits = next(o for o in outputs if o.shape[-1] == 1).reshape(-1)
        return [
            _Detection.in_frame(found, frame)
            for found in blazeface.decode(regressors, logits, self._min_score)
        ]

    def _mesh_in(
        self, rgb: NDArray[np.uint8], box: Box, eyes: geometry.Points, score: float | None
    ) -> Face | None:
        """The mesh within a box turned by the eyes' line; without ``score``, by its presence."""
        (right_x, right_y), (left_x, left_y) = eyes
        angle = math.atan2(left_y - right_y, left_x - right_x)
        side = box.side * ROI_SCALE
        if not math.isfinite(side + angle + sum(box.centre)) or side < 2:
            return None
        size_px = self._mesh.size_px
        roi = _rotated_square(np.asarray(box.centre), side, angle, size_px)
        outputs = self._mesh(_sample(rgb, roi, size_px).astype(np.float32) / 255.0)
        mesh = max(outputs, key=lambda output: output.size).reshape(-1, 3)[:LANDMARKS, :2]
        # The bundle's network has a third, unused output; presence comes second in both.
        logit = min(max(float(outputs[1].reshape(-1)[0]), -80.0), 80.0)
        presence = 1.0 / (1.0 + math.exp(-logit))
        if presence < self._min_score:
            return None
        landmarks = _to_frame(roi, mesh - 0.5).astype(np.float32)
        return Face(Box.around(landmarks), landmarks, presence if score is None else score)


@dataclass(frozen=True, slots=True, eq=False)
class _Detection:
    """A detected face in px of the frame; ``eyes`` are the right and the left one, (2, 2)."""

    box: Box
    eyes: NDArray[np.float64]
    score: float

    @classmethod
    def in_frame(cls, found: blazeface.Detection, frame: geometry.Matrix) -> _Detection:
        eyes = found.keypoints[[blazeface.RIGHT_EYE, blazeface.LEFT_EYE]]
        corners = found.corners.reshape(2, 2)
        return cls(
            Box.around(_to_frame(frame, corners * blazeface.INPUT_PX - 0.5)),
            _to_frame(frame, eyes * blazeface.INPUT_PX - 0.5),
            found.score,
        )


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


def _is_among(box: Box, faces: Sequence[Face]) -> bool:
    return any(box.overlap(face.box) > KNOWN_FACE_IOU for face in faces)


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
