"""A tiny model, a tree of pictures and a detector that needs no networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from edge.runs import open_fixed_detector
from generated import FixedDetector
from generated_trees import write_folders


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    one = open_fixed_detector()
    monkeypatch.setattr("dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: one)
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    return one


@pytest.fixture
def tree(tmp_path: Path, detector: FixedDetector) -> Path:
    return write_folders(tmp_path / "tree", 5, ("train", "valid", "test"))
