"""Pairs of models by their answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edge.studies.commands import study
from numpy.typing import NDArray
from scipy.stats import binomtest
from typer.testing import CliRunner

from dcrnet_edge.evaluation.predictions import Predictions, save_predictions
from dcrnet_edge.studies.command import app


def answers(right: NDArray[np.bool_]) -> Predictions:
    """Two labels; the second one wherever the answer is right."""
    count = len(right)
    probabilities = np.where(right[:, None], (0.2, 0.8), (0.9, 0.1)).astype(np.float32)
    images = tuple(f"{i}.png" for i in range(count))
    nobody = ("",) * count
    seen = np.ones(count, bool)
    truth = np.ones(count, np.int64)
    return Predictions(
        ("no", "yes"), images, ("test",) * count, nobody, seen, truth, probabilities
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    places = np.arange(200)
    paths = []
    for name, right in {"a": places < 180, "b": places < 176, "c": places < 120}.items():
        paths.append(tmp_path / f"{name}.csv")
        save_predictions(paths[-1], answers(right))
    return paths


def test_pairs_are_corrected_together(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["significance", *map(str, files), "--out", str(out)])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout.splitlines()[-1])["facts"]
    pairs = {(pair["first"], pair["second"]): pair for pair in facts["pairs"]}
    exact = {
        pair: binomtest(0, count, 0.5).pvalue
        for pair, count in {("a", "b"): 4, ("a", "c"): 60, ("b", "c"): 56}.items()
    }
    for pair, p_value in exact.items():
        assert pairs[pair]["p_value"] == pytest.approx(p_value)
    assert pairs["a", "c"]["p_holm"] == pytest.approx(3 * exact["a", "c"])
    assert pairs["b", "c"]["p_holm"] == pytest.approx(2 * exact["b", "c"])
    assert pairs["a", "b"]["p_holm"] == pytest.approx(exact["a", "b"])
    assert "Of 3 pairs 2 differ" in result.stderr
    assert "a and c; b and c" in result.stderr


@pytest.mark.parametrize(
    ("second", "told"), [("b", "a and b do not differ at the"), ("c", "a and c differ at the")]
)
def test_one_pair_is_told_as_one(
    files: list[Path], tmp_path: Path, second: str, told: str
) -> None:
    found = study("significance", files[0], files["abc".index(second)], "--out", tmp_path / "out")
    assert found["verdict"][0] == f"{told} 0.05 level."
    assert found["tables"][0]["rows"][0][:2] == ["model", "accuracy"]


def test_a_few_people_of_many_images_show_no_difference(tmp_path: Path) -> None:
    """Two of twenty people are answered better, in all their images: p of the images is small."""
    people = tuple(f"S{i // 10:02}" for i in range(200))
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, right in zip(paths, (200, 180), strict=True):
        save_predictions(path, replace(answers(np.arange(200) < right), subjects=people))
    found = study("significance", *paths, "--out", tmp_path / "out")
    (pair,) = found["facts"]["pairs"]
    assert pair["p_holm"] < 1e-4
    assert pair["interval"][0] <= 0
    assert found["verdict"] == [
        "a and b do not differ at the 0.05 level.",
        "Intervals: 95 % bootstrap over 20 subjects. Two models differ only where theirs leaves"
        " out 0, too: the test counts images.",
    ]


@pytest.mark.parametrize("count", [1, 0])
def test_one_file_is_no_pair(files: list[Path], tmp_path: Path, count: int) -> None:
    asked = [str(path) for path in files[:count]]
    result = CliRunner().invoke(app, ["significance", *asked, "--out", str(tmp_path / "o")])
    assert result.exit_code == 2
    assert not (tmp_path / "o").exists()


def test_other_images_are_refused_before_anything_is_written(
    files: list[Path], tmp_path: Path
) -> None:
    save_predictions(files[1], answers(np.ones(10, bool)))
    asked = [str(path) for path in files]
    result = CliRunner().invoke(app, ["significance", *asked, "--out", str(tmp_path / "o")])
    assert result.exit_code == 2
    assert "different images" in result.stderr
    assert not (tmp_path / "o").exists()
