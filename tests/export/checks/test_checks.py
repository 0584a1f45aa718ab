"""Gates: what passes, what is rejected, and what a later check finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from export.fixtures import MakeFaces
from onnx import numpy_helper
from typer.testing import CliRunner

from dcrnet_edge.evaluation.comparison import Comparison
from dcrnet_edge.models.activation_ranges import Ranges, activation_ranges
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint
from dcrnet_edge.weights import shipped_checkpoint
from dcrnet_export.artifacts.files import write_artifact
from dcrnet_export.artifacts.kind import ArtifactKind, build_content
from dcrnet_export.artifacts.target import Target
from dcrnet_export.calibration.crops import PreparedCrops
from dcrnet_export.calibration.ranges import calibrate, check_count, stored_calibration
from dcrnet_export.checks.accuracy import Verdict, verdict
from dcrnet_export.checks.golden import host_problem
from dcrnet_export.checks.parity import torch_probabilities
from dcrnet_export.checks.references import References
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.cli.export import app
from dcrnet_export.exporter import export
from dcrnet_export.formats.registry import file_format
from dcrnet_export.ir.lowering import lower
from dcrnet_export.job import ExportJob
from dcrnet_export.passes.quantization import WeightLimit
from dcrnet_export.progress import Steps
from dcrnet_runtime.backends.content_hash import HASH_KEY
from dcrnet_runtime.backends.golden import self_test
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.errors import DcrnetError

INT8 = ArtifactKind(ModelFormat.ONNX, Precision.INT8)
DAMAGED = "stages.conv1.conv"
runner = CliRunner()


def job(checkpoint: Checkpoint, make_faces: MakeFaces, ranges: Ranges | None = None) -> ExportJob:
    """An export of the checkpoint, with other ranges if given."""
    calibrated = replace(checkpoint, ranges={64: ranges}) if ranges else checkpoint
    crops = make_faces(16)
    references = References(
        PreparedCrops(crops, "generated faces"),
        torch_probabilities(checkpoint.network, crops),
        None,
        Tolerances(),
    )
    calibration = stored_calibration(calibrated, 64)
    return ExportJob(checkpoint, "0" * 64, references, calibration)


@pytest.fixture(scope="module")
def checkpoint(make_faces: MakeFaces) -> Checkpoint:
    """The shipped weights at 64 px: a random network answers the same to almost everything."""
    shipped = load_checkpoint(shipped_checkpoint())
    codes = torch.from_numpy(make_faces(32, seed=2)).permute(0, 3, 1, 2)
    ranges = {64: activation_ranges(shipped.network, [codes])}
    card = replace(shipped.card, preprocess=replace(shipped.card.preprocess, size_px=64))
    return Checkpoint(shipped.network, card, ranges)


@pytest.fixture(scope="module")
def good(
    checkpoint: Checkpoint, make_faces: MakeFaces, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An int8 ONNX file that has passed."""
    folder = tmp_path_factory.mktemp("good")
    (exported,) = export(job(checkpoint, make_faces), [INT8], folder, Steps())
    assert exported.problem is None
    assert exported.path is not None
    return exported.path


@pytest.fixture
def copied(good: Path, tmp_path: Path) -> Path:
    """A copy of it, with its sidecar, to damage."""
    for path in (good, good.with_name(f"{good.name}.json")):
        shutil.copy(path, tmp_path)
    return tmp_path / good.name


def rewritten(path: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    """The file with its graph changed, without a hash, and all else it says as before."""
    model = onnx.load(path)
    (stated,) = (each for each in model.metadata_props if each.key == HASH_KEY)
    model.metadata_props.remove(stated)
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def ten_times_the_weights(model: onnx.ModelProto) -> None:
    """Damages the scale of one layer's weights."""
    (scale,) = (
        each
        for node in model.graph.node
        if node.name == DAMAGED
        for each in model.graph.initializer
        if each.name == node.input[4]
    )
    scale.CopyFrom(numpy_helper.from_array(10 * numpy_helper.to_array(scale), scale.name))


def checks(path: Path, *options: str) -> tuple[int, dict[str, str]]:
    """The exit code of ``verify`` and its outcomes by name."""
    from dcrnet_export.checks.verification import verify

    result = runner.invoke(app, ["verify", str(path), *options])
    return result.exit_code, {check.name: check.outcome.value for check in verify(path)}


def test_card_tells_what_was_measured(good: Path) -> None:
    metrics = load_model(good).card.metrics
    assert metrics["export"]["parity"]["faces"] == 16
    assert metrics["export"]["parity"]["source"] == "generated faces"
    assert 0 < metrics["export"]["parity"]["largest"] < 0.2
    assert metrics["export"]["accuracy"] is None
    assert self_test(load_model(good)).passed


def test_measured_figures_are_reproducible(
    good: Path, checkpoint: Checkpoint, make_faces: MakeFaces, tmp_path: Path
) -> None:
    leftover = tmp_path / ".dcrnet-64-int8.4194999.tmp.onnx"  # beyond the numbers of processes
    leftover.write_bytes(b"of a killed export")
    (again,) = export(job(checkpoint, make_faces), [INT8], tmp_path, Steps())
    assert again.path is not None
    assert again.path.read_bytes() == good.read_bytes()
    assert not leftover.exists()


def test_damaged_layer_is_found_named_and_kept_in_float(
    checkpoint: Checkpoint, make_faces: MakeFaces, tmp_path: Path
) -> None:
    ranges = {**checkpoint.ranges[64], DAMAGED: 1000 * checkpoint.ranges[64][DAMAGED]}
    (exported,) = export(job(checkpoint, make_faces, ranges), [INT8], tmp_path, Steps())
    assert exported.problem is None
    assert exported.path is not None
    assert exported.mixed_precision is not None
    assert exported.mixed_precision.layers[0].layer == DAMAGED
    assert exported.mixed_precision.layers[0].noise > 0.5
    assert DAMAGED in exported.mixed_precision.describe()
    card = load_model(exported.path).card
    assert DAMAGED in card.provenance["export"]["float_layers"]


def test_self_test_and_verify_find_a_damaged_layer(copied: Path) -> None:
    rewritten(copied, ten_times_the_weights)
    test = self_test(load_model(copied))
    assert not test.passed
    code, outcomes = checks(copied)
    assert code == 2
    assert (outcomes["sidecar"], outcomes["golden answers"]) == ("failed", "failed")
    assert outcomes["structure"] == "ok"


def test_golden_inputs_reach_where_kernels_saturate(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """Pairs of products beyond 16 bits occur in the first layer, on the golden inputs."""
    from dcrnet_export.artifacts.kind import integer_graph
    from dcrnet_runtime.backends.golden import golden_crops

    kind = ArtifactKind(ModelFormat.ONNX, Precision.INT8, target=Target.ARM)
    assert kind.weight_limit is WeightLimit.FULL
    quantized = integer_graph(kind, lower(checkpoint.network, 64, checkpoint.ranges[64]))
    weights = quantized.weights["conv0"].codes.astype(int).reshape(64, -1)
    pairs = weights[:, : weights.shape[1] // 2 * 2].reshape(64, -1, 2).sum(axis=2)
    white = golden_crops(64)[5]
    assert (white == 255).all()
    assert (np.abs(255 * pairs) > np.iinfo(np.int16).max).any()


def test_machine_with_other_answers_is_a_problem(copied: Path) -> None:
    def other_card(model: onnx.ModelProto) -> None:
        (prop,) = model.metadata_props
        card = json.loads(prop.value)
        card["figures"]["golden"]["probabilities"][5] = [1.0] + [0.0] * 6
        prop.value = json.dumps(card)

    problem = host_problem(load_model(rewritten(copied, other_card)))
    assert problem is not None
    assert "'white'" in problem


def test_good_file_verifies(good: Path) -> None:
    code, outcomes = checks(good)
    assert code == 0
    assert set(outcomes.values()) == {"ok"}


def test_missing_sidecar_is_not_shown(copied: Path) -> None:
    copied.with_name(f"{copied.name}.json").unlink()
    code, outcomes = checks(copied)
    assert code == 0
    assert outcomes["sidecar"] == "not shown"


@pytest.mark.parametrize("text", ["", "[]", '{"sha256": 1}', "[" * 100_000])
def test_damaged_sidecar_fails(copied: Path, text: str) -> None:
    copied.with_name(f"{copied.name}.json").write_text(text)
    assert checks(copied)[1]["sidecar"] == "failed"


def test_verify_refuses_a_checkpoint(checkpoint_path: Path) -> None:
    result = runner.invoke(app, ["verify", str(checkpoint_path)])
    assert result.exit_code == 2
    assert "is a checkpoint" in result.stderr


@pytest.mark.parametrize("form", list(ModelFormat))
def test_structure(checkpoint: Checkpoint, form: ModelFormat) -> None:
    card = checkpoint.card
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    content = build_content(ArtifactKind(form, Precision.INT8), graph, card)
    assert file_format(form).structure_problem(content, card) is None
    other = replace(card, preprocess=replace(card.preprocess, size_px=128))
    problem = file_format(form).structure_problem(content, other)
    assert problem is not None
    assert "interface" in problem


def test_onnx_with_foreign_operators(good: Path) -> None:
    model = onnx.load(good)
    model.graph.node[3].domain = "com.microsoft"
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    form, card = file_format(ModelFormat.ONNX), load_model(good).card
    problem = form.structure_problem(model.SerializeToString(), card)
    assert problem is not None


def comparison(images: int, drop: float, low: float, high: float) -> Comparison:
    return Comparison(images, 9, 7, 0.5, drop / 100, (low / 100, high / 100))


@pytest.mark.parametrize(
    ("images", "drop", "low", "high", "expected"),
    [
        (3333, 0.1, -0.2, 0.4, Verdict.WITHIN),
        (3333, -0.3, -0.6, 0.0, Verdict.WITHIN),
        (3333, 0.6, 0.3, 0.9, Verdict.BEYOND),
        (3333, 0.6, 0.2, 1.05, Verdict.BEYOND),
        (400, 0.4, -0.5, 1.3, Verdict.NOT_SHOWN),
        (400, 0.7, -0.5, 1.9, Verdict.NOT_SHOWN),
        (100, 8.0, 3.0, 14.0, Verdict.BEYOND),
        (50, 0.0, 0.0, 0.0, Verdict.NOT_SHOWN),
        (367, 0.0, -1.0, 1.0, Verdict.NOT_SHOWN),
        (368, 0.0, -1.0, 1.0, Verdict.WITHIN),  # 1 - 0.025^(1 / 368) is 1 %
    ],
)
def test_accuracy_verdict(
    images: int, drop: float, low: float, high: float, expected: Verdict
) -> None:
    assert verdict(comparison(images, drop, low, high), Tolerances()) is expected


def test_few_calibration_faces(make_faces: MakeFaces) -> None:
    with pytest.raises(DcrnetError, match="99 usable faces"):
        check_count(PreparedCrops(make_faces(99), "few"))


def test_calibration_says_what_its_faces_are_like(
    checkpoint: Checkpoint, make_faces: MakeFaces
) -> None:
    faces = make_faces(100)
    faces[:30] = faces[:30] // 4
    calibration = calibrate(checkpoint, PreparedCrops(faces, "generated"))
    assert calibration.statistics is not None
    assert sum(calibration.statistics.classes.values()) == 100
    assert calibration.statistics.dark == pytest.approx(0.3)
    text = "\n".join(calibration.remarks())
    assert "100 calibration faces are few" in text
    assert "30% dark" in text


def test_parity_with_own_faces_of_a_data_set(checkpoint_path: Path, tmp_path: Path) -> None:
    """Too few images show nothing about accuracy, and the table says so."""
    rng = np.random.default_rng(3)
    labels = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    for split in ("train", "valid", "test"):
        for name in labels:
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for index in range(2):
                image = rng.integers(0, 256, (48, 48), dtype=np.uint8)
                cv2.imwrite(str(folder / f"{index}.png"), image)
    arguments = [checkpoint_path, "--format", "onnx", "--target", "x86", "--out", tmp_path / "out"]
    arguments += ["--data", tmp_path / "data", "--dataset", "folders"]
    result = runner.invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    assert "not shown" in " ".join(result.stdout.split())
    (path,) = (tmp_path / "out").glob("*.onnx")
    accuracy = load_model(path).card.metrics["export"]["accuracy"]
    assert accuracy["comparison"]["images"] == 14
    assert load_model(path).card.metrics["export"]["parity"]["faces"] >= 64
    assert accuracy["verdict"] == "not shown"
    again = runner.invoke(
        app, ["verify", str(path), "--data", str(tmp_path / "data"), "--dataset", "folders"]
    )
    assert again.exit_code == 0, again.output
    assert "recorded" in again.stdout


def test_sidecar_repeats_the_card(good: Path) -> None:
    sidecar = json.loads(good.with_name(f"{good.name}.json").read_text())
    assert sidecar["card"]["figures"]["golden"]["tolerance"] == Tolerances().golden_integer


@pytest.mark.parametrize("file", ["onnx", "tflite", "safetensors"])
def test_inspect(
    file: str, good: Path, checkpoint: Checkpoint, checkpoint_path: Path, tmp_path: Path
) -> None:
    path = {"onnx": good, "safetensors": checkpoint_path}.get(file)
    if path is None:
        graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
        path = tmp_path / "model.tflite"
        kind = ArtifactKind(ModelFormat.TFLITE, Precision.INT8)
        write_artifact(path, build_content(kind, graph, checkpoint.card), checkpoint.card)
    result = runner.invoke(app, ["inspect", str(path), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["format"] == file
    assert found["card"]["labels"] == list(checkpoint.card.labels)
    table = runner.invoke(app, ["inspect", str(path)])
    assert "preprocess.size_px" in table.stdout


def test_brackets_are_printed(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(good, "my[v2].onnx")
    for command in ("inspect", "verify"):
        assert "my[v2].onnx" in runner.invoke(app, [command, "my[v2].onnx"]).stdout


def test_inspect_takes_several_files(good: Path, checkpoint_path: Path, tmp_path: Path) -> None:
    both = [str(good), str(checkpoint_path)]
    table = runner.invoke(app, ["inspect", *both])
    assert table.exit_code == 0, table.output
    assert table.stdout.count("preprocess.size_px") == 2
    found = json.loads(runner.invoke(app, ["inspect", "--json", *both]).stdout)
    assert [each["format"] for each in found] == ["onnx", "safetensors"]
    missing = str(tmp_path / "none.onnx")
    result = runner.invoke(app, ["inspect", "--json", missing, str(good)])
    assert result.exit_code == 2
    assert "none.onnx cannot be read" in result.stderr
    assert [each["file"] for each in json.loads(result.stdout)] == [good.name]


@pytest.mark.parametrize("bad", ["a checkpoint", "a failed check", "none"])
def test_verify_takes_several_files(
    bad: str, good: Path, copied: Path, checkpoint_path: Path
) -> None:
    if bad == "a failed check":
        rewritten(copied, ten_times_the_weights)
    first = checkpoint_path if bad == "a checkpoint" else copied
    result = runner.invoke(app, ["verify", str(first), str(good)])
    assert result.exit_code == (0 if bad == "none" else 2), result.output
    assert result.stdout.count("golden answers") == (1 if bad == "a checkpoint" else 2)
    assert str(good) in result.stdout.splitlines()
    assert ("is a checkpoint" in result.stderr) == (bad == "a checkpoint")


def test_verify_names_a_data_set_that_is_none_once(good: Path, tmp_path: Path) -> None:
    result = runner.invoke(app, ["verify", str(good), str(good), "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.count("error: ") == 1
    assert "it holds nothing" in result.stderr


@pytest.mark.parametrize("content", [None, b"", b"no model", b"\0" * 64])
def test_inspect_refuses_what_is_no_model(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "file.onnx"
    if content is not None:
        path.write_bytes(content)
    result = runner.invoke(app, ["inspect", str(path)])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
