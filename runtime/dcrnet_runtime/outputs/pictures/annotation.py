"""What a picture shows of an observation: names and boxes, and faces made unrecognisable."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Box
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.pictures.drawing import draw_face
from dcrnet_runtime.outputs.pictures.palette import colour_of
from dcrnet_runtime.recognizer import UNCERTAIN

_HOLD_S = 1.0
_MARGIN = 0.35  # of the face's longer side: hair, ears and chin identify as well
_CELLS = 6


class FaceBlur:
    """Leaves six by six colours of every face.

    Where a face was seen, the picture stays blurred for a second more, so that one that is lost
    for a few frames is not shown in them.
    """

    def __init__(self) -> None:
        self._boxes: dict[int, tuple[float, Box]] = {}  # by face

    def note(self, observation: Observation) -> None:
        """Remember where faces are; needed of every observation, also of those not shown."""
        now_s = observation.frame.time_s
        held = {
            key: (seen_s, box)
            for key, (seen_s, box) in self._boxes.items()
            if 0 <= now_s - seen_s <= _HOLD_S
        }
        for index, face in enumerate(observation.faces):
            held[face.track_id or -index] = (now_s, face.recognition.face.box)
        self._boxes = held  # at once: another thread may be drawing

    def blurred(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy of the (H, W, 3) RGB picture without recognisable faces."""
        canvas = rgb.copy()
        for _, box in self._boxes.values():
            _coarsen(rgb, canvas, box)
        return canvas


def annotated(observation: Observation, blur: FaceBlur | None = None) -> NDArray[np.uint8]:
    """A copy of the frame, (H, W, 3) RGB, with each face's box, number, label and probability.

    Args:
        observation: what to show.
        blur: hides the faces that it has noted, this observation's among them.
    """
    rgb = observation.frame.rgb
    canvas = rgb.copy() if blur is None else blur.blurred(rgb)
    for face in observation.faces:
        text = f"{face.label or UNCERTAIN} {face.probability:.0%}"
        named = f"{face.track_id}: {text}" if face.track_id else text
        colour = colour_of(face.label, face.recognition.labels)
        draw_face(canvas, face.recognition.face.box, named, colour)
    return canvas


def _coarsen(rgb: NDArray[np.uint8], canvas: NDArray[np.uint8], box: Box) -> None:
    """Copy the box from one picture to the other in a few colours."""
    margin = _MARGIN * box.side
    edges = np.array([box.x, box.y, box.x + box.width, box.y + box.height])
    if not math.isfinite(margin) or not np.isfinite(edges).all():
        return
    limits = np.array([canvas.shape[1], canvas.shape[0]] * 2)
    edges = np.clip(edges + np.array([-margin, -margin, margin, margin]), 0, limits)
    left, top = (int(v) for v in np.floor(edges[:2]))
    right, bottom = (int(v) for v in np.ceil(edges[2:]))
    width, height = right - left, bottom - top
    if width > 0 and height > 0:
        canvas[top:bottom, left:right] = coarse(rgb[top:bottom, left:right], width, height)


def coarse(rgb: NDArray[np.uint8], width: int, height: int | None = None) -> NDArray[np.uint8]:
    """A picture of (height, width) px, a square one unless told, of which six by six colours are
    left.
    """
    cells = cv2.resize(rgb, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    grown = cv2.resize(cells, (width, height or width), interpolation=cv2.INTER_LINEAR)
    return grown.astype(np.uint8, copy=False)
