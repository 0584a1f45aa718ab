"""Augmentation by what cameras and heads do, seeded by seed, epoch and sample.

Everything photometric happens before the contract, where the camera sits; the geometric part
is a map that :func:`dcrnet_runtime.preprocess.crops.prepare` composes into its one warp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.corruptions import TRAINED, corrupt
from dcrnet_runtime.preprocess.geometry import Matrix


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Strengths; each magnitude is drawn uniformly from its range for every sample and epoch.

    Attributes:
        rotation_deg: at most, either way.
        scale: relative, either way.
        shift: as a fraction of the crop's side, either way.
        shear: tangent, either way.
        flip: chance of a mirror image.
        box_only: chance that a sample's landmarks are withheld, so that the box-only path is
            trained as well.
        camera: chance of each of exposure, blur, noise and JPEG.
        erase: chance that a rectangle of the crop is replaced by noise.
        corrupt: chance of one of :data:`dcrnet_edge.data.corruptions.TRAINED`, alike.
        corrupt_box_only: chance that a corrupted sample's landmarks are withheld: what covers or
            darkens a face hides it from the detector as well.
    """

    rotation_deg: float = 10.0
    scale: float = 0.10
    shift: float = 0.05
    shear: float = 0.08
    flip: float = 0.5
    box_only: float = 0.15
    camera: float = 0.15
    erase: float = 0.15
    corrupt: float = 0.0
    corrupt_box_only: float = 0.3


def sample_generator(seed: int, epoch: int, index: int, repeat: int) -> np.random.Generator:
    """The random numbers of one showing of one sample, the same in any order of loading."""
    return np.random.default_rng((seed, epoch, index, repeat))


def random_jitter(rng: np.random.Generator, config: AugmentConfig, size_px: int) -> Matrix:
    """Rotation, scale, shear, mirror and shift about the crop's middle, (2, 3) in crop px."""
    angle = math.radians(rng.uniform(-config.rotation_deg, config.rotation_deg))
    zoom = 1.0 + rng.uniform(-config.scale, config.scale)
    shear = rng.uniform(-config.shear, config.shear)
    mirror = -1.0 if rng.random() < config.flip else 1.0
    cos, sin = math.cos(angle), math.sin(angle)
    linear = zoom * np.array([[cos, -sin], [sin, cos]]) @ [[mirror, shear], [0.0, 1.0]]
    middle = np.full(2, (size_px - 1) / 2)
    shift = rng.uniform(-config.shift, config.shift, 2) * size_px
    return np.column_stack([linear, middle + shift - linear @ middle])


def camera_faults(
    rgb: NDArray[np.uint8], rng: np.random.Generator, chance: float
) -> NDArray[np.uint8]:
    """Exposure, blur, noise and JPEG artefacts, each with ``chance``; (H, W, 3) RGB uint8."""
    if rng.random() < chance:
        gain, offset = rng.uniform(0.35, 1.5), rng.uniform(-30.0, 30.0)
        rgb = np.clip(rgb * gain + offset, 0, 255).astype(np.uint8)
    if rng.random() < chance:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < chance:
        noise = rng.normal(0.0, rng.uniform(2.0, 12.0), rgb.shape[:2])
        rgb = np.clip(rgb + noise[:, :, None], 0, 255).astype(np.uint8)
    if rng.random() < chance:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        rgb = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", rgb, quality)[1], cv2.IMREAD_COLOR), np.uint8
        )
    return rgb


def corrupted(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One of the kinds of corruption that training may show, on (H, W, 3) RGB uint8."""
    return corrupt(rgb, TRAINED[int(rng.integers(len(TRAINED)))], rng)


def erase(crop: NDArray[np.uint8], rng: np.random.Generator, chance: float) -> NDArray[np.uint8]:
    """Replace a rectangle of 2 to 20 % of the (S, S, 3) crop by noise, with ``chance``."""
    if rng.random() >= chance:
        return crop
    side = crop.shape[0]
    area, aspect = rng.uniform(0.02, 0.2), math.exp(rng.uniform(-1.0, 1.0))
    height = min(side, max(1, round(side * math.sqrt(area * aspect))))
    width = min(side, max(1, round(side * math.sqrt(area / aspect))))
    top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    crop = crop.copy()
    noise = rng.integers(0, 256, (height, width, 1), dtype=np.uint8)
    crop[top : top + height, left : left + width] = noise
    return crop
