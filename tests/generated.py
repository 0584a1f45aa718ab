"""Generated faces: what tests use in place of photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import (
    LANDMARKS,
    LEFT_EYE,
    LEFT_MOUTH,
    NOSE_TIP,
    RIGHT_EYE,
    RIGHT_MOUTH,
    Box,
    Face,
)

VOTES_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
TinyModel = Callable[..., Path]
"""What the fixture ``tiny_model`` gives: writes a small ONNX model, and says where."""
LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


def synthetic_frame(height: int = 240, width: int = 320, seed: int = 0) -> NDArray[np.uint8]:
    """Coloured noise over a gradient, (height, width, 3) uint8 RGB: detail at every scale."""
    rng = np.random.default_rng(seed)
    gradient = np.linspace(0, 120, width)[None, :, None] + np.zeros((height, 1, 3))
    return (gradient + rng.integers(0, 120, (height, width, 3))).astype(np.uint8)


def synthetic_face(
    centre: tuple[float, float] = (150.0, 120.0), side: float = 120.0, turn_deg: float = 10.0
) -> Face:
    """A face whose mesh lies in an ellipse, eyes, nose and mouth where faces have them."""
    rng = np.random.default_rng(1)
    angle, radius = rng.uniform(0, 2 * np.pi, LANDMARKS), np.sqrt(rng.uniform(0, 1, LANDMARKS))
    mesh = np.stack([0.4 * radius * np.cos(angle), 0.5 * radius * np.sin(angle)], axis=1)
    mesh[list(RIGHT_EYE)] = (-0.22, -0.15), (-0.12, -0.15)
    mesh[list(LEFT_EYE)] = (0.12, -0.15), (0.22, -0.15)
    mesh[NOSE_TIP] = 0.0, 0.08
    mesh[RIGHT_MOUTH], mesh[LEFT_MOUTH] = (-0.14, 0.25), (0.14, 0.25)
    turn = np.radians(turn_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    landmarks = (mesh * side @ rotation.T + centre).astype(np.float32)
    return Face(Box.around(landmarks), landmarks)


class FixedDetector:
    """Finds the same faces in every frame."""

    name = "fixed"

    def __init__(self, *faces: Face, landmarks_sha256: str = "") -> None:
        self.faces = list(faces)
        self.landmarks_sha256 = landmarks_sha256

    def __deepcopy__(self, _memo: object) -> FixedDetector:
        raise TypeError("an interpreter inside a detector cannot be copied")

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        return self.faces


def write_clip(path: Path, frames: int, fps: float = 10) -> Path:
    """A 320 x 240 video in MJPEG, each frame with noise of its own."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (320, 240))
    for seed in range(frames):
        writer.write(synthetic_frame(seed=seed))
    writer.release()
    return path


def write_ferplus(root: Path, images: int = 6) -> Path:
    """A tree in FERPlus's layout: ``images`` 48 x 48 grey faces a split, of two expressions.

    The first Test image occurs again in Train, one Train image has tied votes, and one is
    voted contempt.
    """
    rng = np.random.default_rng(5)
    rows = [VOTES_HEADER]
    repeated = rng.integers(0, 256, (48, 48), dtype=np.uint8)
    for usage, folder in (
        ("Training", "FER2013Train"),
        ("PublicTest", "FER2013Valid"),
        ("PrivateTest", "FER2013Test"),
    ):
        (root / folder).mkdir(parents=True)
        for index in range(images):
            name = f"fer{len(rows):07}.png"
            pixels = rng.integers(0, 120, (48, 48), np.uint8) + np.uint8(100 * (index % 2))
            if index == 0 and usage != "PublicTest":
                pixels = repeated
            cv2.imwrite(str(root / folder / name), pixels)
            votes = "0,8,1,0,1,0,0,0,0,0" if index % 2 else "7,0,0,3,0,0,0,0,0,0"
            if usage == "Training" and index == images - 1:
                votes = "5,5,0,0,0,0,0,0,0,0"
            if usage == "Training" and index == images - 2:
                votes = "1,0,0,0,0,0,0,9,0,0"
            rows.append(f"{usage},{name},{votes}")
    (root / "fer2013new.csv").write_text("\n".join(rows) + "\n")
    return root
