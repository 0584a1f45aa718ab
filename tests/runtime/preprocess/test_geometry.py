"""Any face in any frame gives a crop or the documented error, and no pixel from elsewhere."""

from __future__ import annotations

import math

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from dcrnet_runtime.face import LANDMARKS, LEFT_EYE, RIGHT_EYE, Box, Face
from dcrnet_runtime.preprocess import geometry
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.gamma import adaptive_gamma, gamma_table
from dcrnet_runtime.preprocess.spec import Border, Colour, PreprocessSpec
from dcrnet_runtime.video.images import decode_image

SPECS = [
    PreprocessSpec(size_px=32, focus_strength=0.5, border=border, colour=colour)
    for border in Border
    for colour in Colour
]
any_float = st.floats(width=32)
near = st.floats(-500, 500)


@st.composite
def faces(draw: st.DrawFn) -> Face:
    """A box or a mesh, sensible or absurd: huge, tiny, far away, without area, not finite."""
    number = draw(st.sampled_from([near, any_float]))
    box = Box(draw(number), draw(number), draw(number), draw(number))
    if draw(st.booleans()):
        return Face(box)
    mesh = np.zeros((LANDMARKS, 2), np.float32)
    mesh[:] = [draw(number), draw(number)]
    for index in (*RIGHT_EYE, *LEFT_EYE, 1, 61, 291):
        mesh[index] = draw(number), draw(number)
    return Face(box, mesh)


@settings(max_examples=120, deadline=None)
@given(
    faces(), st.sampled_from(SPECS), st.integers(1, 90), st.integers(1, 90), st.integers(0, 255)
)
def test_a_crop_shows_its_frame_alone(
    face: Face, spec: PreprocessSpec, height: int, width: int, code: int
) -> None:
    """The frame lies in a larger picture; what is around it never changes the crop."""
    around = np.full((height + 20, width + 20, 3), code, np.uint8)
    frame = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    around[10:-10, 10:-10] = frame
    try:
        crop = prepare(frame, face, spec)
    except ValueError:
        return
    assert crop.shape == (32, 32, 3)
    assert crop.dtype == np.uint8
    assert (crop == prepare(around[10:-10, 10:-10], face, spec)).all()


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, (5, 2), elements=st.floats(-1e6, 1e6)))
def test_an_alignment_is_a_similarity_or_an_error(points: NDArray[np.float64]) -> None:
    target = geometry.template_px(PreprocessSpec().template, 64)
    try:
        matrix = geometry.similarity(points, target)
    except ValueError:
        return
    assert np.isfinite(matrix).all()
    a, b = matrix[0, 0], matrix[1, 0]
    assert np.allclose(matrix[:, :2], [[a, -b], [b, a]])
    assert np.linalg.norm(geometry.apply(matrix, points).mean(axis=0) - target.mean(axis=0)) < 1e-3


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
)
def test_gamma_stays_within_its_clip(luma: NDArray[np.uint8], one: float, other: float) -> None:
    low, high = sorted((one, other))
    gamma = adaptive_gamma(luma, low, high)
    assert low <= gamma <= high
    table = gamma_table(gamma)
    assert table[0] == 0
    assert table[255] == 255
    assert (np.diff(table.astype(int)) >= 0).all()


@settings(max_examples=60, deadline=None)
@given(*[st.floats(-1e3, 1e3)] * 2, *[st.floats(0.01, 1e3)] * 2, *[st.floats(-1e3, 1e3)] * 2)
def test_overlap_is_a_share(
    x: float, y: float, width: float, height: float, dx: float, dy: float
) -> None:
    box, other = Box(x, y, width, height), Box(x + dx, y + dy, height, width)
    share = box.overlap(other)
    assert 0 <= share <= 1 + 1e-9
    assert math.isclose(share, other.overlap(box))
    assert math.isclose(box.overlap(box), 1)


def test_exif_turns_a_photo_upright() -> None:
    """Orientation 6, as a phone held upright writes it: the picture is shown turned clockwise."""
    lying = np.zeros((40, 60, 3), np.uint8)
    lying[:, :30] = 255
    jpeg = cv2.imencode(".jpg", lying)[1].tobytes()
    tiff = b"MM\0*\0\0\0\x08" + b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + bytes(4)
    segment = b"Exif\0\0" + tiff
    exif = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    rgb = decode_image(jpeg[:2] + exif + jpeg[2:], "photo")
    assert rgb.shape == (60, 40, 3)
    assert rgb[10, 20, 0] > 200
    assert rgb[50, 20, 0] < 50
