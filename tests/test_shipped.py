"""The model that is shipped, through every real part, on one real portrait."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
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
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import Shipped, model_path, shipped_model
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import SPEC_VERSION
from dcrnet_runtime.recognizer import Recognizer

needs_mediapipe = pytest.mark.skipif(
    find_spec("mediapipe") is None, reason="needs the mediapipe extra"
)
KINDS = [
    DetectorKind.CASCADE,
    DetectorKind.LITERT,
    pytest.param(DetectorKind.MEDIAPIPE, marks=needs_mediapipe),
]
MARGIN = 0.10


MEGABYTES = {Shipped.ACCURATE: 12.5, Shipped.FAST: 4.0}
each_model = pytest.mark.parametrize("name", Shipped)


def card(name: Shipped) -> ModelCard:
    return load_model(shipped_model(name)).card


@each_model
def test_it_says_what_it_is(name: Shipped) -> None:
    shipped = card(name)
    title = {
        Shipped.ACCURATE: "DCRNet (facial expression recognition, Abdeldayem et al.",
        Shipped.FAST: "EfficientNet-Lite0",
    }
    assert shipped.name.startswith(title[name])
    assert len(shipped.labels) == 7
    assert shipped.preprocess.version == SPEC_VERSION
    assert shipped.preprocess.landmarks_sha256
    assert "research use" in shipped.license
    assert shipped.provenance["dataset"] == "ferplus"


@each_model
def test_it_is_small(name: Shipped) -> None:
    assert shipped_model(name).stat().st_size <= MEGABYTES[name] * 1e6


def test_accurate_is_the_default() -> None:
    assert shipped_model() == shipped_model("accurate")


def test_a_name_that_is_not_shipped() -> None:
    with pytest.raises(DcrnetError, match="'faster': take accurate or fast"):
        shipped_model("faster")


def test_a_file_called_like_a_shipped_model_is_named_with_its_folder() -> None:
    assert model_path("fast") == shipped_model("fast")
    assert model_path("./fast") == Path("fast")


@pytest.mark.parametrize(
    ("text", "hint"), [("acurate", "; did you mean accurate?"), ("Fast", "; did you mean fast?")]
)
def test_a_misspelt_name_gets_the_closest(
    text: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DcrnetError) as caught:
        model_path(text)
    named = "name accurate, fast or a file that dcrnet-export wrote"
    assert str(caught.value) == f"there is no model {text}: {named}{hint}"
    (tmp_path / text).touch()
    assert model_path(text) == Path(text)


def test_a_misspelt_name_of_weights_gets_the_closest() -> None:
    pytest.importorskip("torch", reason="needs the train extra")
    from dcrnet_edge.weights import checkpoint_path

    with pytest.raises(DcrnetError) as caught:
        checkpoint_path("resnet")
    named = "name accurate, fast or a .safetensors checkpoint"
    assert str(caught.value) == f"there is no checkpoint resnet: {named}"
    assert checkpoint_path("none.safetensors") == Path("none.safetensors")


@each_model
def test_it_was_exported_from_the_shipped_weights(name: Shipped) -> None:
    pytest.importorskip("torch", reason="needs the train extra")
    from dcrnet_edge.weights import shipped_checkpoint

    digest = sha256(shipped_checkpoint(name).read_bytes()).hexdigest()
    assert card(name).provenance["export"]["checkpoint_sha256"] == digest


@each_model
@pytest.mark.parametrize("kind", KINDS)
def test_the_portrait_smiles(
    kind: DetectorKind, name: Shipped, portrait: NDArray[np.uint8]
) -> None:
    recognizer = Recognizer(load_model(shipped_model(name)), open_detector(kind))
    (recognition,) = recognizer.recognize(portrait)
    assert recognition.label == "happiness"
    assert recognition.probability > 0.5


@each_model
def test_the_demo_command(name: Shipped, portrait: NDArray[np.uint8], tmp_path: Path) -> None:
    out = tmp_path / "drawn.png"
    arguments = ["--demo", "--model", name, "--save", str(out), "--detector", "cascade"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    (face,) = json.loads(result.stdout)["faces"]
    assert face["label"] == "happiness"
    assert np.asarray(cv2.imread(str(out)), np.uint8).shape == portrait.shape


@each_model
@pytest.mark.parametrize("size", [96, 192, 512, 1200])
def test_the_answer_holds_at_any_resolution(
    size: int, name: Shipped, portrait: NDArray[np.uint8]
) -> None:
    """The head fills 60 % of the frame, so the smallest face is some 45 px wide."""
    head = cv2.resize(portrait[20:260, 100:340], (size, size), interpolation=cv2.INTER_AREA)
    recognizer = Recognizer(load_model(shipped_model(name)), open_detector())
    (recognition,) = recognizer.recognize(head)
    assert recognition.label == "happiness"


@each_model
def test_int8_gives_the_labels_of_torch(name: Shipped, portrait: NDArray[np.uint8]) -> None:
    """On views of the portrait wherever float's first two labels lie 0.10 apart or more."""
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from dcrnet_edge.models.checkpoint import load_checkpoint
    from dcrnet_edge.weights import shipped_checkpoint

    model = load_model(shipped_model(name))
    (face,) = open_detector(DetectorKind.CASCADE).find(portrait)
    views = []
    for gain in (0.3, 0.6, 1.0, 1.4):
        for shift in (-12.0, 0.0, 12.0):
            moved = replace(face, box=replace(face.box, x=face.box.x + shift))
            rgb = np.clip(portrait * gain, 0, 255).astype(np.uint8)
            views.append(prepare(rgb, moved, model.card.preprocess))
    crops = np.stack(views)
    network = load_checkpoint(shipped_checkpoint(name)).at(model.card.preprocess.size_px).network
    with torch.inference_mode():
        expected = network(torch.from_numpy(crops).permute(0, 3, 1, 2)).softmax(dim=1).numpy()
    found = np.concatenate([model.probabilities(crop[None]) for crop in crops])
    ordered = np.sort(expected, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] >= MARGIN
    assert clear.any()
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[clear].all()
    assert np.abs(found - expected).max() < 0.25
