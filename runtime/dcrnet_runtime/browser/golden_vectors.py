"""Golden vectors of the whole contract: frames and faces, their crops and the model's answers.

Another implementation of the contract (the page's, an Android app's) is right where it gives these
crops and probabilities. Frames and faces are drawn, not photographed.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.golden import golden_crops
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.browser.contract import mesh_constants
from dcrnet_runtime.face import FIVE_ENDS, FIVE_STARTS, LANDMARKS, Box, Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.focus import REGIONS
from dcrnet_runtime.preprocess.geometry import apply, inverse, similarity
from dcrnet_runtime.preprocess.spec import PreprocessSpec

VERSION = 1
CODES_TOLERANCE = 2
"""What a crop's code may differ by: processors and versions of OpenCV round otherwise."""

PROBABILITY_TOLERANCE = 0.02

_SIDE = 160
_EYES = 0.07  # half an eye's width


@dataclass(frozen=True, slots=True)
class _Case:
    """A face to draw: where, how large and turned, and how far its features are torn apart."""

    frame: str
    centre: tuple[float, float]
    side: float
    turn: float = 0.0
    tear: float = 1.0
    has_landmarks: bool = True


_CASES = {
    "upright": _Case("plain", (80, 82), 110),
    "smaller than the training faces": _Case("plain", (70, 90), 31),
    "turned": _Case("plain", (84, 78), 90, turn=0.6),
    "past the frame's edge": _Case("plain", (140, 30), 120, turn=-0.3),
    "features past the crop's edge": _Case("plain", (80, 80), 100, tear=3.5),
    "box alone": _Case("plain", (81, 77), 97, has_landmarks=False),
    "dark": _Case("dark", (78, 80), 120, turn=0.1),
    "bright": _Case("bright", (80, 84), 104, turn=-0.1),
}


def golden_vectors(model: Model) -> dict[str, Any]:
    """The vectors of one model, as JSON values.

    Pictures are base64 of zlib's bytes: frames (H, W, 3) uint8 RGB, crops (size_px, size_px)
    uint8, the luma that all three channels of the input hold.

    Args:
        model: whose card says the contract, and who answers.

    Raises:
        DcrnetError: the model cannot be run.
    """
    spec = model.card.preprocess
    frames = _frames()
    faces = {name: _face(case, spec) for name, case in _CASES.items()}
    crops = [prepare(frames[_CASES[name].frame], face, spec) for name, face in faces.items()]
    answers = model.probabilities(np.stack(crops))
    return {
        "version": VERSION,
        "spec": json.loads(spec.to_json()),
        "mesh": mesh_constants(),
        "labels": model.card.labels,
        "model_sha256": model.sha256,
        "tolerance": {"codes": CODES_TOLERANCE, "probability": PROBABILITY_TOLERANCE},
        "frames": {
            name: {"width": _SIDE, "height": _SIDE, "rgb": _packed(rgb)}
            for name, rgb in frames.items()
        },
        "cases": [
            _case(name, face, crop, answer)
            for (name, face), crop, answer in zip(faces.items(), crops, answers, strict=True)
        ],
    }


def unpacked(text: str) -> NDArray[np.uint8]:
    """The bytes of a picture."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)


def _packed(picture: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(picture.tobytes(), 9)).decode()


def _case(
    name: str, face: Face, crop: NDArray[np.uint8], answer: NDArray[np.float32]
) -> dict[str, Any]:
    landmarks = None if face.landmarks is None else face.landmarks.tolist()
    box = face.box
    return {
        "name": name,
        "frame": _CASES[name].frame,
        "box": {"x": box.x, "y": box.y, "width": box.width, "height": box.height},
        "landmarks": landmarks,
        "crop": _packed(crop[:, :, 0]),
        "probabilities": [round(float(value), 4) for value in answer],
    }


def _frames() -> dict[str, NDArray[np.uint8]]:
    """A drawn face over coloured blotches in three lights, (160, 160, 3) uint8 each."""
    crops = golden_crops(_SIDE).astype(np.int64)
    plain = 3 * crops[0] // 4 + crops[4] // 16 * 4  # in steps, which compress
    lights = {"plain": plain, "dark": plain // 5, "bright": 255 - (255 - plain) // 5}
    return {name: light.astype(np.uint8) for name, light in lights.items()}


def _face(case: _Case, spec: PreprocessSpec) -> Face:
    """A mesh laid over the template, in eighths of a px, so that it is exact in JSON."""
    half, (x, y) = case.side / 2, case.centre
    cos, sin = half * math.cos(case.turn), half * math.sin(case.turn)
    frame_corners = np.array([[x - cos + sin, y - sin - cos], [x + cos + sin, y + sin - cos]])
    to_frame = inverse(similarity(frame_corners, np.array([[0.0, 0.0], [1.0, 0.0]])))
    points = apply(to_frame, _mesh(spec, case.tear))
    landmarks = (np.rint(points * 8) / 8).astype(np.float32)
    return Face(Box.around(landmarks), landmarks if case.has_landmarks else None)


def _mesh(spec: PreprocessSpec, tear: float) -> NDArray[np.float64]:
    """(468, 2) fractions of the crop: an oval, each kept region a ring, the five points."""
    index = np.arange(LANDMARKS)
    radius, angle = 0.5 * np.sqrt((index + 0.5) / LANDMARKS), index * 2.4
    mesh = 0.5 + np.stack([radius * np.cos(angle), 1.1 * radius * np.sin(angle)], axis=1)
    right_eye, left_eye, nose, right_mouth, left_mouth = np.array(spec.template)
    centres = ((right_mouth + left_mouth) / 2, nose - (0, 0.1), right_eye, left_eye)
    half_axes = ((0.16, 0.06), (0.08, 0.16), (0.12, 0.07), (0.12, 0.07))
    for region, centre, axes in zip(REGIONS, centres, half_axes, strict=True):
        turn = np.arange(len(region)) * 2 * np.pi / len(region)
        ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        mesh[region] = centre + tear * np.array(axes) * ring
    for i, point in enumerate(np.array(spec.template)):
        eye = (_EYES if i < 2 else 0.0, 0.0)
        mesh[FIVE_STARTS[i]], mesh[FIVE_ENDS[i]] = point - eye, point + eye
    return mesh
