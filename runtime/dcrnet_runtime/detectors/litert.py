"""MediaPipe's face networks run directly by LiteRT: no mediapipe wheel needed on the board."""

from __future__ import annotations

import math
import zipfile
import zlib
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
from dcrnet_runtime.detectors.box_search import surrounded, whole_picture
from dcrnet_runtime.detectors.limit import FaceLimit
from dcrnet_runtime.detectors.tiles import TILE_SHARE, frame_square, tiles
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import LANDMARKS, LEFT_EYE, RIGHT_EYE, Box, Face
from dcrnet_runtime.preprocess import geometry

ROI_SCALE = 1.5
# Intersection over union from which a finding is of a face that is already known: low, since the
# detector frames a face otherwise than its mesh does, and whom it skips it finds again later.
KNOWN_FACE_IOU = 0.3
# A tile that shows half a face finds a smaller one in it, which overlaps the whole one by little.
KNOWN_FACE_CONTAINMENT = 0.7
MIN_SCORE = 0.5
# Tiles look seven times, so that they see as many more faces where there are none: of what tiles
# alone see in pictures without faces, 28 of 36 score less, of real faces 3 of 72.
_MIN_TILE_SCORE = 0.6
MIN_SECOND_PRESENCE = 0.9
# A picture in which nothing was found may be filled by a face (docs/model.md has the counts): what
# scores less than is usual counts where the mesh is sure, and without a mesh what scores more.
_MIN_FAINT_SCORE, _MIN_FAINT_PRESENCE = 0.3, 0.99
_MIN_BOXED_SCORE = 0.6
_BUNDLE_DETECTOR = "face_detector.tflite"
_BUNDLE_LANDMARKS = "face_landmarks_detector.tflite"
_LARGEST_NETWORK = 64 << 20  # bytes; the shipped ones have 0.2 and 2.5 million
_UNREADABLE = (
    *(OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error),
    *(NotImplementedError, RuntimeError),  # another compression, a password
)


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
                return cls(_member(bundle, _BUNDLE_DETECTOR), _member(bundle, _BUNDLE_LANDMARKS))
        except FileNotFoundError as error:
            raise DcrnetError(
                f"{path} does not exist: name a MediaPipe face_landmarker.task bundle, or none"
                " for the one in this package"
            ) from error
        except _UNREADABLE as error:
            raise DcrnetError(
                f"{path} is not a MediaPipe face_landmarker.task bundle ({error}): name another"
                " one, or none for the one in this package"
            ) from error


def _member(bundle: zipfile.ZipFile, name: str) -> bytes:
    """A network out of a bundle, whatever size the bundle states for it.

    Raises:
        ValueError: it is absurdly large.
    """
    with bundle.open(name) as file:
        content = file.read(_LARGEST_NETWORK + 1)
    if len(content) > _LARGEST_NETWORK:
        raise ValueError(f"{name} has more than {_LARGEST_NETWORK >> 20} MB")
    return content


class LiteRTDetector:
    """BlazeFace, then the face mesh on each detection.

    Args:
        networks: the models.
        max_faces: at most so many faces a frame, best first.
        min_score: detections below this confidence, 0..1, are not faces; None for 0.5, and for
            less where the picture may be filled by a face and the mesh is sure of it.
        min_face_px: faces whose longer side is shorter are left out.
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
        min_score: float | None = None,
        min_face_px: float = 0.0,
        threads: int = 1,
        far: bool = False,
    ) -> None:
        self.landmarks_sha256 = networks.landmarks_sha256
        self._detector = _Network(networks.detector, threads)
        self._mesh = _Network(networks.landmarks, threads)
        self.max_faces = max_faces
        self._limit = FaceLimit(max_faces)
        self._min_score = MIN_SCORE if min_score is None else min_score
        self._min_faint_score = _MIN_FAINT_SCORE if min_score is None else min_score
        self._min_face_px = min_face_px
        self._far = far

    def find(self, rgb: NDArray[np.uint8], known: Sequence[Face] = ()) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame that are not ``known``, best first.

        When there are more than ``max_faces``, that is said once, in a warning.
        """
        faces = self._meshes(rgb, self._detect(rgb, _square(rgb), self._min_score), known)
        if self._far and not any(_fills(face.box, rgb) for face in faces):
            least = max(self._min_score, _MIN_TILE_SCORE)
            squares = tiles(*rgb.shape[1::-1])
            found = [each for square in squares for each in self._detect(rgb, square, least)]
            found.sort(key=lambda detection: -detection.score)
            faces += self._meshes(rgb, found, (*known, *faces))
        faces.sort(key=lambda face: -face.score)
        return self._limit.kept(faces, len(known))

    def find_faint(self, rgb: NDArray[np.uint8]) -> Face | None:
        """The face of an (H, W, 3) uint8 RGB picture that one may fill, where others see none.

        One turned so far that its mesh is not to be trusted has a box and no landmarks.
        """
        region, left, top = surrounded(rgb, whole_picture(rgb))
        best: Face | None = None
        for found in self._detect(region, _square(region), self._min_faint_score):
            mesh = self._mesh_in(region, found.box, found.eyes, found.score, _MIN_FAINT_PRESENCE)
            is_boxed = found.score >= max(_MIN_BOXED_SCORE, self._min_score)
            if mesh is None and is_boxed and found.box.side >= self._min_face_px:
                mesh = Face(found.box, None, found.score)
            if mesh is not None and (best is None or mesh.score > best.score):
                best = mesh
        return None if best is None else best.moved(left, top)

    def follow(self, rgb: NDArray[np.uint8], face: Face) -> Face | None:
        """The face's mesh where it was in the frame before, or None where none is there."""
        mesh = face.landmarks
        if mesh is None:
            return None
        eyes = np.stack([mesh[list(RIGHT_EYE)].mean(axis=0), mesh[list(LEFT_EYE)].mean(axis=0)])
        return self._mesh_in(rgb, face.box, eyes, None, MIN_SCORE)

    def _meshes(
        self, rgb: NDArray[np.uint8], detections: Sequence[_Detection], known: Sequence[Face]
    ) -> list[Face]:
        """The mesh in each detection, best first, that is of no face before it."""
        faces: list[Face] = []
        for detection in detections:
            seen = (*known, *faces)
            # One more than is kept tells that there are more. Always, so that what a picture is
            # answered does not depend on those before it.
            if len(seen) > self.max_faces:
                break
            if _is_among(detection.box, seen):
                continue
            least = MIN_SECOND_PRESENCE if seen else MIN_SCORE
            face = self._mesh_in(rgb, detection.box, detection.eyes, detection.score, least)
            if face is not None and not _is_among(face.box, seen):
                faces.append(face)
        return faces

    def _detect(self, rgb: NDArray[np.uint8], square: Box, min_score: float) -> list[_Detection]:
        """What the detector sees in a square of the frame, best first."""
        frame = geometry.box_transform(square, 1.0, blazeface.INPUT_PX)
        codes = _sample(rgb, frame, blazeface.INPUT_PX)
        outputs = self._detector(codes.astype(np.float32) / 127.5 - 1.0)
        regressors = next(o for o in outputs if o.shape[-1] == 16).reshape(-1, 16)
        logits = next(o for o in outputs if o.shape[-1] == 1).reshape(-1)
        return [
            _Detection.in_frame(found, frame)
            for found in blazeface.decode(regressors, logits, min_score)
        ]

    def _mesh_in(
        self,
        rgb: NDArray[np.uint8],
        box: Box,
        eyes: geometry.Points,
        score: float | None,
        min_presence: float,
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
        if presence < min_presence:
            return None
        landmarks = _to_frame(roi, mesh - 0.5).astype(np.float32)
        if Box.around(landmarks).side < self._min_face_px:
            return None
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
    return any(
        box.overlap(face.box) > KNOWN_FACE_IOU
        or box.containment(face.box) > KNOWN_FACE_CONTAINMENT
        for face in faces
    )


def _square(rgb: NDArray[np.uint8]) -> Box:
    return frame_square(*rgb.shape[1::-1])


def _fills(box: Box, rgb: NDArray[np.uint8]) -> bool:
    """Whether a face is too large for a tile, as none in the tiles is then a second one."""
    return box.side > TILE_SHARE * max(rgb.shape[:2])


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
