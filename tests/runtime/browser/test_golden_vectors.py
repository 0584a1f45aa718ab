"""The golden vectors that are shipped with the documentation, held to Python's own contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.browser.contract import mesh_constants
from dcrnet_runtime.browser.golden_vectors import CODES_TOLERANCE, golden_vectors, unpacked
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec

FILE = Path(__file__).parents[3] / "docs" / "golden-vectors.json"
ALLOWED = 0 if cv2.__version__.startswith(("4.11.", "4.14.")) else CODES_TOLERANCE


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(FILE.read_text())
    return values


def crops_of(golden: dict[str, Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What Python prepares today, and what is recorded, (N, size_px, size_px, 3) uint8 each."""
    spec = PreprocessSpec.from_json(json.dumps(golden["spec"]))
    prepared, recorded = [], []
    for case in golden["cases"]:
        frame = golden["frames"][case["frame"]]
        rgb = unpacked(frame["rgb"]).reshape(frame["height"], frame["width"], 3)
        points = case["landmarks"]
        landmarks = None if points is None else np.array(points, np.float32)
        prepared.append(prepare(rgb, Face(Box(**case["box"]), landmarks), spec))
        luma = unpacked(case["crop"]).reshape(spec.size_px, spec.size_px, 1)
        recorded.append(np.repeat(luma, 3, axis=2))
    return np.stack(prepared), np.stack(recorded)


def test_python_prepares_the_recorded_crops(golden: dict[str, Any]) -> None:
    prepared, recorded = crops_of(golden)
    assert np.abs(prepared.astype(int) - recorded).max() <= ALLOWED


def test_they_are_of_the_shipped_model(golden: dict[str, Any]) -> None:
    model = load_model(shipped_model())
    assert golden["spec"] == json.loads(model.card.preprocess.to_json())
    assert golden["mesh"] == json.loads(json.dumps(mesh_constants()))
    assert golden["labels"] == list(model.card.labels)
    recorded = np.array([case["probabilities"] for case in golden["cases"]])
    answers = model.probabilities(crops_of(golden)[1])
    assert np.abs(answers - recorded).max() <= golden["tolerance"]["probability"]


def test_they_tell_a_wrong_contract(golden: dict[str, Any]) -> None:
    """Each step of the contract shows in at least one crop."""
    changes = {
        "gamma_max": 1.3,
        "gamma_min": 0.7,
        "focus_strength": 0.45,
        "focus_margin": 0.06,
        "source_px": 50,
        "interpolation": "linear",
        "border": "fill",
        "box_scale": 1.02,
    }
    for field, value in changes.items():
        changed = {**golden, "spec": {**golden["spec"], field: value}}
        prepared, recorded = crops_of(changed)
        difference = np.abs(prepared.astype(int) - recorded).max()
        assert difference > golden["tolerance"]["codes"], field


def test_they_are_drawn_the_same_everywhere(golden: dict[str, Any]) -> None:
    drawn = golden_vectors(load_model(shipped_model()))
    assert drawn["frames"].keys() == golden["frames"].keys()
    for name, frame in drawn["frames"].items():
        assert (unpacked(frame["rgb"]) == unpacked(golden["frames"][name]["rgb"])).all()
    for one, other in zip(drawn["cases"], golden["cases"], strict=True):
        assert one["landmarks"] == other["landmarks"]
        assert one["box"] == other["box"]
