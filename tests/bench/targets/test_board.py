"""``dcrnet-bench --host`` from end to end: over a real sshd, and by a stand-in's adb."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from board_stand_ins import Board, adb_board, ssh_board
from generated import TinyModel, synthetic_frame
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from dcrnet_bench.cli import bench as cli


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    with ssh_board(tmp_path, monkeypatch) as board:
        yield board


@pytest.fixture
def adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    return adb_board(tmp_path, monkeypatch)


@pytest.fixture
def photo(tmp_path: Path, portrait: NDArray[np.uint8]) -> Path:
    path = tmp_path / "a photo.png"
    assert cv2.imwrite(str(path), cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR))
    return path


def bench(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [*map(str, arguments)])


def complaint(*arguments: object) -> str:
    result = bench(*arguments)
    assert result.exit_code == 2, result.output
    [line] = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return line.removeprefix("error: ")


def test_a_model_is_measured_on_a_board(
    ssh: Board, tiny_model: TinyModel, photo: Path, tmp_path: Path
) -> None:
    model, target = tiny_model(name="my model.onnx"), tmp_path / "figures.json"
    options = ("--python", sys.executable, "--source", photo, "--runs", "3", "--json", target)
    result = bench(model, model, "--host", ssh.host, *options)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout.splitlines()[-1])
    assert json.loads(target.read_text()) == document
    first, second = document["models"]
    assert (first["path"], first["latency_ms"]["n"]) == (str(model), 3)
    assert first["name"] != second["name"]
    assert document["run"]["source"] == photo.name
    assert ssh.leftovers == []


def test_a_lost_connection_costs_nothing(
    ssh: Board, tiny_model: TinyModel, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_bench.boards.patience._PAUSES_S", (0.1,))
    ssh.fail("4 lost", "9 lost", "12 lost", "13 late", "14 lost")
    options = ("--python", sys.executable, "--source", photo, "--runs", "2")
    result = bench(tiny_model(), "--host", ssh.host, *options)
    assert result.exit_code == 0, result.output
    assert "trying again for 300 s" in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["models"][0]["latency_ms"]["n"] == 2
    assert ssh.leftovers == []


def test_what_the_board_refuses_is_told_as_the_commands(
    adb: Board, tiny_model: TinyModel, tmp_path: Path
) -> None:
    photo = tmp_path / "noise.png"
    assert cv2.imwrite(str(photo), synthetic_frame())
    options = ("--python", sys.executable, "--source", photo, "--runs", "2")
    text = complaint(tiny_model(), "--host", adb.host, *options)
    assert text == "no face is found in noise.png: name an image of a face with --source"
    assert adb.leftovers == []


def test_an_environment_that_lacks_a_package_is_refused(adb: Board, tiny_model: TinyModel) -> None:
    bare = adb.bin / "bare-python"
    adb.program("bare-python", f'exec {sys.executable} -S -E "$@"')
    text = complaint(tiny_model(), "--host", adb.host, "--python", bare)
    assert text.startswith(f"--python {bare} on {adb.host} lacks cv2, numpy")
    assert adb.leftovers == []


def test_a_board_without_an_index_tells_what_pip_said(adb: Board, tiny_model: TinyModel) -> None:
    made = 'mkdir -p "$3/bin"; printf "#!/bin/sh\\necho no index here >&2; exit 1\\n"'
    adb.program(
        "python3",
        f'if [ "$2" = venv ]; then {made} >"$3/bin/python"; chmod +x "$3/bin/python";'
        f' else exec {sys.executable} "$@"; fi',
    )
    text = complaint(tiny_model(), "--host", adb.host)
    assert text == f"installing on {adb.host} failed: no index here"
    assert adb.leftovers == []


def test_a_board_of_another_kind_is_refused(adb: Board, tiny_model: TinyModel) -> None:
    adb.program("uname", "echo riscv64")
    adb.program("python3", "exit 127")
    text = complaint(tiny_model(), "--host", adb.host, "--device", "arm")
    assert text.startswith(f"--device arm: {adb.host} is riscv64, not ARM")
    adb.program("uname", "echo aarch64")
    text = complaint(tiny_model(), "--host", adb.host, "--device", "arm")
    assert text == (
        f"--host {adb.host} has no Python: install Python 3.11 or later there and name it with"
        " --python; on Android name LiteRT's program with --benchmark-model"
    )


def test_a_model_that_is_not_here_is_told_before_anything_is_sent(adb: Board) -> None:
    text = complaint("nowhere.onnx", "--host", adb.host, "--python", sys.executable)
    assert text.startswith("model nowhere.onnx cannot be read")
    assert adb.leftovers == []


def test_a_meter_of_another_clock_is_refused(
    adb: Board, tiny_model: TinyModel, tmp_path: Path
) -> None:
    file = tmp_path / "watts.csv"
    file.write_text("t_unix,watts\n")
    options = ("--python", sys.executable, "--energy-csv", file)
    text = complaint(tiny_model(), "--host", adb.host, *options)
    assert text.startswith("--energy-csv is read by the machine that measures")


@pytest.mark.slow
def test_a_board_installs_from_its_own_index(
    ssh: Board, tiny_model: TinyModel, photo: Path
) -> None:
    """Needs a network, and minutes."""
    ssh.program("python3", f'exec {sys.executable} "$@"')
    result = bench(tiny_model(), "--host", ssh.host, "--source", photo, "--runs", "2")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["models"][0]["macs"] > 0
    assert ssh.leftovers == []
