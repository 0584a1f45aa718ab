"""Image in, faces out."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from generated import LABELS, FixedDetector, TinyModel, synthetic_face, synthetic_frame

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.spec import PreprocessSpec
from dcrnet_runtime.recognizer import Recognizer


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


def test_another_landmark_network_warns(
    tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(tiny_model(PreprocessSpec(size_px=64, landmarks_sha256="aa" * 32)))
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
