"""``dcrnet-eval --corrupt``: what a model loses, on faces found anew."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import FixedDetector, TinyModel, synthetic_face
from generated_trees import write_folders
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_edge.cli import eval as eval_cli
from dcrnet_edge.data.corruptions import (
    HELD_OUT,
    TRAINED,
    Corruption,
    SeededCorruption,
    corrupt,
)
from dcrnet_edge.evaluation.predictions import read_predictions
from dcrnet_edge.evaluation.robustness import kinds_of
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face


@dataclass
class CountingDetector:
    """Finds one face, but not in dark pictures, and counts how often it is asked."""

    name = "counting"
    landmarks_sha256 = "aa" * 32
    asked: list[float] = field(default_factory=list)

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        self.asked.append(float(rgb.mean()))
        return FixedDetector(synthetic_face(centre=(36.0, 36.0), side=40.0)).find(rgb) * int(
            rgb.mean() > 40
        )


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CountingDetector:
    one = CountingDetector()
    monkeypatch.setattr("dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: one)
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    return one


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_folders(tmp_path / "tree", 5, ("train", "valid", "test"))


def judge(model: Path, tree: Path, *options: object) -> str:
    arguments = [model, "--data", tree, "--dataset", "folders", "--shared-labels", *options]
    result = CliRunner().invoke(eval_cli.app, [*map(str, arguments), "--workers", "1"])
    assert result.exit_code == 0, result.output
    return result.stdout


def altered_copy(tree: Path, to: Path, kind: Corruption) -> Path:
    """Every picture of a tree on disk with a corruption in it."""
    for path in tree.rglob("*.png"):
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        (to / path.relative_to(tree)).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(to / path.relative_to(tree)), SeededCorruption(kind)(rgb)[:, :, ::-1])
    return to


@pytest.mark.parametrize("kind", [Corruption.QUARTER_BRIGHTNESS, Corruption.SQUARE])
def test_answers_are_those_to_corrupted_files(
    kind: Corruption, tree: Path, tiny_model: TinyModel, detector: CountingDetector, tmp_path: Path
) -> None:
    model, json_file = tiny_model(), tmp_path / "figures.json"
    judge(
        model,
        tree,
        *("--corrupt", kind, "--json", json_file, "--predictions", tmp_path / "answers.csv"),
    )
    copy = altered_copy(tree, tmp_path / "copy", kind)
    judge(model, copy, "--predictions", tmp_path / "files.csv")
    found, expected = (
        read_predictions(tmp_path / name) for name in (f"answers.{kind}.csv", "files.csv")
    )
    assert (found.images, found.aligned.tolist()) == (expected.images, expected.aligned.tolist())
    assert np.array_equal(found.probabilities, expected.probabilities)
    clean = read_predictions(tmp_path / "answers.csv")
    assert not np.array_equal(found.probabilities, clean.probabilities)

    written = json.loads(json_file.read_text())["corruptions"]
    assert written["seed"] == 0
    loss = written["models"][model.name][kind]
    assert loss["accuracy"] == pytest.approx(found.correct.mean())
    assert loss["difference"] == pytest.approx(found.correct.mean() - clean.correct.mean())
    low, high = loss["interval"]
    assert low <= loss["difference"] <= high
    assert loss["is_trained"] is True
    assert loss["box_only_share"] == pytest.approx(1 - found.aligned.mean())
    if kind is Corruption.QUARTER_BRIGHTNESS:
        assert loss["box_only_share"] > 0


def test_faces_are_found_once_a_kind(
    tree: Path, tiny_model: TinyModel, detector: CountingDetector
) -> None:
    model = tiny_model()
    judge(model, tree)
    clean = len(detector.asked)
    judge(model, tree, "--corrupt", "blur", "--corrupt", "jpeg")
    assert len(detector.asked) == clean + 2 * 10
    judge(model, tree, "--corrupt", "blur", "--corrupt", "jpeg")
    assert len(detector.asked) == clean + 2 * 10


def test_trained_and_held_out_kinds_apart(
    tree: Path, tiny_model: TinyModel, detector: CountingDetector
) -> None:
    shown = judge(tiny_model(), tree, "--corrupt", "all", "--markdown")
    titles = ("tiny.onnx, trained on", "tiny.onnx, held out")
    first, second = shown.partition(titles[0])[2].split(titles[1])
    assert tuple(re.findall(r"^\| ([\w-]+) \| \d", first, re.MULTILINE)) == TRAINED
    assert tuple(re.findall(r"^\| ([\w-]+) \| \d", second, re.MULTILINE)) == HELD_OUT


def test_the_draw_is_the_pictures_own() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    noise = SeededCorruption(Corruption.NOISE_10)
    assert np.array_equal(noise(one), noise(one))
    assert not np.array_equal(noise(one), SeededCorruption(Corruption.NOISE_10, 1)(one))
    flat = [
        corrupt(np.full_like(rgb, 128), Corruption.NOISE_10, np.random.default_rng(0))
        for rgb in (one, other)
    ]
    assert np.array_equal(flat[0], flat[1])  # what one generator for all would give
    assert not np.array_equal(noise(one) - one, noise(other) - other)
    assert len({noise.key, SeededCorruption(Corruption.NOISE_10, 1).key}) == 2


def test_names_of_kinds() -> None:
    assert kinds_of(["held-out"]) == [*HELD_OUT]
    assert kinds_of(["mask", "blur", "blur"]) == [Corruption.BLUR, Corruption.MASK]
    assert kinds_of(["all"]) == [*TRAINED, *HELD_OUT]
    with pytest.raises(DcrnetError, match="`corrupt` fog is unknown: choose all, trained"):
        kinds_of(["fog"])


def test_predictions_cannot_be_asked(
    tree: Path, detector: CountingDetector, tmp_path: Path, tiny_model: TinyModel
) -> None:
    judge(tiny_model(), tree, "--predictions", tmp_path / "p.csv")
    arguments = [tmp_path / "p.csv", "--data", tree, "--dataset", "folders", "--corrupt", "blur"]
    result = CliRunner().invoke(eval_cli.app, list(map(str, arguments)))
    assert result.exit_code == 2
    assert "--corrupt needs a model, and images that --data names" in result.stderr
