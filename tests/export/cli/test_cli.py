"""The command: what it writes, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from export.fixtures import Faces, MakeFaces
from typer.testing import CliRunner

from dcrnet_edge.models.checkpoint import Checkpoint, save_checkpoint
from dcrnet_export.artifacts.kind import ArtifactKind, build_content
from dcrnet_export.checks.parity import Parity, rejection
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.cli.export import app
from dcrnet_export.formats.registry import FORMATS
from dcrnet_export.ir.graph import Conv, Graph
from dcrnet_export.ir.lowering import lower
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.outfile import check_folder

KINDS = [ArtifactKind(form.name, each) for form in FORMATS.values() for each in form.precisions]
ADDED = ["--int8", "--fp16", "--qdq", "--dynamic-range"]
Exported = tuple[Path, str]
runner = CliRunner()


@pytest.fixture(scope="module")
def calm_path(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random network with a tenth of its last weights: float16 is within budget on it."""
    network = deepcopy(checkpoint.network)
    with torch.no_grad():
        network.get_submodule(network.classifier_path).get_parameter("weight").mul_(0.1)
    path = tmp_path_factory.mktemp("calm") / "calm.safetensors"
    save_checkpoint(path, replace(checkpoint, network=network))
    return path


@pytest.fixture(scope="module")
def exported(calm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The folder of a whole export and what the command printed."""
    folder = tmp_path_factory.mktemp("out")
    result = runner.invoke(app, [str(calm_path), *ADDED, "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result.output


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file_name("dcrnet", 64))
def test_file_describes_itself(
    exported: Exported, checkpoint: Checkpoint, calm_path: Path, kind: ArtifactKind
) -> None:
    folder, _ = exported
    path = folder / kind.file_name("dcrnet", 64)
    model = load_model(path)
    assert model.card.labels == checkpoint.card.labels
    assert model.card.preprocess == checkpoint.card.preprocess
    assert model.card.license == checkpoint.card.license
    assert model.card.precision is kind.precision
    origin = model.card.export
    assert origin["checkpoint_sha256"] == sha256(calm_path.read_bytes()).hexdigest()
    assert origin["input"]["shape"] == [1, 64, 64, 3]
    assert origin["output"]["shape"] == [1, 7]
    assert kind.precision is not None
    assert (origin["calibration"] is None) != kind.precision.has_ranges
    if kind.precision.has_ranges:
        assert len(origin["calibration"]["sha256"]) == 64
    sidecar = json.loads((folder / f"{path.name}.json").read_text())
    assert sidecar["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert sidecar["card"] == json.loads(model.card.to_json())


def test_report_names_files_and_next_commands(exported: Exported) -> None:
    folder, output = exported
    assert f"dcrnet-bench {folder / 'dcrnet-64-int8.onnx'}" in output
    assert f"dcrnet-run --source 0 --model {folder / 'dcrnet-64-fp32.tflite'}" in output
    assert not list(folder.glob("*.rejected*"))
    assert len(list(folder.iterdir())) == 2 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file_name("dcrnet", 64))
def test_same_inputs_give_the_same_bytes(checkpoint: Checkpoint, kind: ArtifactKind) -> None:
    graphs = [lower(checkpoint.network, 64, checkpoint.ranges[64]) for _ in range(2)]
    first, second = (build_content(kind, graph, checkpoint.card) for graph in graphs)
    assert first == second


def refused(*arguments: object) -> str:
    """The one line on standard error of a command that must exit with 2."""
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_int8_without_ranges_asks_for_faces(checkpoint_path: Path, tmp_path: Path) -> None:
    line = refused(checkpoint_path, "--int8", "--size", 128, "--out", tmp_path / "out")
    assert "128 px" in line
    assert "give face images with --calib" in line
    assert not (tmp_path / "out").exists()


def test_damaged_checkpoint_is_one_line(checkpoint_path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(checkpoint_path.read_bytes()[:100_000])
    assert "copy it again" in refused(damaged, "--out", tmp_path / "out")


def test_missing_checkpoint(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "none.safetensors")


def test_impossible_size(checkpoint_path: Path) -> None:
    assert "64, 128, 192, 224" in refused(checkpoint_path, "--size", 96)


@pytest.mark.parametrize("place", ["file", "file/out"])
def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_export.job.prepare_job", lambda *_, **__: pytest.fail("worked"))
    (tmp_path / "file").touch()
    line = refused("--out", tmp_path / place)
    assert line.startswith(f"error: no file can be written to the folder {tmp_path / place} (")
    assert line.endswith("): name a writable one with --out")


def test_trying_a_folder_leaves_nothing(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b", "out")
    assert not list(tmp_path.iterdir())
    check_folder(tmp_path, "out")
    assert not list(tmp_path.iterdir())


def test_a_size_that_was_not_trained_is_told(
    checkpoint_path: Path, exported: Exported, tmp_path: Path
) -> None:
    command = [str(checkpoint_path), "--size", "128", "--format", "onnx", "--out", str(tmp_path)]
    result = runner.invoke(app, command)
    assert "WARNING: it was trained at 64 px and can be far worse at 128" in result.output
    assert "it was trained at" not in exported[1]


def test_misspelt_format_gets_the_closest(checkpoint_path: Path) -> None:
    assert "did you mean tflite?" in refused(checkpoint_path, "--format", "tflight")


@pytest.mark.parametrize("make", [False, True])
def test_calibration_folder_without_faces(
    checkpoint_path: Path, tmp_path: Path, make: bool
) -> None:
    folder = tmp_path / "faces"
    if make:
        folder.mkdir()
    line = refused(checkpoint_path, "--int8", "--calib", folder, "--out", tmp_path / "out")
    assert str(folder) in line


def write_faces(folder: Path, faces: Faces) -> Path:
    folder.mkdir()
    for i, face in enumerate(faces):
        cv2.imwrite(str(folder / f"{i}.png"), face)
    (folder / "damaged.png").write_bytes(b"no image")
    return folder


def test_calibration_folder_replaces_recorded_ranges(
    checkpoint_path: Path, tmp_path: Path, make_faces: MakeFaces
) -> None:
    folder = write_faces(tmp_path / "faces", make_faces(100, 64))
    arguments = [checkpoint_path, "--target", "x86", "--calib", folder, "--out", tmp_path / "out"]
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    (path,) = (tmp_path / "out").glob("*.onnx")
    assert load_model(path).card.provenance["export"]["calibration"]["faces"] == 100
    assert "100 calibration faces are few" in result.stderr
    assert "Calibration faces: predicted anger" in result.stderr


def test_too_few_calibration_faces(
    checkpoint_path: Path, tmp_path: Path, make_faces: MakeFaces
) -> None:
    folder = write_faces(tmp_path / "faces", make_faces(3, 64))
    arguments = [checkpoint_path, "--int8", "--calib", folder, "--out", tmp_path / "out"]
    line = refused(*arguments)
    assert "3 usable faces" in line
    assert not (tmp_path / "out").exists()


def test_wrong_artifact_is_rejected_and_the_others_are_not(
    checkpoint_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = FORMATS["onnx"]

    def damaged(graph: Graph, batch: int | None) -> bytes:
        node = graph.by_name()["head.0"]
        assert isinstance(node.op, Conv)
        broken = replace(node, op=replace(node.op, bias=node.op.bias + 1.0))
        nodes = tuple(broken if each is node else each for each in graph.nodes)
        return onnx.float_emitters[Precision.FP32](replace(graph, nodes=nodes), batch)

    emitters = {**onnx.float_emitters, Precision.FP32: damaged}
    monkeypatch.setitem(FORMATS, "onnx", replace(onnx, float_emitters=emitters))
    result = runner.invoke(app, [str(checkpoint_path), "--out", str(tmp_path)])
    assert result.exit_code == 2, result.output
    assert "differs from torch" in result.output
    names = {path.name for path in tmp_path.iterdir()}
    assert "dcrnet-64-fp32.onnx.rejected" in names
    assert "dcrnet-64-fp32.onnx" not in names
    assert "dcrnet-64-fp32.tflite" in names


@pytest.mark.parametrize(
    ("precision", "parity", "passes"),
    [
        (Precision.FP32, Parity(64, 40, 9e-5, 0.01, 1.0, 1.0), True),
        (Precision.FP32, Parity(64, 40, 2e-4, 0.01, 1.0, 1.0), False),
        (Precision.FP32, Parity(64, 40, 1e-6, 0.01, 0.99, 1.0), False),
        (Precision.FP32, Parity(64, 40, np.nan, 0.01, 1.0, 1.0), False),
        (Precision.INT8, Parity(64, 40, 0.3, 0.01, 0.6, 0.96), True),
        (Precision.INT8, Parity(64, 40, 0.3, 0.01, 0.6, 0.9), False),
        (Precision.INT8, Parity(64, 40, 0.3, 0.06, 0.6, 1.0), False),
        (Precision.FP16, Parity(64, 40, 4e-3, 0.01, 0.9, 1.0), True),
        (Precision.FP16, Parity(64, 40, 6e-3, 0.01, 1.0, 1.0), False),
    ],
)
def test_gates(precision: Precision, parity: Parity, passes: bool) -> None:
    assert (rejection(precision, parity, Tolerances()) is None) == passes


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_heavy(option: str) -> None:
    code = (
        "import sys\nfrom dcrnet_export.cli.export import app\n"
        f"try:\n    app([{option!r}])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'cv2', 'numpy', 'flatbuffers'}\n"
        "sys.exit(len(heavy & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_a_file_is_looked_at_without_pytorch(command: str) -> None:
    """In an environment with the small ``inspect`` extra alone."""
    code = (
        "import sys\n"
        "for name in ('torch', 'lightning', 'sklearn', 'scipy', 'statsmodels', 'onnxsim'):\n"
        "    sys.modules[name] = None\n"
        "from dcrnet_export.cli.export import app\n"
        "app(sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command, str(shipped_model())], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert ("golden answers" if command == "verify" else "sha256") in done.stdout
