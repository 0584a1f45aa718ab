"""The page's operations beside OpenCV's, in Node.js: the same codes."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import dcrnet_runtime
from dcrnet_runtime.backends.golden import golden_crops
from dcrnet_runtime.browser.contract import mesh_constants
from dcrnet_runtime.browser.golden_vectors import CODES_TOLERANCE
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import Alignment, Border, PreprocessSpec

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")

STATIC = Path(dcrnet_runtime.__file__).parent / "browser" / "static"
ALLOWED = 0 if cv2.__version__.startswith(("4.11.", "4.14.")) else CODES_TOLERANCE
Picture = NDArray[np.uint8]
Job = dict[str, Any]
_SIZE = 128


def in_node(jobs: list[Job]) -> list[Any]:
    """What the page's modules answer to each job."""
    script = Path(__file__).with_name("operations.mjs")
    command = ["node", str(script), str(STATIC)]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def packed(picture: Picture) -> Job:
    content = base64.b64encode(np.ascontiguousarray(picture).tobytes()).decode()
    return {"data": content, "width": picture.shape[1], "height": picture.shape[0]}


def hold(pairs: list[tuple[Job, Picture]]) -> None:
    """Each job gives its picture."""
    for (job, wanted), answer in zip(pairs, in_node([job for job, _ in pairs]), strict=True):
        got = np.frombuffer(base64.b64decode(answer), np.uint8).reshape(wanted.shape)
        difference = np.abs(got.astype(int) - wanted).max()
        assert difference <= ALLOWED, (job["operation"], difference)


def clouds() -> Iterator[NDArray[np.int32]]:
    """Points in 1/16 px: about the picture, within it, in a heap, and on a coarse grid."""
    rng = np.random.default_rng(0)
    for i in range(120):
        count = int(rng.integers(3, 40))
        match i % 4:
            case 0:
                points: NDArray[Any] = rng.integers(-300, 2400, (count, 2))
            case 1:
                points = rng.integers(0, 2048, (count, 2))
            case 2:
                points = rng.integers(200, 1800, 2) + rng.normal(0, 150, (count, 2)).round()
            case _:
                points = rng.integers(-4, 36, (count, 2)) * 64
        yield points.astype(np.int32)


def test_hulls_have_opencvs_corners_in_its_order() -> None:
    points = list(clouds())
    answers = in_node([{"operation": "hull", "points": each.tolist()} for each in points])
    assert answers == [cv2.convexHull(each)[:, 0].tolist() for each in points]


def test_polygons_are_filled_as_by_opencv() -> None:
    pairs = []
    for points in clouds():
        hull = cv2.convexHull(points)
        mask = np.zeros((_SIZE, _SIZE), np.uint8)
        cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA, shift=4)
        job = {"operation": "fill", "size": _SIZE, "hulls": [hull[:, 0].tolist()]}
        pairs.append((job, mask))
    hold(pairs)


def random_picture(rng: np.random.Generator, *channels: int) -> Picture:
    height, width = rng.integers(20, 300, 2)
    return rng.integers(0, 256, (height, width, *channels)).astype(np.uint8)


def random_matrix(rng: np.random.Generator) -> NDArray[np.float64]:
    zoom, angle = rng.uniform(0.3, 4), rng.uniform(-1, 1)
    a, b = zoom * np.cos(angle), zoom * np.sin(angle)
    return np.array([[a, -b, rng.uniform(-90, 90)], [b, a, rng.uniform(-90, 90)]])


def shrinking(rng: np.random.Generator) -> tuple[Job, Picture]:
    picture = random_picture(rng)
    height, width = picture.shape
    if rng.random() < 0.4:  # blocks of whole pixels, for which OpenCV has another way
        by_x, by_y = rng.integers(1, 4, 2)
        picture = picture[: height // by_y * by_y, : width // by_x * by_x]
        to = int(width // by_x), int(height // by_y)
    else:
        to = int(rng.integers(3, width + 1)), int(rng.integers(3, height + 1))
    wanted = cv2.resize(picture, to, interpolation=cv2.INTER_AREA)
    return {"operation": "shrink", "to": to, **packed(picture)}, wanted


def warping(rng: np.random.Generator) -> tuple[Job, Picture]:
    picture, matrix = random_picture(rng), random_matrix(rng)
    fill = 128 if rng.random() < 0.5 else None
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    wanted = cv2.warpAffine(
        picture, matrix, (_SIZE, _SIZE), flags=cv2.INTER_CUBIC, borderMode=border, borderValue=128
    )
    job = {"operation": "warp", "matrix": matrix.ravel().tolist(), "size": _SIZE, "fill": fill}
    return {**job, **packed(picture)}, wanted


def sampling(rng: np.random.Generator) -> tuple[Job, Picture]:
    picture, matrix = random_picture(rng, 3), random_matrix(rng)
    wanted = cv2.warpAffine(picture, matrix, (_SIZE, _SIZE), flags=cv2.INTER_LINEAR)
    job = {"operation": "sample", "matrix": matrix.ravel().tolist(), "size": _SIZE}
    return {**job, **packed(picture)}, wanted


def dilating(rng: np.random.Generator) -> tuple[Job, Picture]:
    picture, radius = random_picture(rng), int(rng.integers(1, 14))
    picture[rng.random(picture.shape) > 0.02] = 0
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    job = {"operation": "dilate", "radius": radius, **packed(picture)}
    return job, cv2.dilate(picture, element)


def blurring(rng: np.random.Generator) -> tuple[Job, Picture]:
    picture, radius = random_picture(rng), int(rng.integers(1, 14))
    side = 2 * radius + 1
    wanted = cv2.blur(picture, (side, side), borderType=cv2.BORDER_REPLICATE)
    return {"operation": "blur", "radius": radius, **packed(picture)}, wanted


@pytest.mark.parametrize("draw", [shrinking, warping, sampling, dilating, blurring])
def test_pictures_are_computed_as_by_opencv(
    draw: Callable[[np.random.Generator], tuple[Job, Picture]],
) -> None:
    rng = np.random.default_rng(1)
    hold([draw(rng) for _ in range(30)])


def random_face(rng: np.random.Generator) -> Face:
    """A mesh of no shape, large or small, in a frame of 160 px or half outside it."""
    centre, reach = rng.uniform(0, 160, 2), rng.uniform(8, 120)
    landmarks = (centre + reach * rng.normal(0, 0.4, (468, 2))).astype(np.float32)
    return Face(Box.around(landmarks), landmarks)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"size_px": 224, "focus_strength": 1.0},
        {"border": Border.FILL, "fill": 17, "focus_margin": 0.11},
        {"alignment": Alignment.BOX, "box_scale": 1.3},
        {"gamma_min": 1.0, "gamma_max": 1.0, "focus_margin": 0.0},
        {"focus_strength": 0.0, "source_px": 96},
    ],
    ids=["shipped", "224 px", "fill", "box", "no gamma", "no focus"],
)
def test_faces_are_prepared_as_in_python(change: dict[str, Any]) -> None:
    spec = replace(PreprocessSpec(size_px=128, focus_strength=0.5), **change)
    rng = np.random.default_rng(2)
    rgb = golden_crops(160)[4] // 2 + golden_crops(160)[0] // 2
    pairs = []
    for face in [random_face(rng) for _ in range(12)]:
        assert face.landmarks is not None
        job = {
            "operation": "prepare",
            "face": {"box": asdict(face.box), "landmarks": face.landmarks.tolist()},
            "spec": json.loads(spec.to_json()),
            "mesh": mesh_constants(),
        }
        pairs.append(({**job, **packed(rgb)}, prepare(rgb, face, spec)[:, :, 0]))
    hold(pairs)


def test_a_face_outside_the_frame_gives_no_crop() -> None:
    job = {
        "operation": "prepare",
        "face": {"box": {"x": 900, "y": 900, "width": 50, "height": 50}, "landmarks": None},
        "spec": json.loads(PreprocessSpec().to_json()),
        "mesh": mesh_constants(),
    }
    assert in_node([{**job, **packed(golden_crops(64)[0])}]) == [None]
