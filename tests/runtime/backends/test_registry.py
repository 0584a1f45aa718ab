"""A back end is one entry: this one is added here, and found by file and by name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from generated import LABELS
from numpy.typing import NDArray

from dcrnet_runtime import load_model
from dcrnet_runtime.backends import registry
from dcrnet_runtime.backends.backend import (
    Accelerators,
    Capabilities,
    ModelFile,
    SessionOptions,
)
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.backends.provider import Provider
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec


class Undecided:
    """A model that gives every label the same probability."""

    format = ModelFormat.TFLITE
    runs_on = "nothing at all"

    def __init__(self, file: ModelFile) -> None:
        self.card = ModelCard(LABELS, PreprocessSpec(size_px=64))
        self.sha256 = file.sha256

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full((len(crops), len(LABELS)), 1 / len(LABELS), np.float32)


class Toy:
    name = "toy"
    capabilities = Capabilities(frozenset({ModelFormat.TFLITE}), Accelerators.NONE)

    def is_installed(self) -> bool:
        return True

    def load(self, file: ModelFile, options: SessionOptions) -> Undecided:
        return Undecided(file)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BACKENDS", dict(registry.BACKENDS))
    registry.register(Toy())


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3")
    return path


@pytest.mark.usefixtures("toy")
def test_a_new_back_end_runs_by_name(model_file: Path) -> None:
    model = load_model(model_file, backend="toy")
    assert model.runs_on == "nothing at all"
    rows = model.probabilities(np.zeros((3, 64, 64, 3), np.uint8))
    assert rows.sum(axis=1) == pytest.approx(1)


@pytest.mark.usefixtures("toy")
def test_its_capabilities_are_heeded(model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match="toy takes no accelerator: leave `providers` out"):
        load_model(model_file, backend="toy", providers=[Provider("any.so")])
    other = tmp_path / "model.onnx"
    other.write_bytes(b"any")
    with pytest.raises(DcrnetError, match=r"toy does not run .*an onnx file"):
        load_model(other, backend="toy")


@pytest.mark.usefixtures("toy")
def test_it_takes_over_where_the_others_are_not_installed(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    assert load_model(model_file).runs_on == "nothing at all"


def test_a_name_that_is_none_is_refused(model_file: Path) -> None:
    with pytest.raises(DcrnetError, match="`backend` toy is unknown: choose onnxruntime, litert"):
        load_model(model_file, backend="toy")
