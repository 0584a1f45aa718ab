"""The scripts that make the documents' tables run, on generated material."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import write_clip, write_ferplus

from dcrnet_edge.datasets.sample import EXPRESSIONS
from dcrnet_edge.evaluation.predictions import Predictions, read_predictions, save_predictions

DOCS = Path(__file__).parents[1] / "docs"
STUB = """
import numpy as np
class FER:
    def __init__(self, mtcnn):
        assert mtcnn is False
    def detect_emotions(self, bgr, face_rectangles):
        assert bgr.dtype == np.uint8 and face_rectangles == [(0, 0, 48, 48)]
        shares = {"angry": 0.1, "disgust": 0.11, "fear": 0.12, "surprise": 0.13, "neutral": 0.14}
        happy = 0.3 if bgr.mean() > 100 else 0.1
        return [{"emotions": {**shares, "happy": happy, "sad": round(0.4 - happy, 2)}}]
"""


def run_script(name: str, *arguments: str | Path, stubs: Path | None = None) -> list[str]:
    """The lines that a script of the documents prints."""
    path = os.pathsep.join(filter(None, [str(stubs or ""), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, str(DOCS / name), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_fers_answers_are_predictions_to_compare_with(tmp_path: Path) -> None:
    root = write_ferplus(tmp_path / "tree")
    images = sorted((root / "FER2013Test").glob("*.png"))
    means = [cv2.imread(str(path)).mean() for path in images]
    expected = [EXPRESSIONS.index("happiness" if m > 100 else "sadness") for m in means]
    assert len(set(expected)) == 2
    ours = Predictions(
        EXPRESSIONS,
        tuple(str(path.relative_to(root)) for path in images),
        ("test",) * len(images),
        ("",) * len(images),
        np.ones(len(images), bool),
        np.array(expected),
        np.full((len(images), 7), 1 / 7, np.float32),
    )
    save_predictions(tmp_path / "ours.csv", ours)
    (tmp_path / "stubs" / "fer").mkdir(parents=True)
    (tmp_path / "stubs" / "fer" / "__init__.py").touch()
    (tmp_path / "stubs" / "fer" / "fer.py").write_text(STUB)
    answers = tmp_path / "fer.csv"
    run_script("fer_answers.py", tmp_path / "ours.csv", root, answers, stubs=tmp_path / "stubs")
    found = read_predictions(answers)
    assert found.images == ours.images
    assert list(found.predicted) == expected
    first = [0.1, 0.11, 0.12, 0.1, 0.14, 0.3, 0.13]
    if expected[0] == EXPRESSIONS.index("happiness"):
        first[3], first[5] = 0.3, 0.1
    assert found.probabilities[0] == pytest.approx(first, abs=1e-4)


def test_the_comparison_measures_our_loop(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", 32, fps=25)
    lines = run_script("comparison.py", clip, "--frames", "5", "--rounds", "1")
    [row] = [line for line in lines if line.startswith("| `dcrnet-run`")]
    assert row.count("|") == 7
    assert sum("not measured" in line for line in lines) == 2
    runs = {run["is_paced"]: run for run in json.loads(lines[-1])["runs"]}
    assert runs[False]["frames"] == 5
    assert runs[False]["fps"] > 0
    assert runs[True]["delay_ms"] > 0


def test_photos_count_a_face_that_is_not_there_as_wrong(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "happy-nobody.png"), np.full((120, 160, 3), 90, np.uint8))
    command = [sys.executable, "-m", "dcrnet_edge.evaluation.photos", "happy-nobody.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    document = json.loads(lines[-1])
    [result] = document["results"]
    assert document["versions"] == 25
    assert len(result["wrong"]) == 25
    assert lines[2].startswith("| happy-nobody | dcrnet-int8.onnx | 0 of 25 |")
