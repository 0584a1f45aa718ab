"""A face of a frame to the network's input: the one implementation of the contract."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess import geometry
from dcrnet_runtime.preprocess.focus import focus_mask, suppress
from dcrnet_runtime.preprocess.gamma import adaptive_gamma, gamma_table
from dcrnet_runtime.preprocess.spec import (
    Alignment,
    Border,
    Colour,
    Interpolation,
    PreprocessSpec,
)

_INTERPOLATION = {
    Interpolation.LINEAR: cv2.INTER_LINEAR,
    Interpolation.CUBIC: cv2.INTER_CUBIC,
}
_BORDER = {Border.FILL: cv2.BORDER_CONSTANT, Border.REPLICATE: cv2.BORDER_REPLICATE}


@dataclass(frozen=True, slots=True, eq=False)
class CropStages:
    """What a face goes through on its way to the network.

    Attributes:
        aligned: (size_px, size_px) uint8 luma or (size_px, size_px, 3) uint8 RGB, as the contract
            has it.
        gamma: the exponent of the adaptive gamma correction; 1 where the contract has none.
        corrected: ``aligned`` by that exponent, of its shape.
        prepared: (size_px, size_px, 3) uint8 RGB, the network's input: ``corrected`` after the
            landmark focus, where the contract has one and the face landmarks.
    """

    aligned: NDArray[np.uint8]
    gamma: float
    corrected: NDArray[np.uint8]
    prepared: NDArray[np.uint8]


def prepare(
    rgb: NDArray[np.uint8],
    face: Face,
    spec: PreprocessSpec,
    jitter: geometry.Matrix | None = None,
) -> NDArray[np.uint8]:
    """Everything between a frame and the network, as ``spec`` says.

    The frame is converted to luma (where the spec asks for it) and averaged down to
    ``source_px`` before the warp rather than behind it: both are linear, so the result is the
    same, the warp is the only interpolation, and hue at equal luma cannot reach the gamma.

    Args:
        rgb: (H, W, 3) uint8 frame, RGB.
        face: one of its faces, in px of the frame.
        spec: the model's contract.
        jitter: a (2, 3) map within the crop, in px of it, applied behind the alignment: the
            augmentation of training, which so costs no second interpolation.

    Returns:
        (size_px, size_px, 3) uint8, RGB (three equal channels with ``luma``).

    Raises:
        UnusableFaceError: the face lies outside the frame or is degenerate.
    """
    return crop_stages(rgb, face, spec, jitter).prepared


def crop_stages(
    rgb: NDArray[np.uint8],
    face: Face,
    spec: PreprocessSpec,
    jitter: geometry.Matrix | None = None,
) -> CropStages:
    """What :func:`prepare` does, with what it goes through; arguments and errors are its own."""
    matrix = crop_transform(face, spec)
    if jitter is not None:
        matrix = jitter @ np.vstack([matrix, (0.0, 0.0, 1.0)])
    aligned = _warp(rgb, matrix, spec)
    gamma = _gamma_of(aligned, spec)
    crop = corrected = aligned if gamma == 1.0 else cv2.LUT(aligned, gamma_table(gamma))
    if uses_focus(face, spec):
        landmarks = geometry.apply(matrix, face.landmarks)  # type: ignore[arg-type]
        mask = focus_mask(landmarks, spec.size_px, spec.focus_margin)
        crop = suppress(crop, mask, spec.focus_strength, spec.fill)
    if crop.ndim == 2:
        crop = cv2.cvtColor(crop, cv2.COLOR_GRAY2RGB)
    return CropStages(aligned, gamma, corrected, crop)


def uses_focus(face: Face, spec: PreprocessSpec) -> bool:
    """Whether the landmark focus is applied to a face."""
    return spec.focus_strength > 0 and _uses_landmarks(face, spec)


def crop_transform(face: Face, spec: PreprocessSpec) -> geometry.Matrix:
    """Frame px to crop px: the aligned path where landmarks are used, else the box's.

    Raises:
        UnusableFaceError: the face is degenerate.
    """
    if _uses_landmarks(face, spec):
        target = geometry.template_px(spec.template, spec.size_px)
        return geometry.similarity(face.five_points().astype(np.float64), target)
    return geometry.box_transform(face.box, spec.box_scale, spec.size_px)


def _uses_landmarks(face: Face, spec: PreprocessSpec) -> bool:
    return spec.alignment is Alignment.LANDMARKS and face.landmarks is not None


def _warp(
    rgb: NDArray[np.uint8], matrix: geometry.Matrix, spec: PreprocessSpec
) -> NDArray[np.uint8]:
    """The crop, (size_px, size_px) or (size_px, size_px, 3), low-passed to ``source_px``."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = geometry.visible_region(
        matrix, spec.size_px, spec.source_px, height, width
    )
    region = rgb[top:bottom, left:right]
    if spec.colour is Colour.LUMA:
        region = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY)
    region, shrink_x, shrink_y = _low_pass(region, geometry.zoom_of(matrix), spec)
    # Region px back to frame px: pixel centres sit half a pixel inside their cells.
    to_frame = np.array(
        [
            [shrink_x, 0.0, left + (shrink_x - 1) / 2],
            [0.0, shrink_y, top + (shrink_y - 1) / 2],
            [0.0, 0.0, 1.0],
        ]
    )
    return cv2.warpAffine(
        region,
        matrix @ to_frame,
        (spec.size_px, spec.size_px),
        flags=_INTERPOLATION[spec.interpolation],
        borderMode=_BORDER[spec.border],
        borderValue=(spec.fill, spec.fill, spec.fill),
    )


def _low_pass(
    region: NDArray[np.uint8], zoom: float, spec: PreprocessSpec
) -> tuple[NDArray[np.uint8], float, float]:
    """Average the region down to ``source_px`` across the crop; never enlarges.

    Returns:
        the region and the frame px that one of its px is wide and high.
    """
    frame_px_across = spec.size_px / zoom
    shrink = frame_px_across / spec.source_px
    if shrink <= 1.0:
        return region, 1.0, 1.0
    height, width = region.shape[:2]
    small = max(1, round(width / shrink)), max(1, round(height / shrink))
    return (
        cv2.resize(region, small, interpolation=cv2.INTER_AREA),
        width / small[0],
        height / small[1],
    )


def _gamma_of(crop: NDArray[np.uint8], spec: PreprocessSpec) -> float:
    if spec.gamma_min == spec.gamma_max == 1.0:
        return 1.0
    luma = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return adaptive_gamma(luma, spec.gamma_min, spec.gamma_max)
