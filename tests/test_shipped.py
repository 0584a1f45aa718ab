"""The model that is shipped, through every real part, on one real portrait."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.cli.run import app
from dcrnet_runtime.detectors.detector import DetectorKind, open_detector
from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import SPEC_VERSION
from dcrnet_runtime.recognizer import Recognizer

needs_networks = pytest.mark.skipif(
    FaceNetworks.from_mediapipe_wheel() is None, reason="needs the mediapipe extra's networks"
)
KINDS = [
    DetectorKind.CASCADE,
    DetectorKind.LITERT,
    pytest.param(DetectorKind.MEDIAPIPE, marks=needs_networks),
]
MARGIN = 0.10


def card() -> ModelCard:
    return load_model(shipped_model()).card


def test_it_says_what_it_is() -> None:
    shipped = card()
    assert shipped.name.startswith("DCRNet (facial expression recognition, Abdeldayem et al.")
    assert len(shipped.labels) == 7
    assert shipped.preprocess.version == SPEC_VERSION
    assert shipped.preprocess.landmarks_sha256
    assert "research use" in shipped.license
    assert shipped.provenance["dataset"] == "ferplus"


def test_it_is_small() -> None:
    assert shipped_model().stat().st_size <= 12.5e6


def test_it_was_exported_from_the_shipped_weights() -> None:
    pytest.importorskip("torch", reason="needs the train extra")
    from dcrnet_edge.weights import shipped_checkpoint

    digest = sha256(shipped_checkpoint().read_bytes()).hexdigest()
    assert card().provenance["export"]["checkpoint_sha256"] == digest


@pytest.mark.parametrize("kind", KINDS)
def test_the_portrait_smiles(kind: DetectorKind, portrait: NDArray[np.uint8]) -> None:
    recognizer = Recognizer(load_model(shipped_model()), open_detector(kind))
    (recognition,) = recognizer.recognize(portrait)
    assert recognition.label == "happiness"
    assert recognition.probability > 0.5


def test_the_demo_command(portrait: NDArray[np.uint8], tmp_path: Path) -> None:
    out = tmp_path / "drawn.png"
    result = CliRunner().invoke(app, ["--demo", "--save", str(out), "--detector", "cascade"])
    assert result.exit_code == 0, result.output
    (face,) = json.loads(result.stdout)["faces"]
    assert face["label"] == "happiness"
    assert cv2.imread(str(out)).shape == portrait.shape


@pytest.mark.parametrize("size", [96, 192, 512, 1200])
def test_the_answer_holds_at_any_resolution(size: int, portrait: NDArray[np.uint8]) -> None:
    """The head fills 60 % of the frame, so the smallest face is some 45 px wide."""
    head = cv2.resize(portrait[20:260, 100:340], (size, size), interpolation=cv2.INTER_AREA)
    recognizer = Recognizer(load_model(shipped_model()), open_detector())
    (recognition,) = recognizer.recognize(head)
    assert recognition.label == "happiness"


def test_int8_gives_the_labels_of_torch(portrait: NDArray[np.uint8]) -> None:
    """On views of the portrait wherever float's first two labels lie 0.10 apart or more."""
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from dcrnet_edge.models.checkpoint import load_checkpoint
    from dcrnet_edge.weights import shipped_checkpoint

    model = load_model(shipped_model())
    (face,) = open_detector(DetectorKind.CASCADE).find(portrait)
    views = []
    for gain in (0.3, 0.6, 1.0, 1.4):
        for shift in (-12.0, 0.0, 12.0):
            moved = replace(face, box=replace(face.box, x=face.box.x + shift))
            rgb = np.clip(portrait * gain, 0, 255).astype(np.uint8)
            views.append(prepare(rgb, moved, model.card.preprocess))
    crops = np.stack(views)
    network = load_checkpoint(shipped_checkpoint()).at(model.card.preprocess.size_px).network
    with torch.inference_mode():
        expected = network(torch.from_numpy(crops).permute(0, 3, 1, 2)).softmax(dim=1).numpy()
    found = np.concatenate([model.probabilities(crop[None]) for crop in crops])
    ordered = np.sort(expected, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] >= MARGIN
    assert clear.any()
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[clear].all()
    assert np.abs(found - expected).max() < 0.25
