"""``dcrnet-train --check-data``: what a data set holds, and nothing written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from edge.runs import open_fixed_detector
from generated_trees import write_folders
from typer.testing import CliRunner

from dcrnet_edge.cli.train import app


def test_it_tells_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = open_fixed_detector()
    monkeypatch.setattr("dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: one)
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    tree = write_folders(tmp_path / "tree", 30, ("train", "valid", "test"))
    shutil.copy(tree / "train" / "Happy" / "0.png", tree / "test" / "Happy" / "again.png")
    (tree / "valid" / "neutral" / "0.png").write_bytes(b"no image")
    out = tmp_path / "out"
    asked = ["--data", str(tree), "--dataset", "folders", "--workers", "1", "--out", str(out)]
    result = CliRunner().invoke(app, [*asked, "--check-data"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.splitlines()[-1])
    # Test keeps the repeat, Train loses it.
    assert {name: each["classes"] for name, each in found["splits"].items()} == {
        "train": {"happiness": 29, "neutral": 30},
        "valid": {"happiness": 30, "neutral": 29},
        "test": {"happiness": 31, "neutral": 30},
    }
    assert (found["repeats"], found["unreadable"], found["left_out"]) == (1, 1, ["0.png"])
    assert found["splits"]["test"]["with_landmarks"] == 61
    assert "61 (100.0 %)" in result.stdout
    assert not out.exists()
