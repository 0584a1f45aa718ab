"""Accuracy in the bench's table is that of dcrnet-eval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from generated import FixedDetector, TinyModel, synthetic_face
from generated_trees import write_fer2013
from typer.testing import CliRunner

from dcrnet_bench.cli.bench import app

pytest.importorskip("torch", reason="needs the train extra")


@pytest.fixture(autouse=True)
def one_face(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = FixedDetector(synthetic_face((320.0, 240.0), side=200.0))
    monkeypatch.setattr("dcrnet_bench.timing.pipeline.open_detector", lambda: detector)


def test_it_is_what_the_evaluation_says(tiny_model: TinyModel, tmp_path: Path) -> None:
    from dcrnet_edge.cli.eval import app as evaluation

    tree, path = write_fer2013(tmp_path / "tree"), tiny_model()
    data = ["--data", str(tree), "--dataset", "fer2013"]
    judged = CliRunner().invoke(evaluation, [str(path), *data, "--json", str(tmp_path / "e.json")])
    assert judged.exit_code == 0, judged.output
    expected = json.loads((tmp_path / "e.json").read_text())["models"][path.name]
    result = CliRunner().invoke(app, [str(path), "--runs", "2", *data])
    assert result.exit_code == 0, result.output
    accuracy = json.loads(result.stdout.splitlines()[-1])["models"][0]["accuracy"]
    assert (accuracy["data"], accuracy["split"]) == ("tree", "test")
    assert accuracy["images"] == expected["images"]
    assert accuracy["accuracy"] == expected["accuracy"]
    assert accuracy["interval"] == expected["accuracy_interval"]
    assert "accuracy" in result.stdout.splitlines()[2]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--dataset", "fer2013", "--split", "dev"], "--split dev is unknown: choose train"),
        (["--dataset", "nothing"], "nothing"),
    ],
)
def test_bad_data_is_refused_before_anything_is_measured(
    options: list[str], reason: str, tiny_model: TinyModel, tmp_path: Path
) -> None:
    tree = write_fer2013(tmp_path / "tree")
    result = CliRunner().invoke(app, [str(tiny_model()), "--data", str(tree), *options])
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr


def test_what_was_measured_is_told_where_the_data_turn_out_to_be_others(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dcrnet_bench.reference.accuracy import Judge
    from dcrnet_runtime.errors import DcrnetError

    def fail(*_: object) -> None:
        raise DcrnetError("other labels")

    monkeypatch.setattr(Judge, "judged", fail)
    tree = write_fer2013(tmp_path / "tree")
    options = ["--data", str(tree), "--dataset", "fer2013", "--runs", "2"]
    result = CliRunner().invoke(app, [str(tiny_model()), *options])
    assert result.exit_code == 2
    assert result.stderr.endswith("error: other labels\n")
    assert json.loads(result.stdout.splitlines()[-1])["models"][0]["accuracy"] is None
