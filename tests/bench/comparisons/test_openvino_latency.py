"""OpenVINO's latency, with a stand-in for it and for NNCF."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dcrnet_bench.comparisons.openvino_latency import app

OPENVINO = """
import time
__version__ = "1"
class Core:
    def read_model(self, path):
        return 0.008
    def compile_model(self, model, device, options):
        assert options["INFERENCE_NUM_THREADS"] == 1
        def infer(crop):
            assert crop.shape == (1, 4, 4, 3)
            time.sleep(model)
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


def test_medians_are_of_both_precisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openvino.py").write_text(OPENVINO)
    (tmp_path / "nncf.py").write_text(NNCF)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "model.onnx").touch()
    np.save(tmp_path / "crops.npy", np.zeros((3, 4, 4, 3), np.uint8))
    files = [str(tmp_path / name) for name in ("model.onnx", "crops.npy")]
    result = CliRunner().invoke(app, [*files, "--python", sys.executable])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["openvino"], document["nncf"]) == ("1", "2")
    assert document["median_ms"]["fp32"] >= 8
    assert 2 <= document["median_ms"]["int8"] < document["median_ms"]["fp32"]
