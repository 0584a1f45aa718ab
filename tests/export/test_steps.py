"""The tables of what int8 gains can be made again, on generated material here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from export.fixtures import Faces, MakeFaces
from generated import write_ferplus
from typer.testing import CliRunner

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export import baselines, steps
from dcrnet_export.ir.graph import Affine, Clamp
from dcrnet_runtime.backends.loading import load_model

runner = CliRunner()
FILES = [
    "0-stock-fp32.onnx",
    "0-stock-int8.onnx",
    "2-folded-int8.onnx",
    "3-clamps-int8.onnx",
    "4-coordinates-int8.onnx",
    "5-all-int8.onnx",
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ferplus(tmp_path_factory.mktemp("data") / "tree", 6)


@pytest.fixture(scope="module")
def written(checkpoint_path: Path, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steps")
    arguments = ["write", "--data", tree, "--size", 64, "--out", folder]
    arguments += ["--checkpoint", checkpoint_path]
    result = runner.invoke(steps.app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return folder


def test_a_file_for_each_step_near_the_float_one(
    written: Path, checkpoint: Checkpoint, faces: Faces
) -> None:
    assert sorted(path.name for path in written.iterdir()) == FILES
    answers = {name: load_model(written / name).probabilities(faces) for name in FILES}
    for name, found in answers.items():
        assert load_model(written / name).card == checkpoint.card
        assert np.isfinite(found).all()
    float_file = answers["0-stock-fp32.onnx"]
    assert np.abs(answers["5-all-int8.onnx"] - float_file).mean() < 0.03
    assert np.abs(answers["4-coordinates-int8.onnx"] - float_file).mean() < 0.03


def test_files_take_turns_on_test_faces(written: Path, tree: Path) -> None:
    paths = [str(written / name) for name in FILES]
    result = runner.invoke(steps.app, ["compare", *paths, "--data", str(tree), "--faces", "2"])
    assert result.exit_code == 0, result.output
    rows = [line for line in result.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(FILES)
    assert "1.00x" in rows[1]
    assert "100.0%" in rows[1]


def test_labelled_faces_are_kept_for_others(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "test.npz"
    arguments = ["faces", "--data", str(tree), "--size", "64", "--faces", "3", "--out", str(out)]
    result = runner.invoke(steps.app, arguments)
    assert result.exit_code == 0, result.output
    with np.load(out) as kept:
        assert kept["crops"].shape == (3, 64, 64, 3)
        assert kept["crops"].dtype == np.uint8
        assert kept["labels"].shape == (3,)
        assert kept["labels"].dtype == np.int64


def test_unclamped_graph_keeps_its_batch_norms(checkpoint: Checkpoint) -> None:
    ops = [type(node.op) for node in steps._unclamped(checkpoint, 64).nodes]
    assert Clamp not in ops
    assert ops.count(Affine) == 6 + 12 + 24 + 16 + 3 + 1


def test_stock_files_and_their_calibration_faces(
    checkpoint_path: Path, tmp_path: Path, make_faces: MakeFaces
) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    for index, face in enumerate(make_faces(2)):
        cv2.imwrite(str(folder / f"{index}.png"), face)
    arguments = ["--calib", folder, "--size", 64, "--out", tmp_path / "out"]
    arguments += ["--checkpoint", checkpoint_path]
    result = runner.invoke(baselines.app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "crops-64.npy",
        "stock-64-fp32.onnx",
        "stock-64-int8.onnx",
    ]
    assert np.load(tmp_path / "out" / "crops-64.npy").shape == (2, 64, 64, 3)


@pytest.mark.parametrize("app", [steps.app, baselines.app])
def test_folder_that_is_not_there_is_one_line(app: typer.Typer, tmp_path: Path) -> None:
    nothing = str(tmp_path / "nothing")
    command = ["write", "--data", nothing] if app is steps.app else ["--calib", nothing]
    result = runner.invoke(app, [*command, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
