"""Corruptions: each does to the codes what its table says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from generated import synthetic_frame
from numpy.typing import NDArray

from dcrnet_edge.data.corruptions import HELD_OUT, TRAINED, Corruption, corrupt

ALL = pytest.mark.parametrize("kind", list(Corruption))


def picture(side: int = 48) -> NDArray[np.uint8]:
    """Grey noise over a gradient in three equal channels, all codes 1..239."""
    return np.repeat(synthetic_frame(side, side)[:, :, :1], 3, axis=2) | np.uint8(1)


def flat(code: int, side: int = 48) -> NDArray[np.uint8]:
    return np.full((side, side, 3), code, np.uint8)


def corrupted(rgb: NDArray[np.uint8], kind: Corruption, seed: int = 0) -> NDArray[np.uint8]:
    return corrupt(rgb, kind, np.random.default_rng(seed))


def test_every_kind_is_trained_on_or_held_out() -> None:
    assert sorted([*TRAINED, *HELD_OUT]) == sorted(Corruption)


@ALL
def test_pure_and_the_same_by_seed(kind: Corruption) -> None:
    rgb = picture()
    before = rgb.copy()
    found = corrupted(rgb, kind)
    assert np.array_equal(rgb, before)
    assert found.shape == rgb.shape
    assert found.dtype == np.uint8
    assert not np.array_equal(found, rgb)
    assert not np.shares_memory(found, rgb)
    assert np.array_equal(found, corrupted(rgb, kind))


@ALL
def test_grey_stays_grey(kind: Corruption) -> None:
    found = corrupted(picture(), kind)
    assert (found == found[:, :, :1]).all()


@ALL
@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 31, 3), (112, 97, 3)])
def test_any_shape(kind: Corruption, shape: tuple[int, int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert corrupted(rgb, kind).shape == shape


@pytest.mark.parametrize(
    "kind",
    [
        Corruption.NOISE_10,
        Corruption.NOISE_25,
        Corruption.SQUARE,
        Corruption.SHOT_NOISE,
        Corruption.ROTATION,
    ],
)
def test_another_seed_is_another_draw(kind: Corruption) -> None:
    rgb = picture()
    first = corrupted(rgb, kind)
    assert any(not np.array_equal(first, corrupted(rgb, kind, seed)) for seed in range(1, 9))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Corruption.HALF_BRIGHTNESS, {0: 0, 101: 50, 103: 52, 255: 128}),
        (Corruption.QUARTER_BRIGHTNESS, {0: 0, 101: 25, 103: 26, 255: 64}),
        (Corruption.OVEREXPOSURE, {0: 20, 101: 172, 156: 254, 157: 255, 255: 255}),
    ],
)
def test_exposure(kind: Corruption, expected: dict[int, int]) -> None:
    for code, found in expected.items():
        assert np.array_equal(corrupted(flat(code), kind), flat(found))


@pytest.mark.parametrize(
    ("kind", "sigma"), [(Corruption.NOISE_10, 10.0), (Corruption.NOISE_25, 25.0)]
)
def test_noise(kind: Corruption, sigma: float) -> None:
    noise = corrupted(flat(128, 480), kind)[:, :, 0].astype(float) - 128
    assert noise.std() == pytest.approx(sigma, rel=0.01)
    assert abs(noise.mean()) < 0.2
    beside = np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]
    assert abs(beside) < 0.01


def test_noise_is_clipped_and_not_wrapped() -> None:
    assert corrupted(flat(250), Corruption.NOISE_25).min() > 100
    assert corrupted(flat(5), Corruption.NOISE_25).max() < 155


@pytest.mark.parametrize("side", [48, 96])
def test_blur_has_a_sigma_of_a_48th(side: int) -> None:
    edge = flat(0, side)
    edge[:, side // 2 :] = 240
    sigma = side / 48
    places = np.arange(-3 * int(sigma), 3 * int(sigma) + 1)
    kernel = np.exp(-(places**2) / (2 * sigma**2))
    expected = np.convolve(edge[0, :, 0], kernel / kernel.sum(), "same")
    inside = slice(len(places), -len(places))
    found = corrupted(edge, Corruption.BLUR)[:, inside, 0]
    assert np.abs(found - expected[inside]).max() <= 1


def test_jpeg_is_that_of_the_grey_picture() -> None:
    grey = picture()[:, :, 0]
    packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    expected = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    assert np.array_equal(corrupted(picture(), Corruption.JPEG)[:, :, 0], expected)


def test_jpeg_keeps_the_order_of_colours() -> None:
    red = np.zeros((48, 48, 3), np.uint8)
    red[:, :, 0] = 200
    assert np.abs(corrupted(red, Corruption.JPEG).astype(int) - red).max() < 12


@pytest.mark.parametrize(
    ("kind", "side", "rows", "columns"),
    [
        (Corruption.EYES, 48, (12, 21), (6, 41)),
        (Corruption.MOUTH, 48, (31, 42), (12, 35)),
        (Corruption.EYES, 96, (24, 43), (12, 83)),
        (Corruption.MOUTH, 112, (72, 99), (28, 83)),
    ],
)
def test_eyes_and_mouth(
    kind: Corruption, side: int, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    expected = picture(side)
    expected[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = 0
    assert np.array_equal(corrupted(picture(side), kind), expected)


@pytest.mark.parametrize(("side", "length"), [(48, 16), (96, 32), (112, 37)])
def test_squares_are_everywhere_from_4_to_27(side: int, length: int) -> None:
    tops, lefts = set(), set()
    for seed in range(400):
        black = (corrupted(picture(side), Corruption.SQUARE, seed) == 0).all(axis=2)
        rows, columns = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
        assert black.sum() == len(rows) * len(columns)
        assert {len(rows), len(columns)} <= {length, length + (side == 112)}
        tops.add(int(rows[0]))
        lefts.add(int(columns[0]))
    assert tops == lefts == {round(place * side / 48) for place in range(4, 28)}


def test_contrast_is_about_the_mean() -> None:
    rgb = flat(200)
    rgb[:, :24] = 100
    found = corrupted(rgb, Corruption.CONTRAST)
    assert (found[:, :24] == 135).all()
    assert (found[:, 24:] == 165).all()


@pytest.mark.parametrize("code", [30, 128, 200])
def test_shot_noise_grows_with_the_light(code: int) -> None:
    found = corrupted(flat(code, 480), Corruption.SHOT_NOISE).astype(float)
    photons = code / 255 * 60
    expected = np.sqrt(photons) / 60 * 255
    assert found[:, :, 0].std() == pytest.approx(expected, rel=0.05)
    assert found.mean() == pytest.approx(code, abs=1)


def test_rotation_is_20_degrees_to_either_side() -> None:
    side = 97
    rgb = flat(0, side)
    rgb[:49, 48] = 255  # from the middle upwards
    turns = set()
    for seed in range(20):
        found = corrupted(rgb, Corruption.ROTATION, seed)[:, :, 0]
        y, x = np.nonzero(found[2:46] > 128)
        turns.add(int(np.rint(np.degrees(np.arctan2(x.mean() - 48, 46 - y.mean())))))
    assert turns == {-20, 20}


def test_rotation_repeats_the_border() -> None:
    assert np.array_equal(corrupted(flat(90), Corruption.ROTATION), flat(90))


def test_downscaling_leaves_the_mean_of_four_pixels() -> None:
    board = flat(0)
    board[::2, ::2] = board[1::2, 1::2] = 200
    assert np.array_equal(corrupted(board, Corruption.DOWNSCALING), flat(100))


@pytest.mark.parametrize("side", [48, 96, 144])
def test_a_mask_covers_nose_mouth_and_chin(side: int) -> None:
    zoom = side / 48
    rgb = picture(side)
    covered = (corrupted(rgb, Corruption.MASK) == 200).all(axis=2)
    kept = ~covered
    assert np.array_equal(corrupted(rgb, Corruption.MASK)[kept], rgb[kept])
    assert (covered != covered[:, ::-1]).mean() < 0.01
    assert not covered[: int(22 * zoom)].any()
    assert covered[int(31 * zoom) : int(43 * zoom), int(12 * zoom) : int(36 * zoom)].all()
    assert covered.mean() == pytest.approx(0.32, abs=0.015)
