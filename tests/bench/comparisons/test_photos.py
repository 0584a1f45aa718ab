"""Photos answered by ours and by a stand-in for fer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from dcrnet_bench.comparisons.photos import app

FER = """
class FER:
    def __init__(self, mtcnn):
        assert mtcnn is False
    def detect_emotions(self, bgr):
        return [{}] * (2 if bgr.mean() > 100 else 0)
"""
PHOTOS, WARM_UP = 20, 10


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--count", str(PHOTOS), "--rounds", "1"])


@pytest.fixture
def folder(tmp_path: Path, portrait: NDArray[np.uint8]) -> Path:
    """A bright portrait, and of the measured photos three that are black; and another file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    bright = np.maximum(portrait, 90)
    for number in range(PHOTOS + 1):  # one more than is asked about
        rgb = bright * (number < PHOTOS - 3)
        assert cv2.imwrite(str(folder / f"{number:02}.png"), rgb[:, :, ::-1])
    (folder / "list.txt").write_text("no photo")
    return folder


def test_all_are_asked_about_the_same_photos(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "stubs" / "fer"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "fer.py").write_text(FER)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    result = compare(folder, "--python", f"fer={sys.executable}")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    runs = {run["competitor"]: run for run in json.loads(lines[-1])["runs"]}
    assert list(runs) == ["fast", "accurate", "fer"]
    assert {run["photos"] for run in runs.values()} == {PHOTOS - WARM_UP}
    assert {name: run["faces"] for name, run in runs.items()} == {
        "fast": 7,
        "accurate": 7,
        "fer": 14,
    }
    assert {run["with_face"] for run in runs.values()} == {0.7}
    assert all(run["cpu_ms"] > 0 for run in runs.values())
    [row] = [line for line in lines if line.startswith("| PyPI `fer` |")]
    assert "| 70.0% | 14 |" in row


def test_who_is_not_at_hand_is_not_measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dcrnet_bench.comparisons.registry import PHOTO_COMPETITORS

    monkeypatch.delitem(PHOTO_COMPETITORS, "accurate")
    result = compare(folder)
    assert result.exit_code == 0, result.output
    assert "| PyPI `fer` | not measured |" in result.stdout


def test_too_few_photos_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.png").touch()
    for place, said in ((tmp_path, "holds 1 photos"), (tmp_path / "photo.png", "is no folder")):
        result = compare(place)
        assert result.exit_code == 2
        assert f"{place} {said}" in result.stderr


def test_an_unknown_competitor_is_refused(tmp_path: Path) -> None:
    result = compare(tmp_path, "--python", "nobody=python")
    assert result.exit_code == 2
    assert "no competitor is called nobody: name one of accurate, fast, fer" in result.stderr
