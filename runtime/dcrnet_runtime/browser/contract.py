"""What the page must know beside the model's own card: the constants of finding and following."""

from __future__ import annotations

from typing import Any

from dcrnet_runtime import face
from dcrnet_runtime.detectors import blazeface, litert
from dcrnet_runtime.preprocess.focus import REGIONS
from dcrnet_runtime.stream import StreamOptions
from dcrnet_runtime.tracking.scheduler import LARGEST, ONE_FACE_IOU

MAX_FACES = 4
"""Faces that the page follows: each costs a phone a mesh and an answer a frame."""


def mesh_constants() -> dict[str, Any]:
    """Landmarks' numbers: the five points, each the middle of two, and the kept regions."""
    return {
        "landmarks": face.LANDMARKS,
        "five_starts": face.FIVE_STARTS,
        "five_ends": face.FIVE_ENDS,
        "right_eye": face.RIGHT_EYE,
        "left_eye": face.LEFT_EYE,
        "regions": REGIONS,
    }


def page_constants() -> dict[str, Any]:
    """JSON values for the page, out of the modules that use them here."""
    options = StreamOptions()
    return {
        "mesh": mesh_constants(),
        "detector": {
            "input_px": blazeface.INPUT_PX,
            "grids": blazeface.GRIDS,
            "keypoints": blazeface.KEYPOINTS,
            "right_eye": blazeface.RIGHT_EYE,
            "left_eye": blazeface.LEFT_EYE,
            "merged_iou": blazeface.MERGED_IOU,
            "min_score": litert.MIN_SCORE,
            "roi_scale": litert.ROI_SCALE,
            "min_second_presence": litert.MIN_SECOND_PRESENCE,
            "known_face_iou": litert.KNOWN_FACE_IOU,
            "known_face_containment": litert.KNOWN_FACE_CONTAINMENT,
            "one_face_iou": ONE_FACE_IOU,
            "largest_share": LARGEST,
            "max_faces": MAX_FACES,
            "redetect_s": options.redetect_s,
        },
        "smoothing": {"time_constant_s": options.smoothing_s, "margin": options.label_margin},
    }
