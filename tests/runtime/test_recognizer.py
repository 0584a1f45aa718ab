"""Image in, faces out."""

from __future__ import annotations

import logging
from typing import Any

import cv2
import numpy as np
import pytest
from generated import LABELS, FixedDetector, TinyModel, synthetic_face, synthetic_frame
from numpy.typing import NDArray

from dcrnet_edge.data.face_cache import face_of_crop
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec
from dcrnet_runtime.recognizer import Recognition, Recognizer
from dcrnet_runtime.video.frame import Frame


def test_each_face_gets_probabilities(tiny_model: TinyModel) -> None:
    detector = FixedDetector(synthetic_face(), Face(Box(10, 10, 60, 60)))
    found = Recognizer(load_model(tiny_model()), detector).recognize(synthetic_frame())
    assert len(found) == 2
    for recognition in found:
        assert recognition.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert recognition.label == LABELS[int(np.argmax(recognition.probabilities))]
    assert (found[0].probabilities != found[1].probabilities).any()


def test_a_face_outside_the_frame_is_left_out(tiny_model: TinyModel) -> None:
    detector = FixedDetector(Face(Box(9000, 9000, 10, 10)))
    assert Recognizer(load_model(tiny_model()), detector).recognize(synthetic_frame()) == []


def test_faces_found_elsewhere_are_answered_in_their_order(
    portrait: NDArray[np.uint8],
) -> None:
    recognizer = Recognizer(load_model(shipped_model()), open_detector())
    (found,) = recognizer.recognize(portrait)
    sky, head = (10, 300, 80, 80), Box(170, 40, 110, 150)
    other, answer = recognizer.recognize(portrait, boxes=[sky, head])
    assert answer.face.box == head
    assert answer.label == found.label
    assert found.face.landmarks is not None
    assert answer.face.landmarks is not None
    apart = np.linalg.norm(answer.face.landmarks - found.face.landmarks, axis=1).mean()
    assert apart < 0.05 * found.face.box.side
    assert other.face.landmarks is None
    assert recognizer.recognize(portrait, boxes=[]) == []
    corners = Box.from_corners(170, 40, 280, 190)
    (same,) = recognizer.recognize(portrait, boxes=[corners])
    assert (same.probabilities == answer.probabilities).all()


@pytest.mark.parametrize(
    "box",
    [(1, 2, 3), "abcd", None, (9000, 0, 50, 50), (0, 0, 0, 9), (0, 0, 1e9, 9), [float("nan")] * 4],
)
def test_a_box_that_is_none_is_refused(box: Any, tiny_model: TinyModel) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    with pytest.raises(DcrnetError, match="in `boxes` is no box"):
        recognizer.recognize(synthetic_frame(), boxes=[box])


def test_crops_are_answered_as_in_evaluation(portrait: NDArray[np.uint8]) -> None:
    """One answer each, aligned as the training's faces are; what has no face is taken whole."""
    model, detector = load_model(shipped_model()), open_detector()
    head, sky = portrait[40:190, 170:280], portrait[300:380, 10:90]
    answers = Recognizer(model, detector).recognize_crops([head, sky, head[..., 0]])
    assert [answer.face.landmarks is None for answer in answers] == [False, True, False]
    for answer, rgb in zip(answers, (head, sky), strict=False):
        crop = prepare(rgb, face_of_crop(rgb, detector), model.card.preprocess)
        assert (answer.probabilities == model.probabilities(crop[None])[0]).all()
    assert Recognizer(model, detector).recognize_crops([]) == []


@pytest.mark.parametrize("side", [48, 112, 224])
def test_a_photo_that_a_face_fills_has_the_landmarks_of_evaluation(
    side: int, portrait: NDArray[np.uint8]
) -> None:
    """One search pads for both: dcrnet-run's answer is that which the accuracy was measured of."""
    model, detector = load_model(shipped_model()), open_detector()
    tight = cv2.resize(portrait[75:160, 195:260], (side, side), interpolation=cv2.INTER_AREA)
    assert detector.find(tight) == []  # as it is, without a border
    judged = face_of_crop(tight, detector)
    assert judged.landmarks is not None
    (answer,) = Recognizer(model, detector).recognize(tight)
    assert answer.face.landmarks is not None
    assert np.array_equal(answer.face.landmarks, judged.landmarks)
    crop = prepare(tight, judged, model.card.preprocess)
    assert np.array_equal(answer.probabilities, model.probabilities(crop[None])[0])


def test_logits_are_those_of_the_probabilities(tiny_model: TinyModel) -> None:
    detector = FixedDetector(synthetic_face())
    (answer,) = Recognizer(load_model(tiny_model()), detector).recognize(synthetic_frame())
    powers = np.exp(answer.logits)
    assert powers / powers.sum() == pytest.approx(answer.probabilities, abs=1e-6)
    certain = Recognition(synthetic_face(), LABELS[:2], np.array([1, 0], np.float32))
    assert np.isfinite(certain.logits).all()


def test_below_the_least_confidence_there_is_no_label(tiny_model: TinyModel) -> None:
    model, detector = load_model(tiny_model()), FixedDetector(synthetic_face())
    (plain,) = Recognizer(model, detector).recognize(synthetic_frame())
    for least, label in ((plain.probability, plain.label), (plain.probability + 1e-3, None)):
        recognizer = Recognizer(model, detector, min_confidence=least)
        (answer,) = recognizer.recognize(synthetic_frame())
        assert answer.label == label
        assert answer.probability == plain.probability


def test_what_lies_outside_the_picture_is_said(tiny_model: TinyModel) -> None:
    detector = FixedDetector(Face(Box(-40, 20, 80, 80)), Face(Box(20, 20, 80, 80)))
    half, whole = Recognizer(load_model(tiny_model()), detector).recognize(synthetic_frame())
    assert half.face.outside == pytest.approx(0.5)
    assert whole.face.outside == 0


def test_reprs_are_short(tiny_model: TinyModel) -> None:
    detector = FixedDetector(synthetic_face())
    (answer,) = Recognizer(load_model(tiny_model()), detector).recognize(synthetic_frame())
    still = Observation.of_still(Frame(synthetic_frame(), 3, 0.5, "a.png"), [answer])
    for thing in (answer, answer.face, still.frame, still.faces[0], still):
        assert "array" not in repr(thing)
        assert len(repr(thing)) < 300
    assert "Frame('a.png', 320x240, index=3" in repr(still)


def test_another_landmark_network_warns(
    tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(tiny_model(PreprocessSpec(size_px=64, landmarks_sha256="aa" * 32)))
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        Recognizer(model, FixedDetector(landmarks_sha256="aa" * 32))
        assert not caplog.records
        Recognizer(model, FixedDetector(landmarks_sha256="bb" * 32))
    assert "trained with landmark network aaaaaaaa" in caplog.text


def test_a_defect_of_the_preprocessing_is_no_absent_face(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr("dcrnet_runtime.recognizer.prepare", broken)
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector(synthetic_face()))
    with pytest.raises(ValueError, match="a defect"):
        recognizer.recognize(synthetic_frame())


def test_the_names_of_before_work_with_a_warning(tiny_model: TinyModel) -> None:
    import dcrnet_runtime

    model, detector = load_model(tiny_model()), FixedDetector()
    with pytest.warns(DeprecationWarning, match="is now its detector"):
        recognizer = Recognizer(model, finder=detector)
    with pytest.warns(DeprecationWarning, match="is now its detector"):
        assert recognizer.finder is recognizer.detector is detector
    with pytest.warns(DeprecationWarning, match="open_finder is now open_detector"):
        assert dcrnet_runtime.open_finder is dcrnet_runtime.open_detector
    with pytest.raises(TypeError, match="wants one detector"):
        Recognizer(model)
