"""Another data set is one file and one registration: a toy one, judged by its name."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from edge.runs import open_fixed_detector
from typer.testing import CliRunner

from dcrnet_edge.cli import eval as eval_cli
from dcrnet_edge.cli.train import run_settings
from dcrnet_edge.datasets import registry
from dcrnet_edge.datasets.collection import Collection, layout_error
from dcrnet_edge.datasets.sample import Sample, Split, one_hot
from dcrnet_runtime.models import shipped_model

LABELS = ("happiness", "neutral")


def read_toy(root: Path) -> Collection:
    """``SUBJECT-LABEL-SPLIT.png`` in one folder."""
    collection = Collection("toy", LABELS, [], [])
    for path in sorted(root.glob("*-*-*.png")):
        subject, name, split = path.stem.split("-")
        label = LABELS.index(name)
        groups = (("age", "adult"),)
        collection.samples.append(
            Sample(path, label, one_hot(label, 2), subject=subject, groups=groups)
        )
        collection.official.append(Split(split))
    if not collection.samples:
        raise layout_error(root, "SUBJECT-LABEL-SPLIT.png (`dataset` toy)")
    return collection


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_DATASETS", copy.deepcopy(registry._DATASETS))
    registry.register(
        registry.DatasetAdapter("toy", read_toy, license="Trained on a toy.", preset="ckplus")
    )


def test_it_is_judged_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: open_fixed_detector()
    )
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    rng = np.random.default_rng(0)
    for split in Split:
        for subject in range(3):
            for label in LABELS:
                pixels = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
                cv2.imwrite(str(tmp_path / f"P{subject}-{label}-{split}.png"), pixels)
    arguments = [shipped_model(), "--data", tmp_path, "--dataset", "toy", "--shared-labels"]
    arguments += ["--json", tmp_path / "figures.json"]
    result = CliRunner().invoke(eval_cli.app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "figures.json").read_text())
    assert document["dataset"] == "toy"
    [found] = document["models"].values()
    assert (found["images"], found["resampled"]) == (6, "3 subjects")


def test_it_brings_its_settings_and_its_terms() -> None:
    config = run_settings(None, None, [], {"dataset": "toy"})
    assert (config.dataset, config.recipe.epochs) == ("toy", 200)
    assert registry.adapter("toy").license == "Trained on a toy."


def test_another_layout_is_refused(tmp_path: Path) -> None:
    arguments = [str(shipped_model()), "--data", str(tmp_path), "--dataset", "toy"]
    result = CliRunner().invoke(eval_cli.app, arguments)
    assert result.exit_code == 2
    assert "should hold SUBJECT-LABEL-SPLIT.png (--dataset toy); it holds nothing" in result.stderr
