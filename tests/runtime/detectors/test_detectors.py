"""Every face detector on one real portrait."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from generated import synthetic_frame
from numpy.typing import NDArray

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.detectors.blazeface import decode
from dcrnet_runtime.detectors.box_search import face_in_box, face_of_crop, whole_picture
from dcrnet_runtime.detectors.detector import DetectorKind, open_detector
from dcrnet_runtime.detectors.litert import FaceNetworks, LiteRTDetector, _Detection
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.landmarks import TASK_SHA256, shipped_landmarks
from dcrnet_runtime.models import shipped_model

needs_mediapipe = pytest.mark.skipif(
    find_spec("mediapipe") is None, reason="needs the mediapipe extra"
)
EYE_REGION = (180, 80, 270, 150)  # x0, y0, x1, y1 of the portrait's eyes


@pytest.mark.parametrize(
    "kind",
    [
        DetectorKind.CASCADE,
        DetectorKind.LITERT,
        pytest.param(DetectorKind.MEDIAPIPE, marks=needs_mediapipe),
    ],
)
def test_the_portraits_face_is_found(kind: DetectorKind, portrait: NDArray[np.uint8]) -> None:
    (face,) = open_detector(kind).find(portrait)
    x, y = face.box.centre
    assert 190 < x < 260
    assert 80 < y < 160
    if kind is not DetectorKind.CASCADE:
        for eye in face.five_points()[:2]:
            assert EYE_REGION[0] < eye[0] < EYE_REGION[2]
            assert EYE_REGION[1] < eye[1] < EYE_REGION[3]


@needs_mediapipe
def test_both_landmark_providers_agree(portrait: NDArray[np.uint8]) -> None:
    """Within 3 % of the distance between the eyes, on average over the mesh."""
    theirs, ours = open_detector(DetectorKind.MEDIAPIPE), open_detector(DetectorKind.LITERT)
    assert theirs.landmarks_sha256 == ours.landmarks_sha256 != ""
    (our_face,), (their_face,) = ours.find(portrait), theirs.find(portrait)
    assert our_face.landmarks is not None
    assert their_face.landmarks is not None
    eyes = their_face.five_points()[:2]
    apart = np.linalg.norm(eyes[0] - eyes[1])
    distance = np.linalg.norm(our_face.landmarks - their_face.landmarks, axis=1).mean()
    assert distance < 0.03 * apart


@needs_mediapipe
def test_mediapipe_ends_without_a_word() -> None:
    """Its landmarker, left to itself, prints a traceback when the program ends."""
    code = (
        "from dcrnet_runtime.detectors.detector import open_detector\n"
        "kept = open_detector('mediapipe')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr


@needs_mediapipe
def test_a_program_outlives_mediapipes_profiler() -> None:
    """Also where the handlers that Python knows of are set again, as Lightning does."""
    code = (
        "import signal, time\n"
        "import numpy as np\n"
        "from dcrnet_runtime.detectors.detector import open_detector\n"
        "open_detector('mediapipe').find(np.zeros((240, 320, 3), np.uint8))\n"
        "signal.signal(signal.SIGPROF, signal.getsignal(signal.SIGPROF))\n"
        "until = time.process_time() + 3\n"
        "while time.process_time() < until: pass\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0


def test_small_faces_are_found_from_afar(portrait: NDArray[np.uint8]) -> None:
    person = portrait[:300, 100:350]
    frame = np.full((960, 1280, 3), 120, np.uint8)
    corners = ((40, 30), (500, 250), (950, 600))
    for x, y in corners:
        frame[y : y + 300, x : x + 250] = person
    near = open_detector(DetectorKind.LITERT).find(frame)
    far = open_detector(DetectorKind.LITERT, far=True).find(frame)
    assert len(near) < len(far) == 3
    middles = sorted(face.box.centre[0] for face in far)
    assert np.allclose(middles, [x + 125 for x, _ in corners], atol=15)


def small_grey(portrait: NDArray[np.uint8], rows: slice, columns: slice) -> NDArray[np.uint8]:
    """A part of the portrait as data sets of face crops hold them: 48 px, grey."""
    crop = cv2.resize(portrait[rows, columns], (48, 48), interpolation=cv2.INTER_AREA)
    return np.dstack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)] * 3)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(42, 179), slice(178, 267)),
        (slice(56, 170), slice(171, 296)),
        (slice(59, 182), slice(165, 312)),
        (slice(57, 196), slice(166, 319)),
    ],
)
def test_one_face_is_found_once_from_afar(
    rows: slice, columns: slice, portrait: NDArray[np.uint8]
) -> None:
    """Tiles that show a part of it see a smaller face in it."""
    crop = small_grey(portrait, rows, columns)
    assert len(open_detector(DetectorKind.LITERT, far=True).find(crop)) == 1


class Seen(LiteRTDetector):
    """Two detections, the second one in the first one, as far as the mesh is sure of it."""

    inner, presence = Box(20, 20, 30, 30), 1.0

    def _detect(self, rgb: NDArray[np.uint8], square: Box, min_score: float) -> list[Any]:
        eyes = np.zeros((2, 2))
        return [_Detection(Box(10, 10, 80, 80), eyes, 0.9), _Detection(self.inner, eyes, 0.8)]

    def _mesh_in(
        self, rgb: Any, box: Box, eyes: Any, score: float | None, min_presence: float
    ) -> Face | None:
        sure = 1.0 if box.side == 80 else self.presence
        return Face(box, None, score or 0.0) if sure >= min_presence else None


def test_a_second_face_is_no_part_of_the_first_and_one_to_the_mesh() -> None:
    detector = Seen(FaceNetworks.from_task(shipped_landmarks()))
    frame = np.zeros((200, 200, 3), np.uint8)
    assert len(detector.find(frame)) == 1
    detector.inner = Box(120, 20, 30, 30)
    assert len(detector.find(frame)) == 2
    detector.presence = 0.8
    assert len(detector.find(frame)) == 1


@pytest.mark.parametrize("side", [48, 112, 224])
def test_a_face_that_fills_its_picture_is_found(side: int, portrait: NDArray[np.uint8]) -> None:
    tight = cv2.resize(portrait[75:160, 195:260], (side, side), interpolation=cv2.INTER_AREA)
    detector = open_detector(DetectorKind.LITERT)
    assert detector.find(tight) == []
    face = face_of_crop(tight, detector)
    assert face is not None
    assert face.landmarks is not None
    # Of the portrait's own face, in px of this picture.
    (whole,) = detector.find(portrait)
    stretch = np.array([side / 65, side / 85])
    wanted = (whole.five_points() - (195, 75)) * stretch
    assert np.linalg.norm(face.five_points() - wanted, axis=1).mean() < 0.08 * side


def test_a_faint_face_counts_where_its_mesh_is_sure(portrait: NDArray[np.uint8]) -> None:
    tight = cv2.resize(portrait[85:155, 200:255], (112, 112), interpolation=cv2.INTER_AREA)
    detector = open_detector(DetectorKind.LITERT)
    assert face_in_box(tight, whole_picture(tight), detector).landmarks is None
    face = face_of_crop(tight, detector)
    assert face is not None
    assert face.score < 0.5
    strict = open_detector(DetectorKind.LITERT, min_detection=0.5)
    assert face_of_crop(tight, strict) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_without_a_face_is_no_crop(seed: int) -> None:
    assert face_of_crop(synthetic_frame(112, 112, seed), open_detector()) is None


def test_the_limit_is_told_of_once(
    portrait: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    row = np.hstack([portrait[:300, 100:350]] * 2)
    for kind in (DetectorKind.LITERT, DetectorKind.CASCADE):
        caplog.clear()
        detector = open_detector(kind, max_faces=1)
        for _ in range(3):
            assert len(detector.find(row)) == 1
        assert caplog.text.count("more than 1 faces, and the rest is left out") == 1


def test_an_opencv_without_cascades_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("cv2.CascadeClassifier")
    with pytest.raises(DcrnetError, match=r"has no face cascade: .*pip install"):
        open_detector(DetectorKind.CASCADE)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (4, 9000), (64, 64), (300, 20)])
@pytest.mark.parametrize("kind", [DetectorKind.CASCADE, DetectorKind.LITERT])
def test_a_frame_without_a_face_gives_none(kind: DetectorKind, shape: tuple[int, int]) -> None:
    assert open_detector(kind).find(np.full((*shape, 3), 90, np.uint8)) == []


def test_the_networks_are_those_of_the_package() -> None:
    """Those that the shipped weights were trained with, whatever else is installed."""
    digest = sha256(shipped_landmarks().read_bytes()).hexdigest()
    assert digest == TASK_SHA256
    trained_with = load_model(shipped_model()).card.preprocess.landmarks_sha256
    for kind in (DetectorKind.AUTO, DetectorKind.LITERT):
        assert open_detector(kind).landmarks_sha256 == trained_with


def test_an_installation_without_them_takes_no_other_detector(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    with pytest.raises(DcrnetError, match=r"has no face networks at .*pip install"):
        open_detector(DetectorKind.AUTO)


def test_an_unknown_detector_is_refused() -> None:
    with pytest.raises(DcrnetError, match="`kind` magic is unknown: choose auto, litert"):
        open_detector("magic")


def test_overlapping_detections_are_averaged() -> None:
    """Two candidates at one anchor cell, scores 3:1 after the sigmoid, merge by weight."""
    regressors = np.zeros((896, 16), np.float32)
    regressors[:2, 2:4] = 32.0  # a quarter of the input wide and high
    regressors[1, 0] = 8.0  # the second one sits 1/16 to the right
    logits = np.full(896, -50.0, np.float32)
    logits[0], logits[1] = np.log(0.9 / 0.1), np.log(0.6 / 0.4)
    (found,) = decode(regressors, logits, 0.5)
    centre = (found.corners[0] + found.corners[2]) / 2
    assert centre == pytest.approx(0.5 / 16 + (0.6 / 1.5) / 16, abs=1e-6)
    assert found.score == pytest.approx(0.9, abs=1e-6)
