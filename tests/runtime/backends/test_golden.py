"""Golden inputs and the self-test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from generated import LABELS
from typer.testing import CliRunner

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.golden import (
    GOLDEN_INPUTS,
    Golden,
    golden_crops,
    inputs_digest,
    self_test,
)
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.cli.run import app
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

TinyModel = Callable[..., Path]
SPEC = PreprocessSpec(size_px=64)


@pytest.fixture
def recorded(tiny_model: TinyModel) -> Callable[..., Path]:
    """Writes a tiny model whose card has its golden answers, changed as asked."""

    def write(**changes: object) -> Path:
        golden = Golden.record(load_model(tiny_model(SPEC)), 0.01).to_json() | changes
        card = ModelCard(LABELS, SPEC, metrics={"golden": golden})
        return tiny_model(SPEC, card.to_json(), "recorded.onnx")

    return write


def test_inputs_are_the_same_everywhere() -> None:
    """An old file's answers are worth nothing to a version that draws something else."""
    digests = {side: inputs_digest(golden_crops(side))[:16] for side in (64, 224)}
    assert digests == {64: "e21f893dbc1b5086", 224: "c8ea5e9e5081f2a7"}


def test_inputs_excite_every_code_and_both_ends() -> None:
    crops = golden_crops(64)
    assert crops.shape == (len(GOLDEN_INPUTS), 64, 64, 3)
    assert len(np.unique(crops)) > 200
    assert (crops == 255).all(axis=(1, 2, 3)).any()
    assert (crops[..., 0] != crops[..., 2]).any()  # shows a swapped colour order
    assert len({crop.tobytes() for crop in crops}) == len(crops)


def test_same_machine_passes(recorded: Callable[..., Path]) -> None:
    test = self_test(load_model(recorded()))
    assert test.passed
    assert test.largest < 1e-4


def test_other_answers_fail_and_the_input_is_named(recorded: Callable[..., Path]) -> None:
    answers = Golden.record(load_model(recorded()), 0.01).probabilities
    answers[5, 0] += 0.02
    test = self_test(load_model(recorded(probabilities=answers.tolist())))
    assert not test.passed
    assert test.worst == "white"
    assert test.largest == pytest.approx(0.02, abs=1e-3)


def test_no_number_never_passes(recorded: Callable[..., Path]) -> None:
    model = load_model(recorded())
    model.probabilities = lambda crops: np.full((len(crops), 7), np.nan)  # type: ignore[method-assign]
    assert not self_test(model).passed
    assert self_test(model).to_json()["largest_difference"] is None


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"inputs_sha256": "0" * 64}, "other inputs"),
        ({"probabilities": [[0.5, 0.5]]}, "shape"),
        ({"probabilities": "none"}, "damaged"),
        ({"tolerance": None}, "damaged"),
    ],
)
def test_useless_record_is_one_line(
    recorded: Callable[..., Path], changes: dict[str, object], line: str
) -> None:
    with pytest.raises(DcrnetError, match=line):
        self_test(load_model(recorded(**changes)))


def test_model_without_record(tiny_model: TinyModel) -> None:
    with pytest.raises(DcrnetError, match="export it again"):
        self_test(load_model(tiny_model(SPEC)))


def test_command(recorded: Callable[..., Path]) -> None:
    good = CliRunner().invoke(app, ["--self-test", "--model", str(recorded())])
    assert good.exit_code == 0, good.output
    found = json.loads(good.stdout)
    assert found["passed"]
    assert found["inputs"] == len(GOLDEN_INPUTS)
    wrong = [[1.0] + [0.0] * 6] * len(GOLDEN_INPUTS)
    bad = CliRunner().invoke(app, ["--self-test", "--model", str(recorded(probabilities=wrong))])
    assert bad.exit_code == 2
    assert "wrongly" in bad.stderr
    assert not json.loads(bad.stdout)["passed"]
