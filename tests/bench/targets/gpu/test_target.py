"""``dcrnet-bench --device gpu`` with the CPU's provider in CUDA's place: all but the card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from generated import FixedDetector, TinyModel, synthetic_face
from typer.testing import CliRunner, Result

from dcrnet_bench.cli import bench as cli
from dcrnet_bench.host.gpu.cuda import Card
from dcrnet_bench.report.report import Report
from dcrnet_bench.targets.gpu import subjects as room
from dcrnet_bench.targets.gpu.onnx_session import Place, onnx_network, onnx_placement
from dcrnet_bench.targets.gpu.requirements import Requirements
from dcrnet_bench.timing.gpu.execution import Execution

HERE = Place("CPUExecutionProvider", "cpu")
CARD = Card("NVIDIA H100", "0000:0B:00.0", "9.0", 85.0, "12.8")
NO_TORCH = "torch: it is not installed"


@pytest.fixture(autouse=True)
def card_of_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that ONNX Runtime alone can use."""
    there = Requirements(CARD, (NO_TORCH,), True, False)
    target = "dcrnet_bench.targets.gpu.target"
    monkeypatch.setattr(f"{target}.read_requirements", lambda: there)
    monkeypatch.setattr(f"{target}.BATCHES", (1, 2))
    detector = FixedDetector(synthetic_face((320.0, 240.0), side=200.0))
    monkeypatch.setattr(f"{target}.open_detector", lambda: detector)
    monkeypatch.setattr(room, "onnx_network", partial(onnx_network, place=HERE))
    monkeypatch.setattr(room, "onnx_placement", partial(onnx_placement, place=HERE))


def bench(*arguments: object) -> Result:
    words = ["--device", "gpu", "--runs", "3", *map(str, arguments)]
    return CliRunner().invoke(cli.app, words)


def test_every_row_is_told_and_the_gap_between_executions(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    result = bench(tiny_model(batch="N"), "--report", tmp_path / "page")
    assert result.exit_code == 0, result.output
    report = Report.from_json(result.stdout.splitlines()[-1])
    told = [
        (each.gpu.precision, each.gpu.execution, each.batch) for each in report.models if each.gpu
    ]
    assert told == [
        (precision, execution, batch)
        for batch in (1, 2)
        for precision in ("fp32", "tf32")
        for execution in Execution
    ]
    assert report.gpu is not None
    assert report.gpu.card == CARD
    assert len(report.gpu.launch_gaps) == len(told) / len(Execution)
    for each in report.models:
        assert each.gpu is not None
        assert each.latency_ms is not None
        assert each.gpu.answer_difference < 1e-5
        assert each.energy.gross_j is None
        assert each.energy.reason.startswith("energy is not measured: ")
        assert each.placement.node_shares == {"CPUExecutionProvider": 1.0}
    assert (report.run.device, report.stages) == ("gpu", ())
    assert NO_TORCH in report.notes
    assert "What the host's starting of kernels costs" in result.stdout
    [page] = (tmp_path / "page").glob("*.html")
    assert "onnxruntime, cuda graph, tf32, batch 2" in page.read_text()


def test_an_assumed_power_is_an_estimate_of_each_row(tiny_model: TinyModel) -> None:
    result = bench(tiny_model(), "--assume-watts", "300")
    assert result.exit_code == 0, result.output
    for model in json.loads(result.stdout.splitlines()[-1])["models"]:
        energy = model["energy"]
        assert energy["is_estimate"]
        assert energy["gross_j"] == pytest.approx(0.3 * model["latency_ms"]["mean"], rel=1e-3)
        assert energy["net_j"] is None


def test_without_models_the_shipped_checkpoint_is_exported(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dcrnet_edge.weights")
    asked: list[Path] = []

    def export(checkpoint: Path, folder: Path) -> Sequence[Path]:
        asked.append(checkpoint)
        return [tiny_model(name="dcrnet-224-fp32.onnx")]

    monkeypatch.setattr(room, "export_for_gpu", export)
    result = bench()
    assert result.exit_code == 0, result.output
    assert [path.name for path in asked] == ["dcrnet.safetensors"]
    document = json.loads(result.stdout.splitlines()[-1])
    assert {m["name"].partition(":")[0] for m in document["models"]} == {"dcrnet-224-fp32.onnx"}
    assert "dcrnet.safetensors is not run by torch, which finds no card here" in document["notes"]


def test_a_provider_whose_libraries_are_missing_is_an_error(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime lists it all the same, and takes the CPU."""
    monkeypatch.setattr(room, "onnx_network", partial(onnx_network, place=Place(device="cpu")))
    result = bench(tiny_model())
    assert (result.exit_code, result.stdout) == (2, "")
    said = result.stderr.splitlines()[-1]
    assert said.startswith("error: --device gpu: nothing could be run: tiny.onnx: onnxruntime,")
    assert "CUDAExecutionProvider does not load" in said


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--baseline", "a.onnx"], "--baseline"),
        (["--sustained", "1s"], "--sustained"),
        (["--operators"], "--operators"),
    ],
)
def test_what_a_gpu_does_not_give_is_refused_before_anything_is_measured(
    words: list[str], name: str
) -> None:
    result = bench("nowhere.onnx", *words)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"error: --device gpu has no {name} yet: leave it out\n")


def test_a_tflite_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Flat:
        format = "tflite"

    monkeypatch.setattr(room, "load_model", lambda path: Flat())
    result = bench(tmp_path / "a.tflite")
    assert result.exit_code == 2
    assert "--device gpu runs no tflite files" in result.stderr


def test_nothing_that_could_be_measured_is_an_error(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Requirements(CARD, (), False, True)
    monkeypatch.setattr("dcrnet_bench.targets.gpu.target.read_requirements", lambda: there)
    result = bench(tiny_model(name="a.onnx"))
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "error: --device gpu: nothing is left to be measured: a.onnx is not run: this onnxruntime"
        " has no CUDA provider\n"
    )
