"""What engines that are no back end of ours make of the exported files: docs/engines.md.

    pip install openvino tract
    python -m pytest -m engines

``DCRNET_EXPORTED`` names a folder in which ``dcrnet-export --int8 --qdq --size 128`` has written
before; without it the files are written first, which takes a minute or more.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_export.cli.export import app
from dcrnet_runtime.backends.golden import golden_crops
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import INPUT_NAME

pytestmark = pytest.mark.engines
Answers = Callable[[Path, NDArray[np.uint8]], NDArray[np.float32]]
FP32, INT8, QDQ, TFLITE_FP32 = (
    f"dcrnet-128-{name}" for name in ("fp32.onnx", "int8.onnx", "int8-qdq.onnx", "fp32.tflite")
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("DCRNET_EXPORTED")
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("exported")
    done = CliRunner().invoke(app, ["--int8", "--qdq", "--size", "128", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def openvino_answers(path: Path, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    openvino = pytest.importorskip("openvino", reason="needs openvino")
    core = openvino.Core()
    model = core.compile_model(core.read_model(path), "CPU")
    return np.concatenate([model(crop[None])[0] for crop in crops])


def tract_answers(path: Path, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    tract = pytest.importorskip("tract", reason="needs tract")
    model = tract.onnx().load(str(path)).into_model().into_runnable()
    return np.concatenate([model.run([crop[None]])[0].to_numpy() for crop in crops])


def opencv_answers(path: Path, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    network = cv2.dnn.readNetFromONNX(str(path))
    rows = []
    for crop in crops:
        network.setInput(crop[None], INPUT_NAME)
        rows.append(network.forward().reshape(1, -1))
    return np.concatenate(rows)


@pytest.mark.parametrize(
    ("answers", "name", "tolerance"),
    [
        (openvino_answers, FP32, 1e-4),
        (openvino_answers, QDQ, 0.02),
        (openvino_answers, TFLITE_FP32, 1e-4),
        (opencv_answers, FP32, 1e-4),
        (tract_answers, FP32, 1e-4),
        (tract_answers, QDQ, 0.02),
        (tract_answers, INT8, 0.02),
    ],
)
def test_an_engine_answers_as_ours_do(
    answers: Answers, name: str, tolerance: float, exported: Path
) -> None:
    path = exported / name
    model = load_model(path)
    crops = golden_crops(model.card.preprocess.size_px)
    given = answers(path, crops)
    assert given.shape == (len(crops), len(model.card.labels))
    difference = np.abs(given - model.probabilities(crops)).max()
    print(f"{answers.__name__} {name}: {difference:.2g}")  # noqa: T201
    assert difference < tolerance


@pytest.mark.parametrize("answers", [openvino_answers, opencv_answers])
def test_the_integer_graph_is_refused(answers: Answers, exported: Path) -> None:
    """Where it is not, a newer engine reads more than docs/engines.md says."""
    crops = golden_crops(load_model(exported / INT8).card.preprocess.size_px)
    with pytest.raises((RuntimeError, cv2.error)):
        answers(exported / INT8, crops)


def test_opencv_misreads_int8(exported: Path) -> None:
    """It takes the file without a word: docs/engines.md warns of it."""
    model = load_model(exported / QDQ)
    crops = golden_crops(model.card.preprocess.size_px)
    assert np.abs(opencv_answers(exported / QDQ, crops) - model.probabilities(crops)).max() > 0.05
