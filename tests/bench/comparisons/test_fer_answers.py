"""What fer answers, with a stand-in for it."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import write_ferplus
from typer.testing import CliRunner, Result

from dcrnet_bench.comparisons.fer_answers import app
from dcrnet_edge.datasets.sample import EXPRESSIONS
from dcrnet_edge.evaluation.predictions import Predictions, read_predictions, save_predictions

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


@pytest.fixture
def fer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of that name, for interpreters that are started."""
    package = tmp_path / "stubs" / "fer"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "fer.py").write_text(STUB)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


def ask(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--python", sys.executable])


def ours(path: Path, images: tuple[str, ...]) -> Path:
    count = len(images)
    predictions = Predictions(
        EXPRESSIONS,
        images,
        ("test",) * count,
        ("",) * count,
        np.ones(count, bool),
        np.zeros(count, np.int64),
        np.full((count, 7), 1 / 7, np.float32),
    )
    save_predictions(path, predictions)
    return path


def test_answers_are_predictions_to_compare_with(fer: None, tmp_path: Path) -> None:
    root = write_ferplus(tmp_path / "tree")
    images = sorted((root / "FER2013Test").glob("*.png"))
    means = [np.asarray(cv2.imread(str(path)), np.uint8).mean() for path in images]
    expected = [EXPRESSIONS.index("happiness" if m > 100 else "sadness") for m in means]
    assert len(set(expected)) == 2
    names = tuple(str(path.relative_to(root)) for path in images)
    answers = tmp_path / "fer.csv"
    result = ask(ours(tmp_path / "ours.csv", names), root, answers)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{answers}: {len(images)} answers\n"
    found = read_predictions(answers)
    assert found.images == names
    assert list(found.predicted) == expected
    first = [0.1, 0.11, 0.12, 0.1, 0.14, 0.3, 0.13]
    if expected[0] == EXPRESSIONS.index("happiness"):
        first[3], first[5] = 0.3, 0.1
    assert found.probabilities[0] == pytest.approx(first, abs=1e-4)


def test_an_image_that_is_missing_ends_it_and_leaves_no_file(fer: None, tmp_path: Path) -> None:
    answers = tmp_path / "fer.csv"
    result = ask(ours(tmp_path / "ours.csv", ("none.png",)), tmp_path, answers)
    assert result.exit_code == 2
    assert "none.png is no image file: use the PNG folders" in result.stderr
    assert not answers.exists()


def test_a_file_without_predictions_is_refused(fer: None, tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text("a,b\n")
    result = ask(tmp_path / "ours.csv", tmp_path, tmp_path / "fer.csv")
    assert result.exit_code == 2
    assert "holds no predictions" in result.stderr


def test_an_interpreter_without_fer_says_what_it_lacks(tmp_path: Path) -> None:
    result = ask(ours(tmp_path / "ours.csv", ("a.png",)), tmp_path, tmp_path / "fer.csv")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "No module named 'fer'" in result.stderr
