"""A phone without Python: LiteRT's own program, by a stand-in's adb."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from board_stand_ins import BENCHMARK_MODEL_OUTPUT, SERIAL, Board, adb_board, write_program
from generated import TinyModel
from typer.testing import CliRunner, Result

from dcrnet_bench.cli import bench as cli


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    board = adb_board(tmp_path, monkeypatch)
    board.program("uname", 'if [ "$1" = -m ]; then echo aarch64; else echo Linux 5.15.94; fi')
    board.program("python3", "exit 127")
    board.program("getprop", "case $1 in *soc.model) echo SM8550;; *release) echo 14;; esac")
    return board


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Prints what LiteRT's does, and notes how it was asked."""
    path = tmp_path / "benchmark_model_android"
    (tmp_path / "output").write_text(BENCHMARK_MODEL_OUTPUT)
    return write_program(path, f'echo "$@" >>{tmp_path}/asked; cat {tmp_path}/output')


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network's file, with a card."""
    pytest.importorskip("torch", reason="needs the export extra to write a TFLite file")
    from export.toy_networks import TOYS, save_toy

    from dcrnet_edge import load_checkpoint
    from dcrnet_export import lower
    from dcrnet_export.formats.registry import file_format
    from dcrnet_runtime.backends.precision import Precision

    folder = tmp_path_factory.mktemp("models")
    crops = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    save_toy(TOYS[0], folder / "toy.safetensors", crops)
    checkpoint = load_checkpoint(folder / "toy.safetensors")
    form = file_format("tflite")
    content = form.float_emitters[Precision.FP32](lower(checkpoint.network, 64), 1)
    path = folder / "my tiny.tflite"
    path.write_bytes(form.with_card(content, checkpoint.card))
    return path


def bench(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [*map(str, arguments)])


def test_its_times_stand_under_the_tools_name(
    phone: Board, program: Path, tflite: Path, tmp_path: Path
) -> None:
    options = ("--host", "adb:", "--benchmark-model", program, "--device", "arm", "--quick")
    result = bench(tflite, *options)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout.splitlines()[-1])
    [model] = document["models"]
    assert model["latency_ms"] is None
    assert model["tool"]["mean_ms"] == 14.5752
    assert model["macs"] > 0
    assert document["run"]["protocol"] == "tool"
    host = document["host"]
    assert (host["soc"], host["system"]) == ("SM8550", "Android 14 (Linux 5.15.94)")
    asked = (tmp_path / "asked").read_text()
    assert "--num_threads=1 --num_runs=64 --min_secs=5" in asked
    assert "mean 14.58, median 14.55, p95 14.90" in result.stdout
    assert phone.leftovers == []


def test_an_onnx_model_is_refused(phone: Board, program: Path, tiny_model: TinyModel) -> None:
    result = bench(tiny_model(), "--host", "adb:", "--benchmark-model", program)
    assert result.exit_code == 2
    assert "--benchmark-model runs TFLite models only" in result.stderr
    assert phone.leftovers == []


def test_a_program_for_another_processor_is_told(
    phone: Board, tflite: Path, tmp_path: Path
) -> None:
    said = "wrong: not executable: 64-bit ELF"
    wrong = write_program(tmp_path / "wrong", f"echo '{said}' >&2; exit 126")
    result = bench(tflite, "--host", "adb:", "--benchmark-model", wrong)
    assert result.exit_code == 2
    assert "benchmark_model on adb:" in result.stderr
    assert result.stderr.endswith("failed: wrong: not executable: 64-bit ELF\n")
    assert SERIAL in result.stderr
    assert phone.leftovers == []


def test_a_program_that_is_not_here(phone: Board, tflite: Path) -> None:
    result = bench(tflite, "--host", "adb:", "--benchmark-model", "nowhere")
    assert result.exit_code == 2
    assert "--benchmark-model nowhere is no file" in result.stderr
