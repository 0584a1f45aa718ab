"""What a model answers that is no probabilities gives an error, never a label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from generated import FixedDetector, TinyModel, synthetic_face, synthetic_frame
from typer.testing import CliRunner

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.runners.answers import checked_answers
from dcrnet_runtime.cli.run import app
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.recognizer import Recognizer

GOOD = [0.25, 0.75]


@pytest.mark.parametrize(
    "row",
    [
        [np.nan, 1.0],
        [np.nan, np.nan],
        [np.inf, 0.0],
        [-np.inf, np.inf],
        [0.0, 0.0],
        [0.6, 0.6],
        [1.5, -0.5],
    ],
)
def test_a_row_that_is_no_distribution_is_refused(row: list[float]) -> None:
    with pytest.raises(DcrnetError, match="is no probabilities"):
        checked_answers(np.array([GOOD, row], np.float32), 2, 2)


def test_distributions_pass_also_as_eight_bits_have_them() -> None:
    rows = np.array([GOOD, [0.988, 0.0], [1.0, 0.0]], np.float32)
    assert checked_answers(rows, 3, 2) is rows


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (1, 1, 2), (2,), ()])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DcrnetError, match=r"answers in the shape .* and declares \(1, 2\)"):
        checked_answers(np.zeros(shape, np.float32), 1, 2)


def with_weights(path: Path, value: float) -> Path:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(path)
    (weights,) = model.graph.initializer
    values = np.full(tuple(weights.dims), value, np.float32)
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(model, path)
    return path


def declaring(path: Path, labels: int) -> Path:
    """The model whose last operator gives another number of values than it declares."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(path)
    (weights,) = model.graph.initializer
    values = np.zeros((3, labels), np.float32)
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    # A shape that is computed, so that no shape inference sees through it.
    shape = onnx.numpy_helper.from_array(np.array([-1, labels]), "shape")
    model.graph.initializer.append(shape)
    model.graph.node[-1].output[0] = "flat"
    model.graph.node.append(onnx.helper.make_node("Identity", ["shape"], ["size"]))
    model.graph.node.append(onnx.helper.make_node("Reshape", ["flat", "size"], ["probabilities"]))
    onnx.save(model, path)
    return path


def test_a_model_of_nan_gives_no_label(tiny_model: TinyModel) -> None:
    recognizer = Recognizer(
        load_model(with_weights(tiny_model(), np.nan)), FixedDetector(synthetic_face())
    )
    with pytest.raises(DcrnetError, match=r"\(nan, nan, .* is no probabilities"):
        recognizer.recognize(synthetic_frame())


def test_declared_and_real_shape_differ(tiny_model: TinyModel) -> None:
    path = declaring(tiny_model(), 5)
    with pytest.raises(DcrnetError, match=r"gives .* probabilities, its card has 7 labels"):
        load_model(path)


def test_the_command_ends_with_2_and_prints_no_label(tiny_model: TinyModel) -> None:
    pytest.importorskip("skimage", reason="needs the demo extra")
    path = with_weights(tiny_model(), np.nan)
    result = CliRunner().invoke(app, ["--demo", "--model", str(path)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "is no probabilities" in result.stderr
    assert "--self-test" in result.stderr
