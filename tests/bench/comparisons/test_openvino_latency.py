"""OpenVINO's latency and answers beside ours, with a stand-in for it and for NNCF."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from generated import LABELS, TinyModel
from typer.testing import CliRunner, Result

from dcrnet_bench.comparisons.openvino_latency import app

SIDE = 64
OPENVINO = """
import time, numpy as np
__version__ = "1"
class Core:
    def read_model(self, path):
        return 0.008
    def compile_model(self, model, device, options):
        assert options["INFERENCE_NUM_THREADS"] == 1
        def infer(crop):
            assert crop.shape == (1, 64, 64, 3)
            time.sleep(model)
            row = np.zeros((1, 7), np.float32)
            row[0, 3 if model > 0.004 or crop.max() < 2 else 4] = 1
            return [row]
        return infer
"""
NNCF = """
from types import SimpleNamespace
__version__ = "2"
QuantizationPreset = SimpleNamespace(MIXED="mixed")
Dataset = list
def quantize(model, faces, preset):
    assert len(faces) == 3 and preset == "mixed"
    return model / 4
"""


def compare(folder: Path, patch: pytest.MonkeyPatch, *arguments: object) -> Result:
    (folder / "openvino.py").write_text(OPENVINO)
    (folder / "nncf.py").write_text(NNCF)
    patch.setenv("PYTHONPATH", str(folder))
    (folder / "model.onnx").touch()
    crops = np.arange(3, dtype=np.uint8)[:, None, None, None].repeat(SIDE, 1).repeat(SIDE, 2)
    np.save(folder / "crops.npy", crops.repeat(3, 3))
    files = [folder / name for name in ("model.onnx", "crops.npy")]
    given = [*files, "--python", sys.executable, "--runs", 5, *arguments]
    return CliRunner().invoke(app, [*map(str, given)])


def test_all_models_are_timed_in_turns_and_held_to_float(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: TinyModel
) -> None:
    result = compare(tmp_path, monkeypatch, "--ours", tiny_model())
    assert result.exit_code == 0, result.output
    *table, line = result.stdout.splitlines()
    measured = json.loads(line)
    assert (measured["openvino"], measured["nncf"]) == ("1", "2")
    assert measured["median_ms"]["fp32"] >= 8
    assert 2 <= measured["median_ms"]["int8"] < measured["median_ms"]["fp32"]
    assert 0 < measured["minimum_ms"]["ours"] <= measured["median_ms"]["ours"]
    assert measured["ratio"] > 0
    assert measured["faces"] == 3
    # The stand-in's int8 gives the third face another label, with all of the probability.
    assert measured["same_labels"]["fp32"] == 1
    assert measured["same_labels"]["int8"] == pytest.approx(2 / 3)
    assert measured["mean_abs_dp"]["int8"] == pytest.approx(1 / 3)
    assert set(measured["accuracy"].values()) == {None}
    rows = [row for row in table if row.startswith("| O") or row.startswith("| ours")]
    assert [row.count("|") for row in rows] == [8, 8, 8]
    assert "times as long as ours" in table[-1]


def test_labelled_faces_give_accuracy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: TinyModel
) -> None:
    test = tmp_path / "test.npz"
    faces = np.full((4, SIDE, SIDE, 3), 9, np.uint8)
    np.savez(test, crops=faces, labels=np.array([3, 3, 4, LABELS.index("anger")]))
    result = compare(tmp_path, monkeypatch, "--ours", tiny_model(), "--test", test)
    assert result.exit_code == 0, result.output
    accuracy = json.loads(result.stdout.splitlines()[-1])["accuracy"]
    assert (accuracy["fp32"], accuracy["int8"]) == (0.5, 0.25)


def test_a_file_of_another_side_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = compare(tmp_path, monkeypatch)  # the shipped one, of 128 px
    assert result.exit_code == 2
    assert "takes 128 px, the crops have 64: name another" in result.stderr
