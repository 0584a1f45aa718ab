"""The pages' tables state the measured figures, and the chart shows them."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from docs.draw_chart import CHART, digest, draw, read
from docs.draw_demo import DEMO, head
from docs.pages import ROOT, blocks, commands
from typer.testing import CliRunner

DRAWN_SHARE = 0.036
"""Of the picture's pixels, what box and label cover."""
SIDES_PX = ("128", "224")
LITE0 = (
    "| efficientnet-lite0-int8.onnx | 3.55 | 85.15 % (83.9 to 86.3) | 71.19 % (67.9 to 74.5) |"
    " 0.734 (0.696 to 0.766) | 0.066 |"
)
"""As dcrnet-eval printed it."""
README = (ROOT / "README.md").read_text()


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def test_accuracy() -> None:
    document = read("accuracy")
    for model in document["models"]:
        cells = [f"{model['mb']:.2f}"]
        for key in ("accuracy_percent", "balanced_accuracy_percent"):
            cells.append("{:.2f} % ({} to {})".format(*model[key]))
        cells.append("{:.3f} ({:.3f} to {:.3f})".format(*model["macro_f1"]))
        cells.append(f"{model['calibration_error']:.3f}")
        row = f" | {' | '.join(cells)} |"
        assert f"| {model['name']}{row}" in page("model.md")
        assert row in next(x for x in README.splitlines() if x.startswith(f"| {model['name']}"))
    assert f"{document['images']:,} images" in README
    assert document["date"] in README
    assert document["command"] in page("model.md")


def test_the_fast_model_is_told_alike() -> None:
    card = (ROOT / "dcrnet_edge" / "weights" / "MODEL_CARD_FAST.md").read_text()
    for text in (README, card):
        (line,) = (x for x in text.splitlines() if "-lite0-int8.onnx" in x and "3.55" in x)
        assert line.split("|")[2:] == LITE0.split("|")[2:]


def cells(name: str, row: str) -> list[str]:
    """The cells of a page's row, without its first."""
    (line,) = (line for line in page(name).splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip(" *") for cell in line.split("|")[2:-1]]


def test_latency() -> None:
    """Times are those measured, and gains in brackets follow from them."""
    document = read("latency")
    columns = [each["latency_ms"][side] for each in document["machines"] for side in SIDES_PX]
    for kind in ("ONNX", "TFLite"):
        stated = cells("bench.md", f"fp32 {kind}")
        assert [float(cell) for cell in stated] == [column[f"fp32 {kind}"] for column in columns]
        for cell, column in zip(cells("bench.md", f"int8 {kind}"), columns, strict=True):
            found = re.fullmatch(r"([\d.]+)\** \(([\d.]+)x\)", cell)
            assert found, cell
            time_ms, gain = found.groups()
            assert float(time_ms) == column[f"int8 {kind}"]
            expected = column[f"fp32 {kind}"] / column[f"int8 {kind}"]
            assert float(gain) == pytest.approx(expected, abs=0.0501)
    assert document["command"] in page("bench.md")
    assert all(machine["date"] in page("bench.md") for machine in document["machines"])


def test_the_loop() -> None:
    for loop in read("loop")["loops"]:
        row = (
            f"| {loop['name']} | {loop['fps']} | {loop['delay_ms']} (p90 {loop['delay_p90_ms']})"
            f" | {loop['cpu_ms']} | {loop['peak_mb']} | {loop['with_face_percent']} % |"
        )
        assert row in page("bench.md")
    assert read("loop")["date"] in page("bench.md")


def test_ck_plus() -> None:
    """The table of CK+ is what the command above it prints."""
    pytest.importorskip("torch", reason="needs the train extra")
    from dcrnet_edge.cli.eval import app

    training = ROOT / "docs" / "training.md"
    (block,) = (each for each in blocks(training) if each.example == "ck-plus")
    (command,) = commands(block.code, str(block))
    files = [str(ROOT / word) for word in command.words[1:-1]]
    result = CliRunner().invoke(app, [*files, command.words[-1]])
    assert result.exit_code == 0, result.output
    for file in files:
        row = next(x for x in result.stdout.splitlines() if x.startswith(f"| {Path(file).name}"))
        assert row.split("|", 3)[3] in training.read_text()


def test_the_picture_is_what_the_demo_draws(tmp_path: Path) -> None:
    """But for a line or a digit that another processor may draw a pixel aside."""
    pytest.importorskip("skimage", reason="needs the demo extra")
    from dcrnet_runtime.cli.run import app

    drawn = tmp_path / "drawn.png"
    result = CliRunner().invoke(app, ["--demo", "--save", str(drawn)])
    assert result.exit_code == 0, result.output
    shown, now = (
        np.asarray(cv2.imread(str(DEMO)), np.uint8).astype(int),
        head(np.asarray(cv2.imread(str(drawn)), np.uint8)).astype(int),
    )
    assert (np.abs(shown - now).max(axis=2) > 16).mean() < DRAWN_SHARE / 4


def test_the_chart_is_drawn_from_these_figures(tmp_path: Path) -> None:
    assert digest() in CHART.read_text(), "run: python tests/docs/draw_chart.py"
    pytest.importorskip("matplotlib", reason="needs the train extra")
    draw(tmp_path / "chart.svg")
    assert digest() in (tmp_path / "chart.svg").read_text()
