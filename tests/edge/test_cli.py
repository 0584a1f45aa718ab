"""``dcrnet-train`` and ``dcrnet-eval``: one clear line for what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from generated import write_ferplus
from typer.testing import CliRunner

from dcrnet_edge import eval_cli, train_cli


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--data", "none"], "data set folder none does not exist"),
        (
            ["--data", ".", "--dataset", "imagenet"],
            "--dataset imagenet is unknown: choose ferplus",
        ),
        (["--data", ".", "--size", "96"], "size 96 is not one of 64, 128, 192, 224"),
    ],
)
def test_bad_training_arguments(arguments: list[str], expected: str) -> None:
    pytest.importorskip("mediapipe", reason="training needs landmark networks")
    result = CliRunner().invoke(train_cli.app, arguments)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("module", ["torch", "lightning", "safetensors", "sklearn"])
def test_a_missing_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for app in (train_cli.app, eval_cli.app):
        result = CliRunner().invoke(app, ["--data", "."])
        assert result.exit_code == 2
        assert f"{module} is not installed: pip install 'dcrnet-edge[train]'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--split", "all"], "--split all is unknown: choose train, valid, test"),
        (["none.onnx"], "none.onnx cannot be read"),
        (["none.safetensors"], "none.safetensors does not exist"),
    ],
)
def test_bad_evaluation_arguments(arguments: list[str], expected: str, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="evaluation needs landmark networks")
    data = write_ferplus(tmp_path / "data")
    result = CliRunner().invoke(eval_cli.app, [*arguments, "--data", str(data)])
    assert result.exit_code == 2
    assert expected in result.stderr
