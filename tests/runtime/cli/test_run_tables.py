"""``dcrnet-run --parquet`` and ``--features``, over photos, by workers, and gone on with."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import TinyModel
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_runtime import read_answers
from dcrnet_runtime.cli.run import app

pq = pytest.importorskip("pyarrow.parquet", reason="needs the parquet extra")
pytest.importorskip("pandas", reason="needs the tables extra")


@pytest.fixture
def photos(portrait: NDArray[np.uint8], tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    bgr = cv2.cvtColor(portrait[:320, 60:380], cv2.COLOR_RGB2BGR)
    for name, brightness in (("a", 1.0), ("b", 0.8), ("c", 0.6)):
        cv2.imwrite(str(folder / f"{name}.jpg"), (bgr * brightness).astype(np.uint8))
    return folder


def run(*arguments: object) -> None:
    result = CliRunner().invoke(app, [*map(str, arguments), "--near"])
    assert result.exit_code == 0, result.output


def test_tables_are_those_of_one_worker_and_of_a_resumed_run(
    photos: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model(features=True)
    one = tmp_path / "one"
    own = ("--model", model, "--workers", 1)
    run(photos, *own, "--parquet", one / "a.parquet", "--features", one / "f.parquet")
    answers = read_answers(one / "a.parquet")
    assert list(answers["source"]) == ["a.jpg", "b.jpg", "c.jpg"]
    assert answers.attrs["settings"]["rotation_deg"] == 0
    assert len(answers.attrs["model_sha256"]) == 64
    features = pq.read_table(one / "f.parquet")
    assert features["source"].to_pylist() == ["a.jpg", "b.jpg", "c.jpg"]
    colours = np.stack(features["features"].to_numpy())
    assert colours.shape == (3, 3)
    assert (np.diff(colours.mean(axis=1)) < 0).all()  # they grow darker

    two = tmp_path / "two"
    first = photos.parent / "first"
    first.mkdir()
    held_back = [photos / "b.jpg", photos / "c.jpg"]
    for path in held_back:
        shutil.move(path, first / path.name)
    run(photos, "--model", model, "--parquet", two / "a.parquet", "--resume")
    for path in held_back:
        shutil.move(first / path.name, path)
    run(photos, "--model", model, "--parquet", two / "a.parquet", "--resume", "--workers", 2)
    same = answers.drop(columns="frame")
    assert read_answers(two / "a.parquet").drop(columns="frame").equals(same)


def test_features_of_a_model_without_name_the_export(
    photos: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    arguments = [photos, "--model", tiny_model(), "--features", tmp_path / "f.npy"]
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 2
    assert "dcrnet-export accurate --int8 --size 128 --features" in result.output
    assert "--model" in result.output
    assert not (tmp_path / "f.npy").exists()


def test_features_of_workers_are_those_of_one(
    photos: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model(features=True)
    for workers in (1, 2):
        path = tmp_path / f"{workers}.npy"
        run(photos, "--model", model, "--workers", workers, "--features", path)
    np.testing.assert_array_equal(np.load(tmp_path / "1.npy"), np.load(tmp_path / "2.npy"))
